"""Who went through some events, and who came back: two questions, each whole in its address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.routing import Route

from onefold.collect import catalogues, questions
from onefold.consent import PURPOSES
from onefold.model.errors import OnefoldError
from onefold.model.records import Question
from onefold.model.time import DAY, day_of, day_start, duration_words, parse_date, parse_duration
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web import wording
from onefold.web.desk import ask, page, signed_in
from onefold.web.pages import taking
from onefold.web.pages.explore_question import dimension_words, span_words
from onefold.web.pages.of_whom import of_whom, segment_labels
from onefold.web.pages.pinning import pinning
from onefold.web.pages.took import took_shown
from onefold.web.pages.traffic import LetIn, Traffic, let_in
from onefold.web.wording import number, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace
    from onefold.store import View

FUNNEL, RETENTION = "/explore/funnel", "/explore/retention"
_WITHIN = ("30m", "1h", "1d", "7d", "30d")
EVERY = ("day", "week", "month")
_KINDS = {"bounded": "in just that period", "rolling": "in that period or later"}
BY = ("", "source", "channel", "browser", "system", "device", "country")
_WEEKS = 4
_LOOKED_AT = 28 * DAY
_FIRST_STEPS = 3
MOST_GROUPS = 6
"""So many groups have a bar of their own; the rest stand in the table."""


@dataclass(frozen=True, slots=True)
class Address:
    """A question of one of the two pages, as its address has it."""

    path: str
    params: Mapping[str, str]

    def __call__(self, **changed: str) -> str:
        """Return the address with some parts changed; empty ones go."""
        parts = {**self.params, **changed}
        return f"{self.path}?{urlencode({name: each for name, each in parts.items() if each})}"

    def filter(
        self, label: str, name: str, options: Mapping[str, str], **more: object
    ) -> dict[str, Any]:
        """Return the filter of one part: its values with their words."""
        chosen = self.params.get(name, "")
        return {
            "label": label,
            "value": options.get(chosen, chosen),
            "options": [
                {"label": words, "href": self(**{name: value}), "current": value == chosen}
                for value, words in options.items()
            ],
            **more,
        }

    def form(self, *fields: Mapping[str, str]) -> dict[str, object]:
        """Return what makes a filter one to type in; the other parts stay."""
        named = {field["name"] for field in fields}
        kept = {name: each for name, each in self.params.items() if each and name not in named}
        return {"fields": list(fields), "kept": kept, "action": self.path}


@signed_in()
async def funnel(request: Request) -> Response:
    """Show how many people went how far through some events."""
    return await answered(request, _funnel_with_times, "explore/funnel.html", "Funnel")


@signed_in()
async def retention(request: Request) -> Response:
    """Show who came back after the first time, by cohort."""
    return await answered(request, retention_shown, "explore/retention.html", "Retention")


routes = [Route(FUNNEL, funnel), Route(RETENTION, retention)]


async def answered(request: Request, shown_by: Any, template: str, title: str) -> Response:
    """Return the page of a question, or of why it cannot be answered."""
    workspace, asker = request.app.state.workspace, request.state.asker
    params = dict(request.query_params)
    try:
        shown = await ask(request, shown_by, workspace, asker, params)
    except OnefoldError as error:
        ways = [{"label": "Ask the first question", "href": request.url.path}]
        trouble = {"words": error.message, "fix": error.fix, "ways": ways}
        shown = {"status": error.status, "trouble": trouble}
    return page(request, template, here="Explore", **({"title": title} | shown))


def funnel_shown(workspace: Workspace, asker: Asker, given: dict[str, str]) -> dict[str, Any]:
    """Return what the page shows for the funnel of an address."""
    params = common(workspace, given) | {
        "events": given.get("events", ""),
        "within": given.get("within") or "7d",
        "by": given.get("by", ""),
    }
    view = view_of(workspace, asker, params)
    heard = heard_of(view)
    events = _names(params["events"]) or heard[:_FIRST_STEPS]
    params["events"] = ", ".join(events)
    address = Address(FUNNEL, params)
    planned = catalogues.audits.load_journeys(workspace.definitions / "journeys")
    filters = [
        _steps_filter(address, {", ".join(one.steps): one.label for one in planned}),
        address.filter(
            "Within", "within", {one: _length(one) for one in (*_WITHIN, params["within"])}
        ),
        address.filter("By", "by", {by: dimension_words(by) or "nothing" for by in BY}),
        *shared_filters(address, segment_labels(workspace)),
    ]
    if len(heard) < 2 and not given.get("events"):
        return {**page_of(view, filters), "empty": True}
    asked = {**asked_terms(params), "within": params["within"], "by": params["by"] or None}
    asked["events"] = tuple(events)
    body = call(workspace, asker, "funnel", asked).body
    rows = named_rows(body)
    return {
        **page_of(view, filters, body),
        "asked": asked,
        "heard": heard,
        "question": f"Who went through {' → '.join(events)}, {days_of(params)}?",
        "answer": _went(rows, events, params),
        "groups": _groups(rows, params["by"])[:MOST_GROUPS],
        "steps": _bars(rows, events, params["by"]),
        "columns": _funnel_columns(params["by"]),
        "rows": [_funnel_row(row, params["by"]) for row in rows],
        "empty": False,
        "pin": pinning(workspace, asker, "funnel", params),
        "ways": taking.ways_of("funnel", params),
    }


def _funnel_with_times(workspace: Workspace, asker: Asker, given: dict[str, str]) -> dict[str, Any]:
    """Return what the page of a funnel shows, with how long people took."""
    shown = funnel_shown(workspace, asker, given)
    if shown["empty"]:
        return shown
    body = call(workspace, asker, "funnel times", shown["asked"]).body
    by = given.get("by", "")
    return {**shown, **took_shown(body, named_rows(body), by, most_groups=MOST_GROUPS)}


def retention_shown(workspace: Workspace, asker: Asker, given: dict[str, str]) -> dict[str, Any]:
    """Return what the page shows for the retention of an address."""
    params = common(workspace, given) | {
        "start": given.get("start", ""),
        "return": given.get("return", ""),
        "every": given.get("every") or "week",
        "kind": given.get("kind") or "bounded",
    }
    view = view_of(workspace, asker, params)
    heard = heard_of(view)
    if not params["start"] and heard:
        params["start"] = heard[0]
    params["return"] = params["return"] or params["start"]
    address = Address(RETENTION, params)
    names = {"start": "After the first", "return": "Came back with"}
    filters = [
        *(
            address.filter(
                label,
                name,
                {one: one for one in dict.fromkeys((*heard, params[name]))},
                **address.form({"label": "Event", "name": name, "value": params[name]}),
            )
            for name, label in names.items()
        ),
        address.filter("Every", "every", {one: one for one in EVERY}),
        address.filter("Counted", "kind", _KINDS),
        *shared_filters(address, segment_labels(workspace)),
    ]
    if not params["start"]:
        return {**page_of(view, filters), "empty": True}
    asked = asked_terms(params) | {
        part: params[part] for part in ("start", "return", "every", "kind")
    }
    body = call(workspace, asker, "retention", asked).body
    rows = named_rows(body)
    return {
        **page_of(view, filters, body),
        "heard": heard,
        "question": f"Who came back after their first {params['start']}, {days_of(params)}?",
        "answer": _came(rows, params),
        "every": params["every"],
        "periods": [f"{params['every'].capitalize()} {n}" for n in range(1, len(_cohorts(rows)))],
        "cohorts": _cohorts(rows),
        "columns": [
            "Cohort",
            {"label": "People", "kind": "number"},
            {"label": params["every"].capitalize(), "kind": "number"},
            {"label": "Came back", "kind": "number"},
            {"label": "Share", "kind": "number"},
            {"label": "Low", "kind": "number"},
            {"label": "High", "kind": "number"},
            "Whole",
        ],
        "rows": [_retention_row(row) for row in rows if row["period"]],
        "empty": not any(row["people"] for row in rows),
        "pin": pinning(workspace, asker, "retention", params),
        "ways": taking.ways_of("retention", params),
    }


def common(workspace: Workspace, given: Mapping[str, str]) -> dict[str, str]:
    """Return the parts that both questions have; what is left out takes a sensible value."""
    today = day_of(workspace.clock(), workspace.settings.zone)
    after = parse_date(given["to"]) if given.get("to") else today
    first = parse_date(given["from"]) if given.get("from") else after - timedelta(weeks=_WEEKS)
    return {
        "from": first.isoformat(),
        "to": after.isoformat(),
        "purpose": given.get("purpose") or "analytics",
        "include": let_in(given).text,
        "segment": given.get("segment", ""),
    }


def asked_terms(params: Mapping[str, str]) -> dict[str, Any]:
    """Return the terms and days that all questions take."""
    return {part: params[part] for part in ("from", "to", "purpose", "include", "segment")}


def view_of(workspace: Workspace, asker: Asker, params: Mapping[str, str]) -> View:
    """Return the View under the terms of an address."""
    include = LetIn(params["include"]).marks
    return workspace.view(Question(asker=asker, purpose=params["purpose"], include=include))


def heard_of(view: View) -> list[str]:
    """Return the events of the last weeks, the most frequent first."""
    after = day_start(day_of(view.now, view.zone), view.zone) + DAY
    seen = questions.seen_events(view, after - _LOOKED_AT, after)
    return [one.event for one in sorted(seen, key=lambda one: (-sum(one.days), one.event))]


def _names(text: str) -> list[str]:
    return [name for name in map(str.strip, text.split(",")) if name]


def _length(text: str) -> str:
    return duration_words(parse_duration(text))


def days_of(params: Mapping[str, str]) -> str:
    """Return the days of an address in words."""
    return span_words(parse_date(params["from"]), parse_date(params["to"]))


def _steps_filter(address: Address, planned: Mapping[str, str]) -> dict[str, Any]:
    field = {"label": "Events in order, apart by commas", "name": "events"}
    typed = address.form({**field, "value": address.params["events"]})
    note = "" if planned else "Journeys of definitions/journeys stand here."
    return address.filter("Steps", "events", planned, note=note, **typed)


def shared_filters(address: Address, segments: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the filters that all questions have: of whom, days, purpose, traffic."""
    params = address.params
    days = address.form(
        {"label": "From", "name": "from", "type": "date", "value": params["from"]},
        {"label": "To, left out itself", "name": "to", "type": "date", "value": params["to"]},
    )
    rest = {name: value for name, value in params.items() if name != "include"}
    note = "" if segments else "Segments that are made stand here."
    return [
        address.filter("Of", "segment", of_whom(segments, params["segment"]), note=note),
        {"label": "Days", "value": days_of(params), **days},
        address.filter("Purpose", "purpose", {one: one for one in PURPOSES}),
        Traffic(LetIn(params["include"]), address.path, rest).control(),
    ]


def page_of(
    view: View, filters: list[dict[str, Any]], body: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return what every page of a question shows: filters, freshness, how it is counted."""
    found: dict[str, Any] = {
        "filters": filters,
        "fresh": wording.freshness(view.fresh_time, view.now, zone=view.zone),
    }
    if body is not None:
        left = body["excluded_by_consent"]
        words = f"{plural(left, 'event')} of these days, by consent" if left else "No event"
        found["counted"] = [("Definition", body["definition"]), ("Left out", words)]
        found["notes"], found["query"] = body["notes"], body["query"]
    return found


def named_rows(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a tabular answer, each by the names of its columns."""
    names = [column["name"] for column in body["columns"]]
    return [dict(zip(names, row, strict=True)) for row in body["rows"]]


def _groups(rows: Sequence[Mapping[str, Any]], by: str) -> list[str]:
    return [str(row[by] or "unknown") for row in rows if row["step"] == 1] if by else []


def _bars(
    rows: Sequence[Mapping[str, Any]], events: Sequence[str], by: str
) -> list[dict[str, Any]]:
    """Return each step with the share of each group that came to it."""
    found = []
    for place, event in enumerate(events, start=1):
        here = [row for row in rows if row["step"] == place][: MOST_GROUPS if by else 1]
        came = sum(row["persons"] for row in here)
        note = "" if by else f"{number(came)} {'person' if came == 1 else 'people'}"
        found.append({"name": event, "note": note, "shares": [row["share"] or 0.0 for row in here]})
    return found if rows else []


def _went(
    rows: Sequence[Mapping[str, Any]], events: Sequence[str], params: Mapping[str, str]
) -> str:
    firsts = sum(row["persons"] for row in rows if row["step"] == 1)
    lasts = [row for row in rows if row["step"] == len(events)]
    if not firsts:
        return f"Nobody did {events[0]} in these days."
    if params["by"] and len(lasts) > 1:
        best = max(lasts, key=lambda row: (row["n"] >= 30, row["share"] or 0.0))
        return f"Furthest of all: {best[params['by']] or 'unknown'}, {share(best['share'])}."
    last = lasts[0]
    reach = f" ({share(last['low'])} to {share(last['high'])})" if last["low"] is not None else ""
    people = "person" if firsts == 1 else "people"
    return (
        f"{number(last['persons'])} of {number(firsts)} {people} went all the way within "
        f"{_length(params['within'])}: {share(last['share'])}{reach}."
    )


def _funnel_columns(by: str) -> list[object]:
    return [
        *([dimension_words(by).capitalize()] if by else []),
        "Step",
        {"label": "People", "kind": "number"},
        {"label": "Of the first", "kind": "number"},
        {"label": "Low", "kind": "number"},
        {"label": "High", "kind": "number"},
        {"label": "Of the step before", "kind": "number"},
    ]


def _funnel_row(row: Mapping[str, Any], by: str) -> list[object]:
    head = [str(row[by] or "unknown")] if by else []
    ends = [share_words(row[name]) for name in ("share", "low", "high", "of_former")]
    return [*head, f"{row['step']} {row['event']}", number(row["persons"]), *ends]


def share_words(value: float | None) -> str:
    """Return a share as a table has it, a dash where there is none."""
    return "–" if value is None else share(value)


def _cohorts(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the cohorts with the share of each later period; those to come are None."""
    starts = [row["cohort"] for row in rows if not row["period"]]
    found = []
    for cohort in starts:
        own = [row for row in rows if row["cohort"] == cohort]
        shares = [row["share"] for row in own[1:]]
        shares += [None] * (len(starts) - 1 - len(shares))
        found.append({"name": cohort, "people": own[0]["people"], "shares": shares})
    return found


def _came(rows: Sequence[Mapping[str, Any]], params: Mapping[str, str]) -> str:
    """Return what the first period after tells, of the cohorts for which it is over."""
    known = [row for row in rows if row["period"] == 1 and row["whole"] and row["people"]]
    people, back = (sum(row[name] for row in known) for name in ("people", "returned"))
    every = params["every"]
    if not people:
        return f"No {every} after a first one is over yet."
    return (
        f"{share(back / people)} of {number(people)} people came back with {params['return']} in "
        f"the {every} after their first{'' if params['kind'] == 'bounded' else ', or later'}."
    )


def _retention_row(row: Mapping[str, Any]) -> list[object]:
    counts = [number(row[name]) for name in ("people", "period", "returned")]
    ends = [share_words(row[name]) for name in ("share", "low", "high")]
    return [row["cohort"], *counts, *ends, "yes" if row["whole"] else "so far"]
