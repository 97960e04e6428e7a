"""One stream for all tabs of a browser: the figures that they show, each told as it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import QueryParams
from starlette.routing import Route

from onefold.model.errors import BadInput
from onefold.web.desk import ask, signed_in
from onefold.web.live import still_allowed, streamed, streams_of
from onefold.web.pages import live, tail

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.web.live import Told

MOST = 24
"""So many figures a browser may look at; `shared.js` knows it too."""
_LONGEST = 2_000

_FIGURES: dict[str, Callable[[Request, QueryParams, Hashable], Told]] = {
    "/live/stream": live.told_of,
    "/data/tail/stream": tail.told_of,
}


@signed_in()
async def streams(request: Request) -> Response:
    """Tell of every figure asked for (`of`: the address of its own stream), until the browser goes.

    The id of a message is the address whose figure it tells.
    """
    addresses = tuple(dict.fromkeys(request.query_params.getlist("of")))
    if not 1 <= len(addresses) <= MOST or max(map(len, addresses)) > _LONGEST:
        message = f"A stream tells of 1 to {MOST} figures; {len(addresses)} are asked for."
        raise BadInput(message, "Name the address of each as `of`.")
    sight = await ask(request, request.app.state.workspace.sight, request.state.asker)
    told = {address: _told_at(request, address, sight) for address in addresses}
    found = streams_of(request.app)
    found.check_room()
    return streamed(found.listen_to(told, allowed=still_allowed(request, sight)))


routes = [Route("/streams", streams)]


def _told_at(request: Request, address: str, sight: Hashable) -> Told:
    parts = urlsplit(address)
    figure = _FIGURES.get(parts.path)
    # The address becomes a line of the stream.
    if figure is None or parts.netloc or not address.isprintable():
        raise BadInput("There is no figure at that address.", "Look at the page again.")
    return figure(request, QueryParams(parse_qsl(parts.query)), sight)
