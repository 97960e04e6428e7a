"""All metrics with who answers for them, what serves no key result, and what nobody uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.routing import Route

from onefold.governance import may
from onefold.model.errors import BadInput
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web.desk import ask, page, signed_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

    Row = Mapping[str, Any]

DAYS = ("30", "90", "180", "365")
_WORDS = {"yes": "Certified", "waits": "Not certified", "no": None}
_PLACES = {"metric": "/explore/metrics/", "dashboard": "/explore/dashboards/"}
_PLACES |= {"experiment": "/experiments/", "segment": "/explore/segments/"}


@signed_in()
async def metrics_page(request: Request) -> Response:
    """List all metrics by key result, and apart what serves none."""
    shown = await ask(request, _listed, request.app.state.workspace, request.state.asker)
    return page(request, "explore/metrics.html", here="Explore", title="Metrics", **shown)


@signed_in(whole=True)
async def stale_page(request: Request) -> Response:
    """List what nobody uses, and how much was self-served."""
    days = request.query_params.get("days", "90")
    if days not in DAYS:
        raise BadInput(f"No period of `{days}` days.", f"Use one of: {', '.join(DAYS)}.")
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _stale, workspace, asker, days)
    return page(request, "explore/stale.html", here="Explore", title="Unused", **shown)


routes = [Route("/explore/metrics", metrics_page), Route("/explore/stale", stale_page)]


def _listed(workspace: Workspace, asker: Asker) -> dict[str, Any]:
    found = _rows(call(workspace, asker, "metrics", {}).body)
    served = _rows(call(workspace, asker, "key results", {}).body)
    without = [row for row in served if not row["key_result"]]
    return {
        "answer": _answer(found),
        "rows": [_metric(row) for row in found],
        "without": [_unserved(row) for row in without],
        "share": f"{len(without)} of {len(served)} metrics and experiments",
        "composes": may(asker, "compose"),
    }


def _answer(found: Sequence[Row]) -> str:
    certified = sum(row["certified"] == "yes" for row in found)
    waits = sum(row["certified"] == "waits" for row in found)
    said = f"{plural(len(found), 'metric')}, each defined once; {certified or 'none'} certified"
    return f"{said}, {waits} waiting for a signature." if waits else f"{said}."


def _metric(row: Row) -> list[object]:
    since = f", since {row['since_date']}" if row["since_date"] else ""
    return [
        {"href": _place("metric", row["metric"]), "label": row["label"]},
        row["description"],
        row["owner"],
        f"v{row['version']}{since}",
        _WORDS[row["certified"]],
        row["moves"],
        row["purpose"],
        row["last_use_date"],
        {"href": f"/explore?metric={quote(row['metric'], safe='')}", "label": "Ask it"},
    ]


def _unserved(row: Row) -> list[object]:
    href = _place(row["kind"], row["name"])
    return [{"href": href, "label": row["label"]}, row["kind"], row["owner"]]


def _stale(workspace: Workspace, asker: Asker, days: str) -> dict[str, Any]:
    told = call(workspace, asker, "stale", {"days": int(days)}).body
    found = _rows(told)
    kinds = {kind: [row for row in found if row["kind"] == kind] for kind in _KINDS}
    # The second note says that uses are not counted for so long yet.
    over = "Since uses are counted" if len(told["notes"]) > 1 else f"Over {days} days"
    usage = call(workspace, asker, "usage", {}).body if may(asker, "audit") else None
    return {
        "answer": _unused([(kind, len(rows)) for kind, rows in kinds.items()], over),
        "kinds": [
            {"title": f"{kind.capitalize()}s", "rows": [_stale_row(row) for row in rows]}
            for kind, rows in kinds.items()
            if rows
        ],
        "days": days,
        "periods": [{"value": each, "label": f"{each} days"} for each in DAYS],
        "said": [told["definition"], *told["notes"]],
        "usage": [_asker(row) for row in _rows(usage)] if usage else [],
        "self_served": usage["notes"][0] if usage else "",
        "counted": usage["definition"] if usage else "",
    }


_KINDS = ("event", "metric", "segment", "dashboard")


def _unused(counts: Sequence[tuple[str, int]], over: str) -> str:
    """Return how much nobody used.

    >>> _unused([("event", 2), ("metric", 1), ("dashboard", 0)], "Over 90 days")
    'Over 90 days nobody used 2 events and 1 metric.'
    """
    some = [plural(count, kind) for kind, count in counts if count]
    if not some:
        return f"{over} everything was used."
    head = ", ".join(some[:-1])
    return f"{over} nobody used {f'{head} and ' if head else ''}{some[-1]}."


def _stale_row(row: Row) -> list[object]:
    label = row["label"] or row["name"]
    place = _place(row["kind"], row["name"])
    named: object = {"href": place, "label": label} if place else label
    if row["kind"] != "event":
        return [named, row["owner"], row["last_use_date"], row["why"]]
    came = (row["last_use_date"], row["last_seen_date"], row["read_by"])
    return [named, row["owner"], *came, row["why"]]


def _asker(row: Row) -> list[object]:
    return [
        row["by"],
        row["role"],
        row["self_served"],
        *(str(row[name]) for name in ("questions", "metrics", "dashboards", "days")),
    ]


def _place(kind: str, name: str) -> str:
    return f"{_PLACES[kind]}{quote(name, safe='')}" if kind in _PLACES else ""


def _rows(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = [column["name"] for column in body["columns"]]
    return [dict(zip(names, row, strict=True)) for row in body["rows"]]
