"""How something is spread over people: how many did it once, twice, often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

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

DISTRIBUTION = "/explore/distribution"
_FIGURES = {"median": "Half come to at most", "p90": "Nine of ten come to at most"}


@signed_in()
async def distribution(request: Request) -> Response:
    """Show how often people did something, or what it adds up to."""
    return await answered(request, distribution_shown, "explore/distribution.html", "Distribution")


routes = [Route(DISTRIBUTION, distribution)]


def distribution_shown(workspace: Workspace, asker: Asker, given: dict[str, str]) -> dict[str, Any]:
    """Return what the page shows for the distribution of an address."""
    own = {name: given.get(name, "") for name in ("event", "of", "edges", "by")}
    params = common(workspace, given) | own
    view = view_of(workspace, asker, params)
    heard = heard_of(view)
    params["event"] = params["event"] or (heard[0] if heard else "")
    filters = _filters(workspace, params, heard)
    if not params["event"]:
        return {**page_of(view, filters), "empty": True}
    asked = asked_terms(params) | {name: params[name] for name in ("event", "of", "by")}
    asked["edges"] = tuple(one for one in map(str.strip, params["edges"].split(",")) if one)
    body = call(workspace, asker, "distribution", asked).body
    rows, by = named_rows(body), params["by"]
    groups = list(dict.fromkeys(_group(row, by) for row in rows)) if by else []
    shares = [row for row in rows if row["figure"] == "share"]
    most = max((row["high"] or row["value"] or 0.0 for row in shares), default=0.0) or 1.0
    head = [dimension_words(by).capitalize()] if by else []
    what = f"How much {params['of']} of" if params["of"] else "How often"
    return {
        **page_of(view, filters, body),
        "question": f"{what} {params['event']} is there by person, {days_of(params)}?",
        "answer": _answered(rows, params),
        "groups": groups[:MOST_GROUPS],
        "steps": _bars(shares, groups[:MOST_GROUPS], params),
        "columns": [
            *head,
            _measure(params).capitalize(),
            *({"label": name, "kind": "number"} for name in ("People", "Share", "Low", "High")),
            {"label": f"Range, 0 to {share(most, 0)}", "kind": "bar"},
        ],
        "rows": [_row(row, params, most) for row in shares],
        "middle_columns": [
            *head,
            "Figure",
            *(
                {"label": name, "kind": "number"}
                for name in (_measure(params).capitalize(), "Low", "High")
            ),
            {"label": "People", "kind": "number"},
        ],
        "middle_rows": [_middle_row(row, params) for row in rows if row["figure"] != "share"],
        "empty": not rows,
        "heard": heard,
        "pin": pinning(workspace, asker, "distribution", params),
        "ways": taking.ways_of("distribution", params),
    }


def _filters(
    workspace: Workspace, params: dict[str, str], heard: Sequence[str]
) -> list[dict[str, Any]]:
    address = Address(DISTRIBUTION, params)
    events = {one: one for one in dict.fromkeys((*heard, params["event"])) if one}
    typed = address.form({"label": "Event", "name": "event", "value": params["event"]})
    of = address.form({"label": "A number of it", "name": "of", "value": params["of"]})
    field = {"label": "Numbers, apart by commas", "name": "edges", "value": params["edges"]}
    return [
        address.filter("Of event", "event", events, **typed),
        address.filter("Added up", "of", {"": "how often"}, **of),
        address.filter("Edges", "edges", {"": "round numbers"}, **address.form(field)),
        address.filter("By", "by", {by: dimension_words(by) or "nothing" for by in BY}),
        *shared_filters(address, segment_labels(workspace)),
    ]


def _measure(params: Mapping[str, str]) -> str:
    return params["of"] or "times"


def _group(row: Mapping[str, Any], by: str) -> str:
    return str(row[by] or "unknown") if by else ""


def bucket_words(least: float | None, below: float | None, *, whole: bool) -> str:
    """Return a bucket in words; with `whole` it is of whole numbers.

    >>> bucket_words(1, 2, whole=True), bucket_words(6, 11, whole=True)
    ('1', '6 to 10')
    >>> bucket_words(0.5, 1, whole=False), bucket_words(None, 0, whole=False)
    ('0.5 to below 1', 'below 0')
    """
    if least is None:
        return f"below {_number(below)}"
    if below is None:
        return f"{_number(least)} or more"
    if whole and least == int(least) and below == int(below):
        last = below - 1
        return _number(least) if last == least else f"{_number(least)} to {_number(last)}"
    return f"{_number(least)} to below {_number(below)}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return number(value) if value == int(value) else f"{value:,.6f}".rstrip("0").rstrip(".")


def _answered(rows: Rows, params: Mapping[str, str]) -> str:
    by, event = params["by"], params["event"]
    if not rows:
        return f"Nobody did {event} in these days{' with such a number' if params['of'] else ''}."
    medians = [row for row in rows if row["figure"] == "median"]
    unit = params["of"] or ("time" if medians[0]["value"] == 1 else "times")
    if by and len(medians) > 1:
        most = max(medians, key=lambda row: (row["value"], row["n"]))
        return f"Most by half: {_group(most, by)}, at least {_number(most['value'])} {unit}."
    one, tenth = medians[0], next(row for row in rows if row["figure"] == "p90")
    reach = ""
    if one["low"] is not None and one["high"] is not None:
        reach = f" ({_number(one['low'])} to {_number(one['high'])})"
    people = "person" if one["people"] == 1 else "people"
    return (
        f"Of {number(one['people'])} {people} who did {event}, half come to at most "
        f"{_number(one['value'])} {unit}{reach} and nine of ten to at most "
        f"{_number(tenth['value'])}."
    )


def _bars(shares: Rows, groups: Sequence[str], params: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return each bucket with the share of every group that is in it."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in shares:
        name = bucket_words(row["at_least"], row["below"], whole=not params["of"])
        found.setdefault(name, {})[_group(row, params["by"])] = row
    bars = []
    for name, mine in found.items():
        people = sum(row["people"] for row in mine.values())
        each = [mine[group]["value"] or 0.0 if group in mine else 0.0 for group in groups or ("",)]
        note = f"{number(people)} {'person' if people == 1 else 'people'}"
        bars.append({"name": name, "note": note, "shares": each})
    return bars


def _row(row: Mapping[str, Any], params: Mapping[str, str], most: float) -> list[object]:
    by = params["by"]
    head: list[object] = [_group(row, by)] if by else []
    words = bucket_words(row["at_least"], row["below"], whole=not params["of"])
    bar: object = f"Not enough data: {row['n']} of 30"
    if row["low"] is not None and row["high"] is not None:
        bar = interval(
            row["value"],
            row["low"],
            row["high"],
            axis=(0.0, most),
            reference=None,
            unit="%",
            scale=100.0,
        )
    ends = [share_words(row[name]) for name in ("value", "low", "high")]
    return [*head, words, number(row["people"]), *ends, bar]


def _middle_row(row: Mapping[str, Any], params: Mapping[str, str]) -> list[object]:
    head: list[object] = [_group(row, params["by"])] if params["by"] else []
    ends = [_number(row[name]) for name in ("value", "low", "high")]
    return [*head, _FIGURES[row["figure"]], *ends, number(row["people"])]
