"""What a page handler works at: who asks, questions in threads, pages and forms."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from functools import partial, wraps
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import HTMLResponse, RedirectResponse, Response

from onefold.governance import keys, people, require
from onefold.model.errors import NotAllowed, NotSignedIn
from onefold.model.waiting import leaving
from onefold.web import notices, rendering

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from onefold.governance import Visit
    from onefold.model.records import Asker

    Handler = Callable[[Request], Awaitable[Response] | Response]

T = TypeVar("T")

COOKIE = "onefold_visit"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOK_SECONDS = 0.5


def signed_in(
    action: str = "ask", *, whole: bool = False
) -> Callable[[Handler], Callable[[Request], Awaitable[Response]]]:
    """Return a decorator: the handler runs for a signed-in person who may do `action`.

    It sets `request.state.asker` and `request.state.visit`. Requests that change something must
    carry the visit's token, in the field `csrf` or the header `X-CSRF-Token`.

    Args:
        action: One of `governance.access.ACTIONS`.
        whole: The page tells of the whole workspace, not through a View of who asks.

    Raises:
        NotSignedIn: Nobody is known; a page then leads to the sign-in.
        NotAllowed: The role may not, or the token is wrong.
    """

    def guard(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        @wraps(handler)
        async def guarded(request: Request) -> Response:
            visit = visit_of(request)
            if visit is None:
                raise NotSignedIn("Nobody is signed in here.", "Sign in.")
            request.state.visit, request.state.asker = visit, visit.asker
            require(visit.asker, action)
            if whole:
                workspace = request.app.state.workspace
                await ask(request, workspace.require_whole, visit.asker)
            if request.method not in SAFE:
                check_token(await sent_token(request), visit.csrf)
            answer = handler(request)
            return await answer if inspect.isawaitable(answer) else answer

        return guarded

    return guard


def visit_of(request: Request) -> Visit | None:
    """Return the visit of the request's cookie, if it is in force."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    workspace = request.app.state.workspace
    return people.visit_of(workspace.state, token, now=workspace.clock())


def asker_of(request: Request) -> Asker:
    """Return who asks the API: by `Authorization: Bearer KEY`, or by the session of a browser.

    Raises:
        NotSignedIn: Neither is in force.
        NotAllowed: A browser changes something without `X-CSRF-Token`.
    """
    workspace = request.app.state.workspace
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        asker = keys.api_key_of(workspace.state, secret.strip(), now=workspace.clock())
        if asker is None:
            raise NotSignedIn("The key is unknown, revoked or too old.", "Make one in Settings.")
        return asker
    visit = visit_of(request)
    if visit is None:
        raise NotSignedIn("No key and no session.", "Send `Authorization: Bearer KEY`.")
    if request.method not in SAFE:
        check_token(request.headers.get("x-csrf-token", ""), visit.csrf)
    return visit.asker


def check_token(sent: str, expected: str) -> None:
    """Pass when a form carries the token it was given; compared in constant time.

    Raises:
        NotAllowed: It does not.
    """
    if not expected or not compare_digest(sent.encode(), expected.encode()):
        raise NotAllowed("This form does not belong to your visit.", "Open the page again.")


async def sent_token(request: Request) -> str:
    """Return the token a form or a script sent."""
    header = request.headers.get("x-csrf-token")
    if header:
        return header
    if "form" not in request.headers.get("content-type", ""):
        return ""
    return text_of(await request.form(), "csrf")


def text_of(form: Any, name: str) -> str:
    """Return a text field of a form, trimmed; empty when it is missing or a file."""
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


async def ask(
    request: Request, question: Callable[..., T], /, *arguments: object, **named: object
) -> T:
    """Return what a blocking question answers, asked in one of the house's few threads.

    Who has gone away meanwhile, before a page or answer came, asks no more: what is under way in
    the engine is ended.
    """
    threads, gone = request.app.state.questions, threading.Event()
    context = contextvars.copy_context()
    context.run(leaving.set, gone)
    asked = partial(context.run, partial(question, *arguments, **named))
    answer = asyncio.get_running_loop().run_in_executor(threads, asked)
    # What changes something is seen through to its end.
    while request.method in SAFE and not answer.done():
        await asyncio.wait({answer}, timeout=_LOOK_SECONDS)
        if not answer.done() and await request.is_disconnected():
            gone.set()
            break
    return await answer


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page of the frame.

    Args:
        request: Whose page it is.
        template: Its file in `templates/`.
        status: The HTTP status.
        context: What it shows; `title`, `here`, `filters` and `fresh` belong to the frame.
    """
    visit: Visit | None = getattr(request.state, "visit", None)
    token = visit.csrf if visit else ""
    theme = request.cookies.get("onefold_theme", "")
    framed: dict[str, object] = {
        "asker": visit.asker if visit else None,
        "csrf_token": token,
        "csrf_field": rendering.csrf_field(token),
        "workspace_name": workspace_name(request) if visit else "",
        "theme": theme if theme in {"light", "dark"} else "",
        "notice": notices.read(request.cookies.get(notices.COOKIE, "")),
        "rebuilding": rebuilding(request) if visit else None,
        "request_id": getattr(request.state, "request_id", ""),
        "path": request.url.path,
    }
    answer = HTMLResponse(rendering.render(template, framed | context), status_code=status)
    if framed["notice"]:
        answer.delete_cookie(notices.COOKIE, path="/")
    return answer


def rebuilding(request: Request) -> dict[str, str] | None:
    """Return what a page says while its figures are being built anew, else None."""
    workspace = request.app.state.workspace
    if not getattr(workspace, "rebuilding", False):
        return None
    done = int(workspace.rebuilt_share * 100)
    so_far = f"{done}\N{NO-BREAK SPACE}% so far"
    words = f"The facts are made anew from the log, {so_far}. Figures are of the former ones."
    return {"title": "Rebuilding", "words": words, "kind": "stale"}


def back(
    request: Request, path: str, words: str = "", *, title: str = "Done", kind: str = "done"
) -> Response:
    """Return the way back to a page after a change, with one sentence to show there once.

    Args:
        request: The form's request.
        path: A path of this house.
        words: What was done.
        title: The bold word before it.
        kind: `done`, `stale` or `refused`.
    """
    answer = RedirectResponse(path if local(path) else "/", status_code=303)
    if words:
        text = notices.write(title, words, kind)
        answer.set_cookie(
            notices.COOKIE, text, max_age=60, httponly=True, samesite="lax", secure=secure(request)
        )
    return answer


def local(path: str) -> bool:
    """Return whether a path stays in this house.

    >>> local("/settings"), local("//elsewhere"), local("https://elsewhere")
    (True, False, False)
    """
    return path.startswith("/") and not path.startswith(("//", "/\\")) and "\n" not in path


def secure(request: Request) -> bool:
    """Return whether the visitor came by https, also through the door or a proxy."""
    forwarded = request.headers.get("x-forwarded-proto", "")
    return "https" in {request.url.scheme, forwarded.split(",")[0].strip()}


def caller(request: Request) -> str:
    """Return where a request comes from, for rate limits only."""
    forwarded = request.headers.get("x-forwarded-for", "")
    if request.client is not None and request.client.host:
        return request.client.host
    return forwarded.split(",")[-1].strip() or "here"


def workspace_name(request: Request) -> str:
    """Return what the workspace is called."""
    settings = getattr(request.app.state.workspace, "settings", None)
    return str(getattr(settings, "name", "") or "")
