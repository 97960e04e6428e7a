"""Signing in and out: a password, or a link that opens once."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from onefold.governance import people, subjects
from onefold.model.errors import NotFound, NotSignedIn, OnefoldError
from onefold.model.records import ROLES
from onefold.web import rendering
from onefold.web.desk import (
    COOKIE,
    ask,
    back,
    caller,
    check_token,
    local,
    page,
    secure,
    signed_in,
    text_of,
    visit_of,
)
from onefold.web.single_sign_on import SingleSignOn, role_of

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

    from onefold.runtime import Workspace

FORM_COOKIE = "onefold_form"
PROVIDER_COOKIE = "onefold_provider"
PROVIDER_BACK = "/sign-in/provider/back"


async def show(request: Request) -> Response:
    """Show the form, or go on when somebody is signed in."""
    if visit_of(request) is not None:
        return RedirectResponse(_next(request.query_params.get("next", "/")), status_code=303)
    return _form(request, next_path=_next(request.query_params.get("next", "/")))


async def enter(request: Request) -> Response:
    """Sign in with name and password; too many wrong ones make the door wait."""
    form = await request.form()
    check_token(text_of(form, "csrf"), request.cookies.get(FORM_COOKIE, ""))
    name, next_path = text_of(form, "name"), _next(text_of(form, "next"))
    password = form.get("password", "")
    workspace, attempts = request.app.state.workspace, request.app.state.attempts
    keys = (f"from {caller(request)}", f"as {name.lower()}")
    try:
        attempts.begin(*keys)
    except OnefoldError as error:
        return _form(request, name=name, next_path=next_path, error=error)
    try:
        token = await ask(
            request, people.sign_in, workspace.state, name, str(password), now=workspace.clock()
        )
    except OnefoldError as error:
        if not isinstance(error, NotSignedIn):
            attempts.passed(*keys)
        return _form(request, name=name, next_path=next_path, error=error)
    attempts.passed(*keys)
    return _let_in(request, token, next_path)


async def open_link(request: Request) -> Response:
    """Sign in by a one-time link; who has no password yet is told where to choose one."""
    workspace, attempts = request.app.state.workspace, request.app.state.attempts
    key = f"link from {caller(request)}"
    attempts.begin(key)
    token = people.open_link(workspace.state, request.path_params["token"], now=workspace.clock())
    attempts.passed(key)
    visit = people.visit_of(workspace.state, token, now=workspace.clock())
    has_password = visit and people.user_named(workspace.state, visit.asker.name).has_password
    words = "" if has_password else "This link is used up. Choose a password in Settings."
    return _let_in(request, token, "/", words)


async def to_provider(request: Request) -> Response:
    """Send the browser to the provider, and remember in it what was begun."""
    sign_on = await ask(request, _sign_on, request.app)
    attempts, key = request.app.state.attempts, f"provider from {caller(request)}"
    attempts.begin(key)
    base = f"{'https' if secure(request) else 'http'}://{request.headers.get('host', '')}"
    next_path = _next(request.query_params.get("next", "/"))
    address, kept = await ask(request, sign_on.begin, next_path, f"{base}{PROVIDER_BACK}")
    answer = RedirectResponse(address, status_code=303)
    answer.set_cookie(
        PROVIDER_COOKIE,
        kept,
        max_age=600,
        httponly=True,
        # The provider sends the browser back from its own site.
        samesite="lax",
        secure=secure(request),
        path="/sign-in",
    )
    return answer


async def from_provider(request: Request) -> Response:
    """Sign in whom the provider sends back, proven."""
    sign_on = await ask(request, _sign_on, request.app)
    given, workspace = request.query_params, request.app.state.workspace
    try:
        if "error" in given:
            raise NotSignedIn("The provider let nobody in.", "Try again, or ask an owner.")
        token, path = await ask(
            request,
            _proven,
            workspace,
            sign_on,
            given.get("state", ""),
            request.cookies.get(PROVIDER_COOKIE, ""),
            given.get("code", ""),
        )
    except OnefoldError as error:
        return _form(request, next_path="/", error=error)
    request.app.state.attempts.passed(f"provider from {caller(request)}")
    answer = _let_in(request, token, path)
    answer.delete_cookie(PROVIDER_COOKIE, path="/sign-in")
    return answer


@signed_in()
async def leave(request: Request) -> Response:
    """Sign out."""
    people.sign_out(request.app.state.workspace.state, request.cookies.get(COOKIE, ""))
    answer = back(request, "/sign-in", "You are signed out.")
    answer.delete_cookie(COOKIE, path="/")
    return answer


routes = [
    Route("/sign-in", show, methods=["GET"]),
    Route("/sign-in", enter, methods=["POST"]),
    Route("/sign-in/link/{token}", open_link, methods=["GET"]),
    Route("/sign-in/provider", to_provider, methods=["GET"]),
    Route(PROVIDER_BACK, from_provider, methods=["GET"]),
    Route("/sign-out", leave, methods=["POST"]),
]


def _sign_on(app: Starlette) -> SingleSignOn:
    """Return the way to the provider, made at the first request.

    Raises:
        NotFound: The workspace has no provider.
    """
    found: SingleSignOn | None = getattr(app.state, "sign_on", None)
    if found is None:
        provider = getattr(app.state.workspace.settings, "provider", None)
        if provider is None:
            raise NotFound("Nobody signs in by a provider here.", "Sign in with a password.")
        found = app.state.sign_on = SingleSignOn(provider, app.state.workspace.clock)
    return found


def _proven(
    workspace: Workspace, sign_on: SingleSignOn, state: str, kept: str, code: str
) -> tuple[str, str]:
    """Return the token of a new visit, and where it goes on."""
    claims, begun = sign_on.finish(state, kept, code)
    provider = workspace.settings.provider
    if provider is None:
        raise NotSignedIn("Nobody signs in by a provider here.", "Sign in with a password.")
    role = role_of(provider, claims, ROLES)
    name = str(claims.get(provider.name_claim) or claims["sub"])
    if provider.name_claim == "email" and claims.get("email_verified") is False:
        raise NotSignedIn("The provider has not verified your e-mail.", "Verify it there first.")
    token = subjects.let_in(
        workspace.state,
        provider.issuer,
        str(claims["sub"]),
        name=name,
        role=role,
        now=workspace.clock(),
    )
    return token, begun.next_path


def _form(
    request: Request, *, next_path: str, name: str = "", error: OnefoldError | None = None
) -> Response:
    token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    answer = page(
        request,
        "sign_in.html",
        status=error.status if error else 200,
        title="Sign in",
        name=name,
        next_path=next_path,
        error=error,
        by_provider=getattr(request.app.state.workspace.settings, "provider", None) is not None,
        form_token=rendering.csrf_field(token),
    )
    answer.set_cookie(
        FORM_COOKIE,
        token,
        httponly=True,
        samesite="strict",
        secure=secure(request),
        path="/sign-in",
    )
    return answer


def _let_in(request: Request, token: str, path: str, words: str = "") -> Response:
    answer = back(request, path, words, title="You are in")
    answer.set_cookie(
        COOKIE,
        token,
        max_age=people.VISIT_LIFE // 1_000_000,
        httponly=True,
        samesite="lax",
        secure=secure(request),
    )
    return answer


def _next(path: str) -> str:
    return path if local(path) and not path.startswith("/sign-") else "/"
