"""One customer as its page shows it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from onefold.model.time import DAY
from onefold.model.words import plural
from onefold.web import charts, wording
from onefold.web.wording import better, bold, money, number, sentence, share, watch, worse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from onefold.customers import Customer
    from onefold.store import View

PHASES = ("plan", "pitch", "implement", "optimize", "upsell", "measure")
CALLS = {
    "page": "Page looked at",
    "screen": "Screen looked at",
    "identify": "Said who they are",
    "group": "Joined an account",
    "alias": "Took another id",
}
"""What calls without an event of their own mean."""
ENTRIES = 12
"""Entries of a timeline that are shown at once; `?all=1` shows every one."""
DAYS = 84
"""Days of spend in the chart."""


def as_of_filter(params: dict[str, str]) -> dict[str, Any]:
    """Return the filter by which a page is asked as of a day."""
    day = params.get("as_of", "")
    kept = {name: value for name, value in params.items() if name not in {"as_of", "page"}}
    return {
        "label": "As of",
        "value": day or "now",
        "options": [{"label": "now", "href": "?" + urlencode(kept), "current": not day}],
        "fields": [{"label": "End of the day", "name": "as_of", "type": "date", "value": day}],
        "kept": kept,
    }


def fresh_of(view: View) -> dict[str, object] | None:
    """Return how fresh the page is; nothing where it is of a day that is over."""
    if view.question.as_of_time is not None:
        return None
    return wording.freshness(view.fresh_time, view.now, zone=view.zone)


def account_shown(view: View, found: Customer, params: dict[str, str]) -> dict[str, Any]:
    """Return what the page of an account shows."""
    place = [
        "Advertiser",
        found.industry,
        found.country,
        f"with us since {_month(found.created_time, view.zone)}" if found.created_time else "",
        f"looked after by {found.owner}" if found.owner else "",
    ]
    return {
        "title": found.name,
        "question": f"How is {found.name}, and what do they need from us?",
        "answer": _account_answer(found),
        "lead": " · ".join(part for part in place if part),
        "filters": [as_of_filter(params)],
        "fresh": fresh_of(view),
        "facts": _facts(found),
        "phases": _phases(found),
        "phase": found.phase,
        "as_of": params.get("as_of", ""),
        "spend": _spend(view, found),
        "issues": [_issue(each, view.zone) for each in found.issues],
        "touches": [_touch(each, view.zone) for each in found.touches[:10]],
        "touches_note": _newest(len(found.touches), 10),
        "contacts": [
            _contact(each, view.zone, hidden=found.hidden) for each in found.contacts[:20]
        ],
        "contacts_note": "Viewers see no single people." if found.hidden else "",
        **_timeline(view, found, params),
        "events": [[_event(name), number(times)] for name, times in found.events[:12]],
        "query": found.query,
    }


def _account_answer(found: Customer) -> list[object]:
    level = next(iter(found.judged), None)
    billed = level is not None and level.kind == "invoice"
    if level is None:
        pieces: list[object] = [f"{found.name} has not spent yet."]
    elif not level.now:
        none = "no invoice" if billed else "not spent"
        pieces = [f"{found.name} has ", worse(none), " for 28 days."]
    else:
        verb = "was invoiced" if billed else "spent"
        pieces = [f"{found.name} {verb} {money(level.now, level.currency)} in 28 days"]
        if level.change is None:
            pieces.append(", its first." if billed else ", the first it spent.")
        else:
            words = f"{share(abs(level.change))} {'more' if level.change >= 0 else 'less'}"
            tone = better if level.change > 0 else worse if level.change < 0 else bold
            pieces += [", ", tone(words), " than in the 28 before."]
    waits = [issue for issue in found.issues if issue.is_open and issue.waits_on == "us"]
    if waits:
        longest = max(waits, key=lambda issue: issue.days)
        pieces += [
            " It waits for ",
            watch(f"an answer to ticket {longest.ticket_id}"),
            f", open for {_days(longest.days)}.",
        ]
    return pieces


def _facts(found: Customer) -> list[dict[str, str]]:
    levels = list(found.judged)
    noun = _noun(levels)
    open_issues = [issue for issue in found.issues if issue.is_open]
    us = sum(issue.waits_on == "us" for issue in open_issues)
    last = found.touches[0] if found.touches else None
    first = levels[0] if levels else None
    others = ", ".join(money(each.now, each.currency) for each in levels[1:])
    visits = found.visits
    return [
        {
            "name": f"{noun}, 28 days",
            "figure": money(first.now, first.currency) if first else wording.NOTHING,
            "note": f"and {others}" if others else _former(first),
        },
        {
            "name": f"{noun}, all time",
            "figure": money(first.total, first.currency) if first else wording.NOTHING,
            "note": f"since {first.first_date.isoformat()}" if first else "",
        },
        {
            "name": "Open issues",
            "figure": number(len(open_issues)),
            "note": f"{us} wait{'s' if us == 1 else ''} on us" if us else "none waits on us",
        },
        {
            "name": "Last talk",
            "figure": f"{_days((found.asked_time - last.start_time) / DAY)} ago"
            if last
            else "never",
            "note": last.title or last.kind if last else "",
        },
        {
            "name": "People",
            "figure": number(sum(each.left_time is None for each in found.contacts)),
            "note": f"{plural(visits.recent, 'session')} in 28 days",
        },
    ]


def _former(level: Any) -> str:
    return f"{money(level.former, level.currency)} in the 28 before" if level else ""


def _phases(found: Customer) -> list[dict[str, str]]:
    now = found.phase.name if found.phase else ""
    place = PHASES.index(now) if now in PHASES else -1
    return [
        {
            "name": name.capitalize(),
            "state": "now" if n == place else "past" if n < place else "",
            "days": f"day {found.phase.day:,}"
            if n == place and found.phase and found.phase.day
            else "",
        }
        for n, name in enumerate(PHASES)
    ]


def _spend(view: View, found: Customer) -> list[dict[str, Any]]:
    """Return a chart and its table for every currency of what an account is judged by."""
    levels = found.judged
    kind, noun = levels[0].kind if levels else "", _noun(levels)
    days: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for each in found.spend:
        if each.kind == kind:
            days[each.amount.currency][each.day] += each.amount.micros
    shown = []
    for level in levels:
        known = sorted(days[level.currency].items())[-DAYS:]
        rows = [{"day": day.isoformat(), "value": value / 1e6} for day, value in known]
        shown.append(
            {
                "name": f"{noun} by day, {level.currency}",
                "spec": charts.line_with_band(rows, value_format=",.0f", zero=True),
                "columns": ["Day", {"label": noun, "kind": "number"}],
                "rows": [[day.isoformat(), money(value, level.currency)] for day, value in known],
                "badges": {"n": len(known), "of": "days"} | _fresh_badge(view),
            }
        )
    return shown


def _noun(levels: Sequence[Any]) -> str:
    return "Invoices" if levels and levels[0].kind == "invoice" else "Spend"


def _fresh_badge(view: View) -> dict[str, Any]:
    if view.fresh_time is None or view.question.as_of_time is not None:
        return {}
    return {"seconds": max(view.now - view.fresh_time, 0) / 1e6}


def _issue(each: Any, zone: str) -> list[object]:
    waits: object = "closed"
    if each.is_open:
        tone = {"us": "watch"}.get(each.waits_on, "")
        waits = {"tag": each.waits_on or "nobody said", "tone": tone}
    return [
        f"{each.ticket_id} {each.subject}",
        wording.day(each.opened_time, zone),
        waits,
        number(round(each.days)),
        each.topic.replace("_", " "),
    ]


def _touch(each: Any, zone: str) -> list[object]:
    kind = each.service.replace("_", " ") if each.service else each.kind
    return [
        each.title or kind,
        kind,
        wording.day(each.start_time, zone),
        each.who or None,
        number(each.minutes) if each.minutes else None,
    ]


def _contact(each: Any, zone: str, *, hidden: bool) -> list[object]:
    name: object = each.name
    if not hidden:
        name = {"href": f"/customers/people/{each.id}", "label": each.name}
    return [
        name,
        _periods(each, zone),
        wording.day(each.first_time, zone),
        wording.day(each.last_time, zone),
        number(each.sessions),
    ]


def _periods(each: Any, zone: str) -> str:
    """Return from when until when two belonged together, as a table says it."""
    said = []
    for start, end in each.periods:
        words = f"since {wording.day(start, zone, year=True)}"
        if end is not None:
            words = f"{wording.day(start, zone)} to {wording.day(end, zone, year=True)}"
        said.append(words)
    return ", ".join(said)


def _timeline(view: View, found: Customer, params: dict[str, str]) -> dict[str, Any]:
    every = params.get("all") == "1"
    entries = found.timeline if every else found.timeline[:ENTRIES]
    rows = [_entry(each, view.zone) for each in entries]
    first = found.timeline[-1] if found.timeline else None
    if first is not None and not every and len(found.timeline) > ENTRIES:
        # The first touch is the point of a timeline; it never hides behind "all".
        rows.append(_entry(first, view.zone))
    more = ""
    if not every and len(found.timeline) > ENTRIES + 1:
        more = "?" + urlencode({**params, "all": "1"})
    return {"timeline": rows, "all_href": more, "all_count": number(len(found.timeline))}


def _entry(each: Any, zone: str) -> dict[str, Any]:
    return {
        "shape": each.shape,
        "time": wording.day(each.time, zone),
        "stamp": wording.stamp(each.time),
        "words": sentence(bold(each.what)),
        "quiet": each.quiet,
    }


def person_shown(view: View, found: Customer, params: dict[str, str]) -> dict[str, Any]:
    """Return what the page of a person shows."""
    visits = found.visits
    since = wording.day(found.first_time, view.zone, year=True) if found.first_time else ""
    return {
        "title": found.name,
        "question": f"Who is {found.name}, and what did they do?",
        "answer": _person_answer(found),
        "lead": f"First seen {since}" if since else "",
        "filters": [as_of_filter(params)],
        "fresh": fresh_of(view),
        "facts": [
            {
                "name": "Sessions",
                "figure": number(visits.sessions),
                "note": f"{visits.recent} in 28 days",
            },
            {"name": "Actions", "figure": number(visits.actions)},
            {"name": "Saves", "figure": number(visits.saves)},
            {
                "name": "Identifiers",
                "figure": number(len(found.identifiers)),
                "note": "joined at sign-up",
            },
            {"name": "Accounts", "figure": number(len(found.contacts))},
        ],
        "as_of": params.get("as_of", ""),
        "identifiers": [_known(each, view.zone) for each in found.identifiers],
        "personal": list(found.personal),
        "hidden": found.hidden,
        "accounts": [
            [
                {"href": f"/customers/accounts/{quote(each.id, safe='')}", "label": each.name},
                _periods(each, view.zone),
            ]
            for each in found.contacts
        ],
        "events": [[_event(name), number(times)] for name, times in found.events[:15]],
        **_timeline(view, found, params),
        "query": found.query,
    }


def _person_answer(found: Customer) -> list[object]:
    visits = found.visits
    if not visits.sessions:
        return [f"{found.name} has had no session."]
    pieces: list[object] = [f"{plural(visits.sessions, 'session')}, {plural(visits.saves, 'save')}"]
    if visits.last_time is not None:
        pieces.append(f"; last here {_days((found.asked_time - visits.last_time) / DAY)} ago")
    pieces.append(".")
    early = (found.created_time or 0) - (found.first_time or 0)
    if found.created_time and found.first_time and early >= DAY:
        days = early / DAY
        pieces.append(f" Came {_days(days)} before signing up.")
    return pieces


def _known(each: Any, zone: str) -> list[object]:
    return [
        each.value or f"key {each.key}",
        each.kind.replace("_", " "),
        wording.day(each.first_time, zone),
    ]


def _event(name: str) -> str:
    """Return an event as a table says it: `pin_saved` is Pin saved, a page call Page looked at."""
    words = name.replace("_", " ")
    return CALLS.get(name, f"{words[:1].upper()}{words[1:]}")


def _newest(count: int, most: int) -> str:
    return f"the newest {most} of {number(count)}" if count > most else ""


def _days(days: float) -> str:
    return "less than a day" if days < 1 else plural(round(days), "day")


def _month(time: int, zone: str) -> str:
    return wording.day(time, zone, year=True).split(" ", 2)[-1]
