"""Signing in and out: a password, or a link that opens once."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from onefold.governance import people
from onefold.model.errors import NotSignedIn, OnefoldError
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

if TYPE_CHECKING:
    from starlette.requests import Request

FORM_COOKIE = "onefold_form"


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
    Route("/sign-out", leave, methods=["POST"]),
]


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
