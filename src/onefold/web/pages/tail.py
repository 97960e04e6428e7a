"""The live tail: what comes in this moment, each message with its verdict and its way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.routing import Route

from onefold.collect import Catalogue, catalogues, sources
from onefold.metrics import load_metrics
from onefold.model.errors import BadInput
from onefold.model.records import MARKS, Question
from onefold.model.time import SECOND
from onefold.model.words import plural
from onefold.web import rendering, wording
from onefold.web.desk import ask, page, signed_in
from onefold.web.live import Told, still_allowed, streamed, streams_of
from onefold.web.wording import coded, lag, number, watch

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

tail = catalogues.tail

ENVIRONMENTS = ("production", "staging", "development")
_MOST_NAMES = 30
_LONGEST = 200
_WORDS = {
    tail.COUNTS: ("counts", ""),
    tail.WAITS: ("waits", "watch"),
    tail.AGAIN: ("sent again", ""),
    tail.LEFT_OUT: ("left out by consent", ""),
    tail.NO_CUSTOMER: ("no customer's", ""),
    tail.ON_ITS_WAY: ("on its way", ""),
}
_BASES = {
    "sent": "as the sender says",
    "corrected": "as the sender says, its clock corrected",
    "received": "the sender says no time, so when it came",
    "future": "the sender says a day ahead or more, so when it came",
}


@signed_in()
async def tail_page(request: Request) -> Response:
    """Show the newest messages, and the way of one of them."""
    workspace, asker = request.app.state.workspace, request.state.asker
    chosen = _chosen(request.query_params)
    shown = await ask(request, _now, workspace, asker, chosen)
    shown |= await ask(
        request, _beside, workspace, asker, chosen, request.query_params.get("at", "")
    )
    return page(
        request,
        "data/tail.html",
        here="Data",
        title="Live tail",
        stream="/data/tail/stream?" + urlencode(chosen),
        **shown,
    )


@signed_in()
async def stream(request: Request) -> Response:
    """Tell a page of every new message, until it goes."""
    sight = await ask(request, request.app.state.workspace.sight, request.state.asker)
    told = told_of(request, request.query_params, sight)
    streams = streams_of(request.app)
    streams.check_room()
    allowed = still_allowed(request, sight)
    return streamed(streams.listen(told.key, told.answer, allowed=allowed))


def told_of(request: Request, given: QueryParams, sight: Hashable) -> Told:
    """Return what a page is told of: the newest messages under its filters."""
    workspace, asker, chosen = request.app.state.workspace, request.state.asker, _chosen(given)

    def answer() -> dict[str, Any]:
        shown = _now(workspace, asker, chosen)
        html = rendering.render("data/tail_told.html", shown)
        return {"html": html, "now": shown["now"], "fresh_time": shown["fresh_time"]}

    return Told(("tail", *sorted(chosen.items()), asker.role, asker.scopes, sight), answer)


routes = [Route("/data/tail", tail_page), Route("/data/tail/stream", stream)]


def _chosen(given: QueryParams) -> dict[str, str]:
    """Return the filters of an address; what is none of the words is left out."""
    known = {"verdict": tail.VERDICTS, "environment": ENVIRONMENTS}
    found = {name: given.get(name, "")[:_LONGEST] for name in ("source", "event")}
    found |= {
        name: given.get(name, "") if given.get(name) in words else ""
        for name, words in known.items()
    }
    return {name: value for name, value in found.items() if value}


def read_of(workspace: Workspace, asker: Asker, chosen: Mapping[str, str]) -> catalogues.tail.Tail:
    """Return where the tail is read, and by what terms."""
    offset = workspace.facts_offset
    question = Question(asker=asker, environment=chosen.get("environment", ENVIRONMENTS[0]))
    try:
        catalogue = Catalogue.read(workspace.definitions / "events")
    except BadInput:
        catalogue = Catalogue()
    return tail.Tail(
        log=workspace.log,
        view=workspace.view(question),
        whole=workspace.view(replace(question, include=frozenset(MARKS))),
        facts_offset=offset,
        identity_key=workspace.identity_key,
        catalogue=catalogue,
        limited=not workspace.sight(asker).whole,
    )


def _now(workspace: Workspace, asker: Asker, chosen: Mapping[str, str]) -> dict[str, Any]:
    """Return what the stream tells: the answer and the newest messages."""
    read = read_of(workspace, asker, chosen)
    found = tail.newest(
        read,
        source=chosen.get("source", ""),
        event=chosen.get("event", ""),
        verdict=chosen.get("verdict", ""),
    )
    view = read.view
    return {
        "now": view.now,
        "fresh_time": view.fresh_time,
        "fresh": wording.freshness(view.fresh_time, view.now, zone=view.zone, label="Live"),
        "question": "What comes in right now?",
        "answer": answer_of(found, view.now),
        "rows": [message_row(one, view.zone, chosen) for one in found],
        "zone": view.zone,
    }


def _beside(
    workspace: Workspace, asker: Asker, chosen: Mapping[str, str], at: str
) -> dict[str, Any]:
    """Return what stands beside the messages: the filters, and the way of the one chosen."""
    read = read_of(workspace, asker, chosen)
    offset, _, place = at.partition(".")
    one = None
    if all(part.isascii() and part.isdigit() and len(part) < 16 for part in (offset, place)):
        found = tail.message_at(read, int(offset), int(place))
        one = way_of(found, workspace, read) if found else None
    return {
        "filters": _filters(workspace, read.catalogue, chosen),
        "one": one,
        "gone": bool(at) and one is None,
    }


def answer_of(found: tuple[catalogues.tail.Message, ...], now: int) -> list[object]:
    """Return the page's answer, in pieces."""
    if not found:
        return ["Nothing of that came lately."]
    last = max(0, now - found[0].received_time) / SECOND
    waiting = sum(one.verdict == tail.WAITS for one in found)
    told: list[object] = [f"The last message came {lag(last)} ago"]
    if waiting:
        told += ["; of the newest ", number(len(found)), " ", watch(f"{number(waiting)} wait")]
    return [*told, "."]


def message_row(
    one: catalogues.tail.Message, zone: str, chosen: Mapping[str, str]
) -> dict[str, object]:
    """Return the row of one message; it leads to its way."""
    word, tone = _WORDS[one.verdict]
    place = f"{one.offset}.{one.place}"
    where = urlencode({**chosen, "at": place})
    key = one.user_key if one.user_key is not None else one.anonymous_key
    delay = (one.received_time - one.event_time) / SECOND
    return {
        "cells": [
            {"href": f"?{where}#way", "label": one.event or one.kind},
            {"tag": word, "tone": tone},
            coded(one.reason) if one.reason else None,
            key_words(key),
            one.source,
            f"{wording.clock(one.received_time, zone)}",
            lag(delay) if delay >= 1 else "at once",
            place,
        ]
    }


def key_words(key: int | None) -> str | None:
    """Return a key of an identifier as it is written; never the identifier.

    >>> key_words(-1), key_words(None)
    ('ffffffffffffffff', None)
    """
    return None if key is None else f"{key & 0xFFFFFFFFFFFFFFFF:016x}"


def way_of(
    one: catalogues.tail.Message, workspace: Workspace, read: catalogues.tail.Tail
) -> dict[str, Any]:
    """Return the way of one message through the system, step by step."""
    zone = read.view.zone
    folded = one.offset <= read.facts_offset
    generation = workspace.folds.generation.folder.name
    word, _ = _WORDS[one.verdict]
    moved = [
        metric.label
        for metric in load_metrics(workspace.definitions / "metrics").values()
        if any(one.event in term.events for term in metric.terms)
    ]
    counts = one.verdict in {tail.COUNTS, tail.ON_ITS_WAY}
    figures = ", ".join(moved) or "no metric names this event; it counts in sessions and journeys"
    steps = [
        (
            "It was true",
            f"{wording.moment(one.event_time, zone)}: {_BASES.get(one.basis, one.basis)}",
        ),
        (
            "At the door",
            f"{wording.moment(one.received_time, zone)}, from {one.source}, as {one.dialect} "
            f"{one.route}" + (f", trace {one.trace}" if one.trace else ""),
        ),
        ("In the log", f"offset {number(one.offset)}, place {one.place} of its request"),
        ("Verdict", f"{word}" + (f": {one.reason}" if one.reason else "")),
        (
            "In the facts",
            f"{generation} has read up to offset {number(read.facts_offset)}"
            if folded
            else f"not yet: {generation} has read up to offset {number(read.facts_offset)}",
        ),
        ("Who", _who(one)),
        ("Moves", figures if counts else "no figure, as it does not count here"),
    ]
    return {
        "name": one.event or one.kind,
        "trace": one.trace,
        "steps": [(term, coded(words)) for term, words in steps],
        "text": one.properties,
    }


def _who(one: catalogues.tail.Message) -> str:
    keys = [
        f"{name} {key_words(key)}"
        for name, key in (("user", one.user_key), ("anonymous", one.anonymous_key))
        if key is not None
    ]
    return ", ".join(keys) or "nobody, or consent does not let anybody know"


def _filters(
    workspace: Workspace, catalogue: Catalogue, chosen: Mapping[str, str]
) -> list[dict[str, object]]:
    names = list(dict.fromkeys([*filter(None, [chosen.get("event")]), *catalogue.events]))
    options = {
        "source": [one.name for one in sources.list_sources(workspace.state)],
        "event": names[:_MOST_NAMES],
        "verdict": list(tail.VERDICTS),
        "environment": list(ENVIRONMENTS),
    }
    return [_filter(name, values, chosen) for name, values in options.items()]


def _filter(name: str, values: list[str], chosen: Mapping[str, str]) -> dict[str, object]:
    everything = {"environment": "production"}.get(name, "any")
    now = chosen.get(name, "")
    words = {value: _WORDS[value][0] if name == "verdict" else value for value in values}
    rest = {key: value for key, value in chosen.items() if key != name}
    offered = [("", everything)] + [(v, w) for v, w in words.items() if w != everything]
    return {
        "label": name.capitalize(),
        "value": words.get(now, now) or everything,
        "options": [
            {
                "label": label,
                "href": "?" + urlencode(rest | ({name: value} if value else {})),
                "current": value == now,
            }
            for value, label in offered
        ],
        "note": plural(len(values), "event") + " described" if name == "event" else "",
    }
