"""What people did after an event, or before it: a step after another, each with its shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.model.time import duration_words, parse_duration
from onefold.runtime import call
from onefold.web.desk import signed_in
from onefold.web.drawing import interval
from onefold.web.pages import taking
from onefold.web.pages.explore_question import dimension_words
from onefold.web.pages.journeys import (
    BY,
    MOST_GROUPS,
    Address,
    answered,
    asked_terms,
    common,
    days_of,
    heard_of,
    named_rows,
    page_of,
    share_words,
    shared_filters,
    view_of,
)
from onefold.web.pages.of_whom import segment_labels
from onefold.web.pages.pinning import pinning
from onefold.web.wording import number, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

    Rows = Sequence[Mapping[str, Any]]

PATHS = "/explore/paths"
_DIRECTIONS = {"after": "after it", "before": "before it"}
_VISIT = "visit"
_WITHIN = (_VISIT, "10m", "2h", "1d", "7d")
_STEPS = ("2", "3", "4", "6", "10")
_TOP = ("3", "6", "12", "50")
_REPEATS = {"": "each is a step", "repeats": "in a row are one step"}
_WORDS = {"(other)": "other events", "(end)": "nothing further"}
_MOST_FLOWS = 60
"""So many rows have a bar; the others stand in what is taken along."""


@signed_in()
async def paths(request: Request) -> Response:
    """Show what people did after an event, or before it."""
    return await answered(request, paths_shown, "explore/paths.html", "Paths")


routes = [Route(PATHS, paths)]


def paths_shown(workspace: Workspace, asker: Asker, given: dict[str, str]) -> dict[str, Any]:
    """Return what the page shows for the paths of an address."""
    params = common(workspace, given) | {
        "event": given.get("event", ""),
        "direction": given.get("direction") or "after",
        "steps": given.get("steps") or "4",
        "within": given.get("within") or _VISIT,
        "top": given.get("top") or "6",
        "until": given.get("until", ""),
        "skip": given.get("skip", ""),
        "collapse": given.get("collapse", ""),
        "by": given.get("by", ""),
    }
    view = view_of(workspace, asker, params)
    heard = heard_of(view)
    params["event"] = params["event"] or (heard[0] if heard else "")
    filters = _filters(workspace, params, heard)
    if not params["event"]:
        return {**page_of(view, filters), "empty": True}
    asked = asked_terms(params) | {name: params[name] for name in _OWN}
    asked["skip"] = tuple(name for name in map(str.strip, params["skip"].split(",")) if name)
    body = call(workspace, asker, "paths", asked).body
    rows, by = named_rows(body), params["by"]
    groups = [str(row[by] or "unknown") for row in rows if not row["step"]] if by else []
    flows = [row for row in rows if row["former"] is not None]
    return {
        **page_of(view, filters, body),
        "question": f"What did people do {params['direction']} {params['event']}, "
        f"{days_of(params)}?",
        "answer": _answered(rows, params),
        "groups": groups[:MOST_GROUPS],
        "flow": _flow(rows, groups[:MOST_GROUPS], params),
        "columns": _columns(params),
        "rows": [_row(row, by) for row in flows[:_MOST_FLOWS]],
        "left": max(len(flows) - _MOST_FLOWS, 0),
        "empty": not rows,
        "heard": heard,
        "pin": pinning(workspace, asker, "paths", params),
        "ways": taking.ways_of("paths", params),
    }


_OWN = ("event", "direction", "steps", "within", "top", "until", "collapse", "by")


def _filters(
    workspace: Workspace, params: dict[str, str], heard: Sequence[str]
) -> list[dict[str, Any]]:
    address = Address(PATHS, params)

    def of(label: str, name: str, options: Sequence[str], **words: str) -> dict[str, Any]:
        known = dict.fromkeys((*options, params[name]))
        return address.filter(label, name, {one: words.get(one, one) for one in known})

    def event(label: str, name: str, none: str = "") -> dict[str, Any]:
        options = {one: one for one in dict.fromkeys((*heard, params[name])) if one}
        typed = address.form({"label": "Event", "name": name, "value": params[name]})
        return address.filter(label, name, ({"": none} if none else {}) | options, **typed)

    lengths = {
        one: "the same visit" if one == _VISIT else duration_words(parse_duration(one))
        for one in (*_WITHIN, params["within"])
    }
    field = {"label": "Events, apart by commas", "name": "skip", "value": params["skip"]}
    return [
        event("From", "event"),
        address.filter("What they did", "direction", _DIRECTIONS),
        of("Steps", "steps", _STEPS),
        address.filter("Within", "within", lengths),
        event("Until", "until", "no event"),
        address.filter("Leave out", "skip", {"": "no event"}, **address.form(field)),
        address.filter("Repeats", "collapse", _REPEATS),
        of("Events a step", "top", _TOP),
        address.filter("By", "by", {by: dimension_words(by) or "nothing" for by in BY}),
        *shared_filters(address, segment_labels(workspace)),
    ]


def _flow(rows: Rows, groups: Sequence[str], params: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return each step with its events, and of each the share of every group that did it."""
    by = params["by"]
    shown = [row for row in rows if row["former"] is None]
    found = []
    for step in sorted({row["step"] for row in shown if row["step"]}):
        here = [row for row in shown if row["step"] == step]
        events = sorted({row["event"] for row in here}, key=lambda name: _order(name, here))
        place = "next" if params["direction"] == "after" else "just before"
        found.append(
            {
                "name": f"Step {step}" + (f", {place}" if step == 1 else ""),
                "steps": [_bar(name, here, groups, by) for name in events],
            }
        )
    return found


def _order(name: str, here: Rows) -> tuple[object, ...]:
    people = sum(row["persons"] for row in here if row["event"] == name)
    return (name == "(end)", name == "(other)", -people, name)


def _bar(name: str, here: Rows, groups: Sequence[str], by: str) -> dict[str, Any]:
    mine = [row for row in here if row["event"] == name]
    people = sum(row["persons"] for row in mine)
    shares = {str(row[by] or "unknown") if by else "": row["share"] or 0.0 for row in mine}
    return {
        "name": _WORDS.get(name, name),
        "note": f"{number(people)} {'person' if people == 1 else 'people'}",
        "shares": [shares.get(group, 0.0) for group in groups or ("",)],
    }


def _answered(rows: Rows, params: Mapping[str, str]) -> str:
    begun = sum(row["persons"] for row in rows if not row["step"])
    if not begun:
        return f"Nobody did {params['event']} in these days."
    firsts: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["step"] == 1 and row["former"] is None:
            firsts.setdefault(row["event"], []).append(row)
    people = {name: sum(row["persons"] for row in mine) for name, mine in firsts.items()}
    ended = people.pop("(end)", 0)
    place = "next" if params["direction"] == "after" else "just before"
    rest = f"{share(ended / begun)} did nothing {'further' if place == 'next' else 'before'}"
    people.pop("(other)", None)
    who = f"Of {number(begun)} {'person' if begun == 1 else 'people'}"
    if not people:
        return f"{who}, {rest}."
    most = min(people, key=lambda name: (-people[name], name))
    row = firsts[most][0]
    reach = ""
    if not params["by"] and row["low"] is not None:
        reach = f" ({share(row['low'])} to {share(row['high'])})"
    return f"{who}, {share(people[most] / begun)}{reach} did {most} {place}; {rest}."


def _columns(params: Mapping[str, str]) -> list[object]:
    names = ("People", "Of those", "Of all", "Low", "High")
    return [
        *([dimension_words(params["by"]).capitalize()] if params["by"] else []),
        "Step",
        "From" if params["direction"] == "after" else "Led to",
        "To" if params["direction"] == "after" else "From",
        *({"label": name, "kind": "number"} for name in names),
        {"label": "Range, 0 to 100%", "kind": "bar"},
    ]


def _row(row: Mapping[str, Any], by: str) -> list[object]:
    head = [str(row[by] or "unknown")] if by else []
    names = [_WORDS.get(row[part], row[part]) for part in ("former", "event")]
    ends = [share_words(row[part]) for part in ("of_former", "share", "low", "high")]
    bar: object = f"Not enough data: {row['n']} of 30"
    if row["low"] is not None and row["high"] is not None:
        bar = interval(
            row["share"],
            row["low"],
            row["high"],
            axis=(0.0, 1.0),
            reference=None,
            unit="%",
            scale=100.0,
        )
    return [*head, str(row["step"]), *names, number(row["persons"]), *ends, bar]
