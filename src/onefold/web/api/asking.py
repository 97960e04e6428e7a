"""Who asks the API: the owner through the socket, an API key, a session of the browser."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from onefold.model.records import Asker
from onefold.runtime import asker_named
from onefold.web import desk

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

OWNER_MARK = "onefold.owner"


def owner_door(app: App) -> App:
    """Return the app as it answers on the owner's socket: whoever may open that is the owner."""

    async def marked(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope = {**scope, OWNER_MARK: True}
        await app(scope, receive, send)

    return marked


def is_owner(request: Request) -> bool:
    """Return whether the request came through the owner's socket."""
    return bool(request.scope.get(OWNER_MARK))


def asker_of(request: Request) -> Asker:
    """Return who asks.

    Raises:
        NotSignedIn: Nobody is known to ask.
        NotAllowed: A browser changes something without its token.
    """
    if not is_owner(request):
        return desk.asker_of(request)
    user = request.headers.get("onefold-as")
    return asker_named(request.app.state.workspace, unquote(user) if user else None)
