"""The house's web application: pages, API and what they share."""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from onefold.model.errors import BadInput, MachineFailed, NotFound, NotSignedIn, OnefoldError
from onefold.web import pages, rendering
from onefold.web.attempts import Attempts
from onefold.web.desk import page, visit_of
from onefold.web.shield import Shield

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from onefold.runtime import Workspace

QUESTION_THREADS = 4
READING_THREADS = 2
"""Of live pages: a heavy question must not hold them up."""
_POLITE = 5
"""How much less a thread of questions is worth to the system; 0 is as much as all else."""
OPTIONAL = ("onefold.web.api", "onefold.web.live")

_log = logging.getLogger("onefold.web")


def make_app(workspace: Workspace) -> Starlette:
    """Return the house's application over an open workspace.

    Every module of `web/pages` offers `routes`; the API and the live streams do the same. One
    that has `begin` is given the application as the server starts.

    Args:
        workspace: Read by handlers as `request.app.state.workspace`.
    """
    app = Starlette(
        routes=[*_files(), *_collected()],
        middleware=[Middleware(Shield, on_failure=_failed)],
        exception_handlers={OnefoldError: _refused, HTTPException: _plain},
        lifespan=_lifespan,
    )
    app.state.workspace = workspace
    app.state.attempts = Attempts(workspace.clock)
    app.state.questions = ThreadPoolExecutor(
        QUESTION_THREADS, thread_name_prefix="question", initializer=_yield_to_others
    )
    app.state.readings = ThreadPoolExecutor(READING_THREADS, thread_name_prefix="reading")
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    for module in _page_modules():
        begin = getattr(module, "begin", None)
        if begin is not None:
            begin(app)
    yield
    for threads in (app.state.questions, app.state.readings):
        threads.shutdown(wait=False, cancel_futures=True)


def _yield_to_others() -> None:
    """Let folds, intake and live pages have the processor before a heavy question."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _POLITE)


def _files() -> list[BaseRoute]:
    static = GZipMiddleware(StaticFiles(directory=rendering.STATIC), minimum_size=1000)
    # The browser SDK asks for its bundles at this fixed path.
    bundles = StaticFiles(directory=rendering.STATIC / "vendor" / "analytics-next" / "bundles")
    return [
        Mount("/static", static, name="static"),
        Mount("/analytics-next/bundles", bundles, name="bundles"),
    ]


def _collected() -> list[BaseRoute]:
    return [route for module in _page_modules() for route in getattr(module, "routes", [])]


def _page_modules() -> list[Any]:
    names = [f"{pages.__name__}.{each.name}" for each in iter_modules(pages.__path__)]
    modules: list[Any] = []
    for name in (*names, *OPTIONAL):
        try:
            modules.append(import_module(name))
        except ModuleNotFoundError as missing:
            if missing.name != name:
                raise
    return modules


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, OnefoldError):
        raise error
    if wants_json(request):
        return problem(error)
    if isinstance(error, NotSignedIn) and request.method == "GET" and not _at_sign_in(request):
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={_quoted(here)}", status_code=303)
    return _error_page(request, error)


async def _plain(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    headers = getattr(error, "headers", None) or {}
    path = request.url.path
    json = wants_json(request)
    refusal: OnefoldError
    if status == 404:
        fix = "See /api/v1/openapi.json for what there is." if json else "Go back to Today."
        refusal = NotFound(f"There is no {'address' if json else 'page'} `{path}`.", fix)
    else:
        fix = f"Send it as {headers['Allow']}." if "Allow" in headers else "Go back to Today."
        refusal = BadInput(f"`{path}` does not answer {request.method}.", fix)
        refusal.status = status
    answer = problem(refusal) if json else _error_page(request, refusal)
    answer.headers.update(headers)
    return answer


async def _failed(request: Request, error: Exception) -> Response:
    request_id = getattr(request.state, "request_id", "")
    _log.error("request %s failed", request_id, exc_info=error)
    failure = MachineFailed(
        "The page could not be made.", "Try again; if it stays so, tell your engineer."
    )
    return problem(failure) if wants_json(request) else _error_page(request, failure)


def wants_json(request: Request) -> bool:
    """Return whether an error goes to a program: anything under the API's addresses."""
    return request.url.path.startswith(("/api/", "/ofrep/", "/v1/", "/health"))


def problem(error: OnefoldError) -> JSONResponse:
    """Return an error as RFC 9457 has it, with `fix`."""
    return JSONResponse(
        error.to_problem(),
        error.status,
        media_type="application/problem+json",
        headers=_retry(error),
    )


def _error_page(request: Request, error: OnefoldError) -> Response:
    if getattr(request.state, "visit", None) is None:
        request.state.visit = visit_of(request)
    ways = [{"label": "Back to Today", "href": "/"}]
    if isinstance(error, NotSignedIn):
        ways = [{"label": "Sign in", "href": "/sign-in"}]
    answer = page(
        request, "error.html", status=error.status, title=error.title, error=error, ways=ways
    )
    answer.headers.update(_retry(error))
    return answer


def _retry(error: OnefoldError) -> dict[str, str]:
    seconds = getattr(error, "retry_seconds", None)
    return {} if seconds is None else {"retry-after": str(seconds)}


def _at_sign_in(request: Request) -> bool:
    return request.url.path.startswith("/sign-in")


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/")
