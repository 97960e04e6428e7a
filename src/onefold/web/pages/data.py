"""Data: can we trust what came in? What counts, what waits and why, what was never described."""

from __future__ import annotations

import threading
from collections import Counter, deque
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.collect import Catalogue
from onefold.collect import questions as queries
from onefold.governance import may
from onefold.model.errors import BadInput, did_you_mean
from onefold.model.records import Question
from onefold.model.time import DAY, SECOND, day_of, day_start, parse_time
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web import wording
from onefold.web.desk import ask, back, page, signed_in
from onefold.web.pages import consent_shown
from onefold.web.wording import coded, lag, link, number, share, watch, worse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

SPANS = (1, 7, 14, 28, 90)
USUAL_DAYS = 14
MOST_ROWS = 100
TOO_MANY = 0.05
"""Share of waiting events from which the answer is no."""

_MOST_DELAYS = 100


class Delays:
    """How long events took from the door to the facts, the last hundred commits that had any.

    What a commit brings besides, such as a change of settings, may have waited for long.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Listen to every commit from now on."""
        self._seconds: deque[float] = deque(maxlen=_MOST_DELAYS)
        self._lock = threading.Lock()

        self._told = workspace.last_event_time

        def heard(_offset: int) -> None:
            came = workspace.last_event_time
            if came is not None and came != self._told:
                self._told = came
                with self._lock:
                    self._seconds.append((workspace.clock() - came) / SECOND)

        self.forget = workspace.on_commit(heard)

    def seconds(self) -> list[float]:
        """Return the delays, shortest first."""
        with self._lock:
            return sorted(self._seconds)


@signed_in(whole=True)
async def data(request: Request) -> Response:
    """Show what came in over the last days."""
    workspace, asker = request.app.state.workspace, request.state.asker
    days = _chosen(request.query_params.get("days", ""), SPANS, USUAL_DAYS)
    chosen = request.query_params.get("show", "")
    place = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 6 else 0
    shown = await ask(request, _data, workspace, asker, _delays(request), days, place)
    return page(
        request,
        "data/data.html",
        here="Data",
        title="Data",
        filters=[
            {
                "label": "Days",
                "value": f"last {days}" if days > 1 else "today",
                "options": [
                    {
                        "label": f"last {one}" if one > 1 else "today",
                        "href": f"?days={one}",
                        "current": one == days,
                    }
                    for one in SPANS
                ],
            }
        ],
        **shown,
    )


@signed_in("define", whole=True)
async def retry(request: Request) -> Response:
    """Let waiting events in that fit the definitions in force."""
    workspace, asker = request.app.state.workspace, request.state.asker
    outcome = await ask(request, call, workspace, asker, "quarantine retry", {})
    counts: Counter[str] = Counter()
    for _, verdict, _, events in outcome.body["rows"]:
        counts[verdict] += events
    words = (
        f"{plural(counts['counts now'], 'event')} count now, {number(counts['waits'])} still wait."
    )
    return back(request, "/data", words)


routes = [Route("/data", data), Route("/data/retry", retry, methods=["POST"])]


def begin(app: Starlette) -> None:
    """Measure the way of events to the facts from the start of the house on."""
    app.state.delays = Delays(app.state.workspace)


def _chosen(text: str, known: Sequence[int], usual: int) -> int:
    return next((one for one in known if str(one) == text), usual)


def _delays(request: Request) -> Delays:
    state = request.app.state
    if not hasattr(state, "delays"):
        state.delays = Delays(state.workspace)
    found: Delays = state.delays
    return found


def _data(
    workspace: Workspace, asker: Asker, delays: Delays, days: int, place: int
) -> dict[str, Any]:
    """Return all that the page shows."""
    view = workspace.view(Question(asker=asker))
    today = day_of(view.now, view.zone)
    start = day_start(today - timedelta(days=days - 1), view.zone)
    end = day_start(today + timedelta(days=1), view.zone)
    totals = queries.totals(view, start, end)
    reasons = queries.reasons(view, from_time=start, to_time=end)
    seen = queries.seen_events(view, start, end)
    catalogue, trouble = _catalogue(workspace)
    reason = reasons[min(place, len(reasons) - 1)] if reasons else None
    one = None
    if reason is not None:
        persons = may(asker, "see_personal_fields")
        one = {
            "name": reason.event or "An event",
            "time": wording.moment(reason.last_time, view.zone),
            "reason": coded(reason.reason),
            "masked": not persons,
            "text": queries.waiting_event(
                workspace.log, reason.log_offset, reason.place, persons=persons
            ),
        }
    return {
        "fresh": wording.freshness(view.fresh_time, view.now, zone=view.zone),
        "question": "Can we trust what came in?",
        "answer": answer_of(totals, reasons, seen),
        "lead": lead_of(totals),
        "tiles": tiles_of(totals, delays.seconds(), days),
        "reasons": reason_rows(reasons, view.zone, days),
        "more_reasons": max(0, len(reasons) - MOST_ROWS),
        "may_retry": may(asker, "define"),
        "one": one,
        "trouble": trouble,
        "events": event_rows(catalogue, seen, reasons, view.now),
        "described": len(catalogue.events),
        "undescribed": sum(each.event not in catalogue.events for each in seen),
        "imports": import_rows(workspace, asker, view.zone),
        "links": link_rows(workspace, asker),
        **consent_shown.of_data(workspace, asker, view, (start, end)),
        "span": "today" if days == 1 else f"the last {plural(days, 'day')}",
        "anything": bool(totals.accepted or totals.waiting or seen),
    }


def import_rows(workspace: Workspace, asker: Asker, zone: str) -> list[list[object]]:
    """Return the rows of the imports that come by themselves."""
    tones = {"failed": "worse", "broken off": "watch", "done": "better"}
    rows = []
    for name, file, every, state, last, coming, _tries, reason in call(
        workspace, asker, "imports", {}
    ).body["rows"]:
        rows.append(
            [
                name,
                file,
                every or None,
                {"tag": state, "tone": tones.get(state, "")},
                _when(last, zone),
                _when(coming, zone) if coming else "when its file is mended",
                coded(reason) if reason else None,
            ]
        )
    return rows


def link_rows(workspace: Workspace, asker: Asker) -> list[list[object]]:
    """Return the rows of the links that imported rows have."""
    return [
        [table, field, number(rows), number(orphans), share(found, 2)]
        for table, field, _names, rows, orphans, found in call(workspace, asker, "links", {}).body[
            "rows"
        ]
    ]


def _when(time: str | None, zone: str) -> str | None:
    return None if time is None else wording.moment(parse_time(time), zone)


def _catalogue(workspace: Workspace) -> tuple[Catalogue, BadInput | None]:
    try:
        return Catalogue.read(workspace.definitions / "events"), None
    except BadInput as error:
        return Catalogue(), error


def answer_of(
    totals: queries.Totals,
    reasons: Sequence[queries.Reason],
    seen: Sequence[queries.SeenEvent],
) -> list[object]:
    """Return the page's answer, in pieces."""
    arrived = totals.accepted + totals.waiting
    if not arrived:
        return ["Nothing has come in yet."]
    if not totals.waiting:
        counted = plural(totals.accepted, "event")
        return [f"Yes: all {counted} that arrived count."]
    worst = reasons[0]
    counts = {each.event: sum(each.days) for each in seen}
    of_event = counts.get(worst.event, 0) + _waiting_of(reasons)[worst.event]
    part_share = worst.events / max(of_event, 1)
    name = worst.event or "the events"
    few = totals.waiting / arrived < TOO_MANY
    told = f"{share(part_share)} of {name} wait" if worst.event in counts else f"{name} wait"
    reason = worst.reason.replace("`", "")
    begins = "Yes, but " if few else "Not all of it: "
    return [begins, (watch if few else worse)(told), f", as {_lowered(reason)}"]


def _lowered(reason: str) -> str:
    first, _, rest = reason.partition(" ")
    return f"{first.lower()} {rest}" if first in {"The", "It", "Its", "Another"} else reason


def _waiting_of(reasons: Sequence[queries.Reason]) -> Counter[str]:
    found: Counter[str] = Counter()
    for reason in reasons:
        found[reason.event] += reason.events
    return found


def lead_of(totals: queries.Totals) -> str:
    """Return the quiet line under the answer."""
    words = []
    if totals.waiting:
        words.append(f"{plural(totals.waiting, 'event')} wait, not lost.")
    if totals.left_out:
        words.append(
            f"{share(totals.left_out / max(totals.accepted, 1))} of what counts is left out of "
            "figures by consent."
        )
    return " ".join(words)


def tiles_of(totals: queries.Totals, delays: Sequence[float], days: int) -> list[dict[str, Any]]:
    """Return the four tiles."""
    arrived = totals.accepted + totals.waiting
    span = "today" if days == 1 else f"in {days} days"
    accepted, unit = wording.figure(totals.accepted)
    of_arrived = f"{share(totals.accepted / arrived, 2)} of what arrived" if arrived else ""
    late = delays[min(len(delays) - 1, int(len(delays) * 0.99))] if delays else None
    return [
        {
            "name": f"Accepted {span}",
            "figure": accepted,
            "unit": unit,
            "note": of_arrived,
            "values": [],
        },
        {
            "name": "Waiting in quarantine",
            "figure": number(totals.waiting),
            "note": share(totals.waiting / arrived, 2) if arrived else "",
            "values": [],
        },
        {
            "name": "Sent twice, counted once",
            "figure": number(totals.repeated),
            "note": share(totals.repeated / (arrived + totals.repeated), 2) if arrived else "",
            "values": [],
        },
        {
            "name": "Event to page",
            "figure": f"{median(delays):.2g}" if delays else "–",
            "unit": "s" if delays else "",
            "note": (
                f"99 of 100 under {late:.2g} s"
                if late is not None
                else "measured from the next event on"
            ),
            "values": [],
        },
    ]


def reason_rows(reasons: Sequence[queries.Reason], zone: str, days: int) -> list[list[object]]:
    """Return the rows of the quarantine, each with what mends it."""
    return [
        [
            link(coded(reason.reason), f"?days={days}&show={place}#one"),
            reason.event or None,
            reason.source,
            number(reason.events),
            f"{wording.day(reason.first_time, zone)}, {wording.clock(reason.first_time, zone)[:5]}",
            coded(queries.mend_of(reason.reason)),
        ]
        for place, reason in enumerate(reasons[:MOST_ROWS])
    ]


def event_rows(
    catalogue: Catalogue,
    seen: Sequence[queries.SeenEvent],
    reasons: Sequence[queries.Reason],
    now: int,
) -> list[list[object]]:
    """Return the rows of the catalogue: undescribed events first, then by how many came."""
    waiting = _waiting_of(reasons)
    by_name = {each.event: each for each in seen}
    names = sorted(
        {*by_name, *catalogue.events},
        key=lambda name: (
            name in catalogue.events,
            -sum(by_name[name].days) if name in by_name else 0,
            name,
        ),
    )
    return [_event_row(name, catalogue, by_name.get(name), waiting[name], now) for name in names]


def _event_row(
    name: str, catalogue: Catalogue, seen: queries.SeenEvent | None, waiting: int, now: int
) -> list[object]:
    definition = catalogue.events.get(name)
    if definition is None:
        meant = did_you_mean(name, catalogue.events)
        owner: object = {"tag": "undescribed", "tone": "watch"}
        purpose = coded(meant.strip()) if meant else "analytics"
    else:
        owner, purpose = definition.owner or None, definition.purpose
    count = sum(seen.days) if seen else 0
    accepted = count / (count + waiting) if count + waiting else None
    # The day in progress would look like a fall.
    whole = seen.days[:-1] if seen and any(seen.days[:-1]) else seen.days if seen else ()
    if seen is None:
        last = "not in these days"
    elif now - seen.last_time < DAY // 24:
        last = "now"
    else:
        last = f"{lag((now - seen.last_time) / SECOND)} ago"
    return [
        f"{name} v{definition.version}" if definition else name,
        owner,
        {"spark": list(whole), "label": f"{name} a day"} if seen else None,
        number(round(sum(whole) / len(whole))) if seen else number(0),
        None if accepted is None else _share_cell(accepted),
        last,
        purpose,
    ]


def _share_cell(accepted: float) -> object:
    words = share(accepted, 2)
    return worse(words) if accepted < 1 - TOO_MANY else words
