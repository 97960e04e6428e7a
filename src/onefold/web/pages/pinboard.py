"""The pinboard: a small market page that sends events by the unmodified browser SDK.

It belongs to a demo alone and is open to everybody, as a shop window is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup
from starlette.routing import Route

from onefold.collect import sources
from onefold.model.errors import NotFound
from onefold.web.desk import ask, page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.runtime import Workspace

SHOWN = 24
EVERY_SO_MANY = 6
"""An advertisement stands after every so many pins."""

RELATED = 8
LONGEST_QUERY = 100

Pin = dict[str, Any]


async def pinboard(request: Request) -> Response:
    """Show pins to browse, search, open and save; nobody needs to sign in."""
    workspace = request.app.state.workspace
    content, write_key = await ask(request, _open, workspace)
    shown = shown_of(content, request.query_params)
    return page(request, "pinboard.html", title="Pinboard", write_key=write_key, **shown)


routes = [Route("/pinboard", pinboard)]


def _open(workspace: Workspace) -> tuple[dict[str, Any], str]:
    return read(workspace.folder), sources.list_sources(workspace.state)[0].write_key


def read(folder: Path) -> dict[str, Any]:
    """Return the content of the pinboard.

    Raises:
        NotFound: The workspace is no demo.
    """
    try:
        content: dict[str, Any] = json.loads((folder / "demo" / "pinboard.json").read_text("utf-8"))
    except OSError as error:
        message = "There is no pinboard here."
        raise NotFound(message, "Only a demo has one: run `onefold demo`.") from error
    return content


def shown_of(content: Mapping[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
    """Return what the page shows for an address: all, a search, one pin, or one board."""
    query = params.get("q", "").strip()[:LONGEST_QUERY]
    pins: list[Pin] = content["items"]
    by_id = {pin["item_id"]: pin for pin in pins}
    boards = content["boards"]
    common = {
        "boards": boards,
        "query": query,
        "queries": content["queries"][:6],
        "opened": None,
        "board": None,
    }
    if params.get("pin") in by_id:
        opened = by_id[params["pin"]]
        related = [pin for pin in pins if pin["topic"] == opened["topic"] and pin is not opened]
        cards = _cards(related[:RELATED], [], "related_pins", query)
        return common | {
            "opened": _card(opened, "related_pins", query),
            "cards": cards,
            "surface": "related_pins",
        }
    board = next((each for each in boards if each["board_id"] == params.get("board")), None)
    if board is not None:
        chosen = [by_id[item] for item in board["item_ids"] if item in by_id]
        cards = _cards(chosen, content["ads"][-2:], "board_suggestions", "")
        return common | {"board": board, "cards": cards, "surface": "board_suggestions"}
    if query:
        found = matching(pins, query)
        cards = _cards(found[:SHOWN], content["ads"], "search_results", query)
        return common | {"cards": cards, "surface": "search_results", "results": len(found)}
    return common | {
        "cards": _cards(pins[:SHOWN], content["ads"], "home_feed", ""),
        "surface": "home_feed",
    }


def matching(pins: Sequence[Pin], query: str) -> list[Pin]:
    """Return the pins with any word of a query in title, topic or creator, the best first."""
    words = [word for word in query.lower().split() if word]

    def score(pin: Pin) -> int:
        text = f"{pin['title']} {pin['topic']} {pin['creator']}".lower()
        return sum(word in text for word in words)

    ranked = sorted(
        ((score(pin), place) for place, pin in enumerate(pins)),
        key=lambda each: (-each[0], each[1]),
    )
    return [pins[place] for found, place in ranked if found]


def _cards(
    pins: Sequence[Pin], ads: Sequence[Pin], surface: str, query: str
) -> list[dict[str, Any]]:
    """Return cards in order, an advertisement after every few pins."""
    cards: list[dict[str, Any]] = []
    waiting = list(ads)
    for place, pin in enumerate(pins, start=1):
        cards.append(_card(pin, surface, query))
        if waiting and (place % EVERY_SO_MANY == 0 or place == len(pins) < EVERY_SO_MANY):
            cards.append(_ad_card(waiting.pop(0), surface))
    return cards


def _card(pin: Pin, surface: str, query: str) -> dict[str, Any]:
    told = {"item_id": pin["item_id"], "creator_id": pin["creator_id"], "surface": surface}
    address = f"/pinboard?pin={quote(pin['item_id'])}" + (f"&q={quote(query)}" if query else "")
    return {
        "kind": "pin",
        "title": pin["title"],
        "by": pin["creator"],
        "picture": Markup(pin["svg"]),  # noqa: S704 - drawn by our own simulate, no text of a visitor
        "href": address,
        "seen": told,
        "opened": told | ({"query": query} if query else {}),
        "saved": told,
        "item_id": pin["item_id"],
    }


def _ad_card(ad: Pin, surface: str) -> dict[str, Any]:
    told = {name: ad[name] for name in ("campaign_id", "account_id", "item_id")} | {
        "surface": surface
    }
    paid = {"revenue": ad["revenue"], "currency": ad["currency"]}
    return {
        "kind": "ad",
        "title": ad["title"],
        "by": ad["advertiser"],
        "picture": Markup(ad["svg"]),  # noqa: S704 - see above
        "campaign_id": ad["campaign_id"],
        "live": f"/live/{quote(ad['campaign_id'], safe='')}",
        "seen": told,
        "clicked": told | paid,
    }
