"""Addresses of the API: one for each call, its description, and its problems."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from onefold.model.errors import (
    BadInput,
    MachineFailed,
    NotAllowed,
    OnefoldError,
    TooLarge,
    unknown,
)
from onefold.model.records import Asker, Progress
from onefold.runtime import CALLS, Workspace, call
from onefold.web import desk
from onefold.web.api.asking import asker_of, is_owner
from onefold.web.api.described import PREFIX, description
from onefold.web.api.machine import MEDIA_TYPE, measures

MOST_BYTES = 1_000_000
LINES = "application/x-ndjson"
_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]
"""All of them, so that each call can say which it answers."""


async def _described(_: Request) -> Response:
    return _json(description())


async def _measured(request: Request) -> Response:
    text = await desk.ask(request, measures, request.app.state.workspace)
    return Response(text, headers={"Content-Type": MEDIA_TYPE})


async def _called(request: Request) -> Response:
    name = request.path_params["name"].replace("/", " ")
    asker = await desk.ask(request, asker_of, request)
    if name not in CALLS:
        raise unknown("call", name, CALLS)
    allowed = ("POST",) if CALLS[name].changes else ("GET", "HEAD", "POST")
    if request.method not in allowed:
        raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
    params = await _params(request, name)
    if LINES in request.headers.get("accept", ""):
        return StreamingResponse(_lines(request, asker, name, params), media_type=LINES)
    body, _ = await desk.ask(request, _run, request, asker, name, params, None)
    return _json(body)


async def _params(request: Request, name: str) -> dict[str, Any]:
    params = await _given(request, name)
    if name in CALLS and not is_owner(request):
        for parameter in CALLS[name].places:
            _check_within(request.app.state.workspace, str(params.get(parameter) or ""))
    return params


async def _given(request: Request, name: str) -> dict[str, Any]:
    if request.method in {"GET", "HEAD"}:
        found: dict[str, Any] = dict(request.query_params)
        lists = CALLS[name].lists if name in CALLS else ()
        return found | {each: request.query_params.getlist(each) for each in lists if each in found}
    raw = await _body(request)
    try:
        params = msgspec.json.decode(raw or b"{}")
    except msgspec.DecodeError as error:
        raise BadInput(f"The body is not JSON: {error}.", "Send a JSON object.") from error
    if not isinstance(params, dict):
        raise BadInput("The body is no JSON object.", "Send the parameters by name.")
    return params


def _check_within(workspace: Workspace, place: str) -> None:
    # A key must not make the server read or write files of its machine.
    folder = workspace.folder.resolve()
    if "\0" in place:
        raise BadInput(f"{place!r} is no place of a file.", "Leave out what cannot be seen.")
    if not (folder / place).resolve().is_relative_to(folder):
        message = f"{place!r} is not in the workspace's folder."
        raise NotAllowed(message, "Name a place in there, or do it at the command line.")


async def _body(request: Request) -> bytes:
    raw = b""
    async for piece in request.stream():
        raw += piece
        if len(raw) > MOST_BYTES:
            message = f"The body is over {MOST_BYTES:,} bytes."
            raise TooLarge(message, "Send the parameters of one call.")
    return raw


def _run(
    request: Request, asker: Asker, name: str, params: dict[str, Any], progress: Progress | None
) -> tuple[dict[str, Any], bool]:
    """Return the body of an answer and whether it is a good one."""
    try:
        # A body says of what kind a value is; an address and the command line have but text.
        strict = request.method == "POST" and not is_owner(request)
        outcome = call(request.app.state.workspace, asker, name, params, progress, strict=strict)
    except OnefoldError:
        raise
    except Exception as error:
        message = f"`{name}` failed: {type(error).__name__}: {error}."
        raise MachineFailed(message, "Run `onefold doctor`.") from error
    return outcome.body, outcome.good


async def _lines(
    request: Request, asker: Asker, name: str, params: dict[str, Any]
) -> AsyncIterator[bytes]:
    """Yield progress while the call runs, then its answer or its problem, a line each."""
    loop = asyncio.get_running_loop()
    told: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def progress(what: str, done: int, total: int | None) -> None:
        loop.call_soon_threadsafe(told.put_nowait, {"progress": [what, done, total]})

    def run() -> dict[str, Any]:
        try:
            body, good = _run(request, asker, name, params, progress)
        except OnefoldError as error:
            return {"problem": error.to_problem()}
        finally:
            loop.call_soon_threadsafe(told.put_nowait, None)
        return {"answer": body, "good": good}

    running = asyncio.ensure_future(desk.ask(request, run))
    while (line := await told.get()) is not None:
        yield msgspec.json.encode(line) + b"\n"
    yield msgspec.json.encode(await running) + b"\n"


def _json(body: object) -> Response:
    return Response(
        msgspec.json.encode(body),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


routes = [
    Route("/metrics", _measured, methods=["GET"]),
    Route(f"{PREFIX}/openapi.json", _described, methods=["GET"]),
    Route(PREFIX + "/{name:path}", _called, methods=_METHODS),
]
"""What the house serves under `/api/v1`, and its measures."""
