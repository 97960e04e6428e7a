"""Cohort economics: what new people brought by month since, beside what it cost to win them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.consent import PURPOSES
from onefold.metrics import questions
from onefold.model.time import day_of, parse_date
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web import wording
from onefold.web.desk import signed_in
from onefold.web.pages import taking
from onefold.web.pages.journeys import Address, answered, days_of, named_rows, page_of, view_of
from onefold.web.pages.pinning import pinning
from onefold.web.pages.traffic import LetIn, Traffic, let_in
from onefold.web.wording import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

    Rows = Sequence[Mapping[str, Any]]

ECONOMICS = "/explore/economics"
FIRST = "acquisition_cost"
_MARGINS = ("1.0", "0.8", "0.6", "0.4", "0.2")


@signed_in()
async def economics(request: Request) -> Response:
    """Show what the people of each month brought since, and when they paid back their cost."""
    return await answered(request, economics_shown, "explore/economics.html", "Cohort economics")


routes = [Route(ECONOMICS, economics)]


def economics_shown(workspace: Workspace, asker: Asker, given: dict[str, str]) -> dict[str, Any]:
    """Return what the page shows for the cohorts of an address."""
    params = _params(workspace, given)
    view = view_of(workspace, asker, params)
    terms = {part: params[part] for part in ("from", "to", "purpose", "include", "margin")}
    body = call(workspace, asker, "economics", {**terms, "name": params["metric"]}).body
    rows = named_rows(body)
    return {
        **page_of(view, _filters(workspace, params), body),
        "question": f"What do new people bring, and when do they pay back, {days_of(params)}?",
        "answer": answer_of(rows),
        "summary": {"columns": _summary_columns(rows), "rows": _summary(rows)},
        "columns": [
            "Cohort",
            *(
                {"label": head, "kind": "number"}
                for head in ("People", "Month", "Earned of each", "Low", "High")
            ),
            "Whole",
        ],
        "rows": [_row(row) for row in rows],
        "empty": not rows,
        "pin": pinning(workspace, asker, "economics", params),
        "ways": taking.ways_of("economics", params),
    }


def _params(workspace: Workspace, given: Mapping[str, str]) -> dict[str, str]:
    today = day_of(workspace.clock(), workspace.settings.zone)
    after = parse_date(given["to"]) if given.get("to") else today
    first = parse_date(given["from"]) if given.get("from") else questions.months_before(after)
    return {
        "metric": given.get("metric") or FIRST,
        "margin": given.get("margin") or _MARGINS[0],
        "from": first.isoformat(),
        "to": after.isoformat(),
        "purpose": given.get("purpose") or "analytics",
        "include": let_in(given).text,
    }


def _filters(workspace: Workspace, params: Mapping[str, str]) -> list[dict[str, Any]]:
    address = Address(ECONOMICS, params)
    costs = {
        name: one.label
        for name, one in sorted(workspace.metrics().items())
        if one.kind == "acquisition"
    }
    margins = {one: f"{float(one):.0%}" for one in _MARGINS}
    typed = address.form({"label": "Margin", "name": "margin", "value": params["margin"]})
    days = address.form(
        {"label": "From", "name": "from", "type": "date", "value": params["from"]},
        {"label": "To, left out itself", "name": "to", "type": "date", "value": params["to"]},
    )
    rest = {name: value for name, value in params.items() if name != "include"}
    return [
        address.filter("Cost", "metric", costs),
        address.filter("Margin", "margin", margins, **typed),
        {"label": "Days", "value": days_of(params), **days},
        address.filter("Purpose", "purpose", {one: one for one in PURPOSES}),
        Traffic(LetIn(params["include"]), ECONOMICS, rest).control(),
    ]


def answer_of(rows: Rows) -> str:
    """Return how many cohorts have paid back, and how soon.

    >>> row = {"cohort": "2026-01-01", "month": 0, "cost": 9, "payback": 2}
    >>> answer_of([row, {**row, "cohort": "2026-02-01", "payback": None}])
    '1 of 2 cohorts has paid back its cost, at the soonest in month 2.'
    """
    known = [row for row in rows if not row["month"] and row["cost"] is not None]
    if not rows:
        return "Nobody new came in these days."
    if not known:
        return "What they cost is not told, so nobody can say when they pay back."
    back = [row["payback"] for row in known if row["payback"] is not None]
    count = plural(len(known), "cohort")
    if not back:
        return f"None of {count} has paid back its cost yet."
    verb = "has paid back its" if len(back) == 1 else "have paid back their"
    return f"{len(back)} of {count} {verb} cost, at the soonest in month {min(back)}."


def _summary_columns(rows: Rows) -> list[object]:
    months = max((row["month"] for row in rows), default=0)
    heads = ["People", "Cost of each", *(f"By month {month}" for month in range(months + 1))]
    return ["Cohort", *({"label": head, "kind": "number"} for head in heads), "Paid back"]


def _summary(rows: Rows) -> list[list[object]]:
    """Return a row a cohort and currency: what each earned by month, when it paid back."""
    most = max((row["month"] for row in rows), default=0)
    found: list[list[object]] = []
    for place, row in enumerate(rows):
        if row["month"]:
            continue
        later = [row]
        for each in rows[place + 1 :]:
            if not each["month"]:
                break
            later.append(each)
        earned = [_money(each["earned"]) for each in later]
        blank: list[object] = [None] * (most + 1 - len(earned))
        cost = _money(row["cost"]) or "not told"
        found.append(
            [str(row["cohort"])[:7], number(row["people"]), cost, *earned, *blank, paid_back(row)]
        )
    return found


def paid_back(row: Mapping[str, Any]) -> str:
    """Return when a cohort had paid back its cost, with what chance allows for.

    >>> paid_back({"cost": 1, "payback": 2, "payback_low": 1, "payback_high": None, "low": 0})
    'in month 2 (1 to later than these days)'
    """
    if row["cost"] is None:
        return "not known"
    if row["low"] is None:
        reach = ""
    elif row["payback_low"] is None:
        reach = " (nor within its range)"
    else:
        high = row["payback_high"]
        last = "later than these days" if high is None else str(high)
        reach = f" ({row['payback_low']} to {last})"
    return ("not yet" if row["payback"] is None else f"in month {row['payback']}") + reach


def _row(row: Mapping[str, Any]) -> list[object]:
    ends = [_money(row[name]) for name in ("earned", "low", "high")]
    counts = [number(row["people"]), str(row["month"])]
    return [str(row["cohort"])[:7], *counts, *ends, "yes" if row["whole"] else "so far"]


def _money(value: Any) -> str | None:
    return None if value is None else wording.money(value["micros"], value["currency"])
