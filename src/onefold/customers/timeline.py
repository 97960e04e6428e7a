"""What happened to a customer, in one order: from the first touch on, whoever it was with."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onefold.customers import queries
from onefold.customers.records import Contact, Happening, Issue, Level, SpendDay, Touch
from onefold.model.money import MICROS
from onefold.model.time import DAY, day_of, day_start
from onefold.model.words import plural

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from onefold.store import View

SIGN_UPS = ("signed_up", "Signed Up")
SAVES = ("pin_saved",)
EXPOSURES = ("Experiment Viewed",)
MILESTONES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
"""Amounts of all-time spend that are worth an entry, in units of the currency."""


@dataclass(frozen=True, slots=True)
class Doing:
    """How often a person did one thing under one identifier within a minute.

    `stand_for` says for how many times of all persons these stand, where a source samples.
    """

    person_id: int
    identifier: int
    account_id: str | None
    kind: str
    event: str
    times: int
    stand_for: float
    first_time: int
    last_time: int


def doings_of(rows: "pa.Table") -> tuple[Doing, ...]:
    """Return what was done, oldest first."""
    found = [
        Doing(
            person_id,
            identifier,
            told,
            kind or "",
            event or "",
            times,
            stand_for,
            first or 0,
            last or 0,
        )
        for person_id, identifier, told, kind, event, times, stand_for, first, last in zip(
            queries.column(rows, "person_id"),
            queries.column(rows, "identifier"),
            queries.column(rows, "account_id"),
            queries.column(rows, "kind"),
            queries.column(rows, "event"),
            queries.column(rows, "times"),
            queries.column(rows, "stand_for"),
            queries.micros(rows, "first_time"),
            queries.micros(rows, "last_time"),
            strict=True,
        )
    ]
    return tuple(sorted(found, key=lambda each: (each.first_time, each.event, each.identifier)))


def of_person(
    view: "View",
    doings: Sequence[Doing],
    sessions: "pa.Table",
    *,
    accounts: Sequence[Contact],
    first_words: str,
) -> list[Happening]:
    """Return a person's own entries: first seen, sign-up, joins, accounts, sessions, saves."""
    found = [*_firsts(doings, first_words), *_joins(doings), *_exposures(doings)]
    found += _account_entries(accounts)
    found += _a_day(view, doings)
    starts, ends = queries.micros(sessions, "start_time"), queries.micros(sessions, "end_time")
    actions = queries.column(sessions, "actions")
    days: dict[date, list[tuple[int, int]]] = defaultdict(list)
    for start, end, done in zip(starts, ends, actions, strict=True):
        if start is not None and end is not None:
            days[day_of(start, view.zone)].append((start, int(done or 0)))
    for day in sorted(days):
        count, done = len(days[day]), sum(each[1] for each in days[day])
        found.append(
            Happening(
                time=days[day][0][0],
                kind="session",
                what=_many(count, "session"),
                quiet=_many(done, "action"),
            )
        )
    return found


def _firsts(doings: Sequence[Doing], first_words: str) -> list[Happening]:
    found = []
    if doings:
        first = doings[0]
        words = first_words or _said(first.event, first.kind)
        found.append(Happening(first.first_time, "first_seen", "First seen", words))
    sign_up = next((each for each in doings if each.event in SIGN_UPS), None)
    if sign_up:
        found.append(Happening(sign_up.first_time, "sign_up", "Signed up", "Became a member"))
    return found


def _joins(doings: Sequence[Doing]) -> list[Happening]:
    """Return an entry for every identify: the anonymous history before it is the person's."""
    seen: set[int] = set()
    found = []
    for each in doings:
        if each.kind in {"identify", "alias"} and each.identifier not in seen:
            seen.add(each.identifier)
            found.append(
                Happening(
                    each.first_time,
                    "join",
                    "Known by name",
                    "What they did before without a name is theirs from here on",
                )
            )
    return found


def _exposures(doings: Sequence[Doing]) -> list[Happening]:
    first = next((each for each in doings if each.event in EXPOSURES), None)
    return (
        [Happening(first.first_time, "exposure", "In an experiment", "Shown an arm of a test")]
        if first
        else []
    )


def _a_day(view: "View", doings: Sequence[Doing]) -> list[Happening]:
    days: dict[date, list[Doing]] = defaultdict(list)
    for each in doings:
        if each.event in SAVES:
            days[day_of(each.first_time, view.zone)].append(each)
    return [
        Happening(
            days[day][0].first_time,
            "saves",
            f"Saved {_many(sum(each.times for each in days[day]), 'pin')}",
        )
        for day in sorted(days)
    ]


def of_account(
    view: "View",
    *,
    created: int | None,
    contacts: Sequence[Contact],
    issues: Sequence[Issue],
    touches: Sequence[Touch],
    spend: Sequence[SpendDay],
    levels: Sequence[Level],
    first_words: str,
) -> list[Happening]:
    """Return an account's entries, the first anonymous touch of any contact among them."""
    found = _contact_entries(contacts, created, first_words)
    if created is not None:
        found.append(Happening(created, "created", "Account made", "", "ribbon"))
    found += [entry for issue in issues for entry in _issue_entries(issue)]
    found += [_touch_entry(touch) for touch in touches]
    found += _spend_entries(view, spend, levels)
    return found


def _contact_entries(
    contacts: Sequence[Contact], created: int | None, first_words: str
) -> list[Happening]:
    found = []
    seen = [each for each in contacts if each.first_time is not None]
    first = min(seen, key=lambda each: each.first_time or 0, default=None)
    if first is not None and first.first_time is not None:
        parts = [first_words, _before(first.first_time, created), first.name]
        quiet = " · ".join(part for part in parts if part)
        found.append(Happening(first.first_time, "first_seen", "First seen", quiet))
    for each in contacts:
        for turn, (start, end) in enumerate(each.periods):
            words = "Is a contact again" if turn else "Became a contact"
            found.append(Happening(start, "membership", each.name, words))
            if end is not None:
                words = "Is of another account from here on"
                found.append(Happening(end, "membership", each.name, words))
    return found


def _account_entries(accounts: Sequence[Contact]) -> list[Happening]:
    """Return an entry for every account that a person joined."""
    return [
        Happening(start, "membership", f"With {each.name}", "" if not turn else "Once more")
        for each in accounts
        for turn, (start, _) in enumerate(each.periods)
    ]


def _before(first: int, created: int | None) -> str:
    if created is None or first >= created:
        return ""
    days = (created - first) // DAY
    return (
        f"{_many(days, 'day')} before the account was made" if days else "just before the account"
    )


def first_words(rows: "pa.Table") -> str:
    """Return what the very first event was, in words; empty without one.

    A page call says which page, for a first touch is mostly a page somebody read.
    """
    if not rows.num_rows:
        return ""
    row = rows.to_pylist()[0]
    name = json.loads(row["properties"] or "{}").get("name")
    if row["kind"] in {"page", "screen"} and isinstance(name, str) and name:
        return f"Looked at the page “{name[:80]}”"
    return _said(row["event"] or "", row["kind"] or "")


def _issue_entries(issue: Issue) -> Iterable[Happening]:
    topic = issue.topic.replace("_", " ").capitalize() or "Ticket"
    waits = {"us": " · waits on us", "customer": " · waits on the customer"}.get(issue.waits_on, "")
    yield Happening(
        issue.opened_time,
        "ticket",
        issue.subject,
        f"{topic}{waits if issue.is_open else ''} · ticket {issue.ticket_id}",
        "triangle",
    )
    if issue.closed_time is not None:
        yield Happening(
            issue.closed_time,
            "closed",
            f"Closed: {issue.subject}",
            f"After {_days(issue.days)} · ticket {issue.ticket_id}",
        )


def _touch_entry(touch: Touch) -> Happening:
    words = [
        touch.service.replace("_", " ").capitalize() if touch.service else touch.kind.capitalize()
    ]
    if touch.minutes:
        words.append(_many(touch.minutes, "minute"))
    if touch.who:
        words.append(f"by {touch.who}")
    kind = "service" if touch.service else "interaction"
    shape = "ribbon" if touch.service else "circle"
    title = touch.title or words[0]
    return Happening(touch.start_time, kind, title, " · ".join(words), shape)


def _spend_entries(
    view: "View", spend: Sequence[SpendDay], levels: Sequence[Level]
) -> list[Happening]:
    found = []
    for level in levels:
        # Each invoice has an entry of its own (see `happened`).
        if level.kind != queries.SPEND:
            continue
        days = [
            each
            for each in spend
            if each.kind == level.kind and each.amount.currency == level.currency
        ]
        if not days:
            continue
        start = day_start(days[0].day, view.zone)
        found.append(
            Happening(
                start,
                "first_spend",
                f"First spend, {_units(days[0].amount.micros)} {level.currency}",
                "",
                "ribbon",
            )
        )
        found += _milestones(view, days, level.currency)
    return found


def _milestones(view: "View", days: Sequence[SpendDay], currency: str) -> list[Happening]:
    found, total, ahead = [], 0, list(MILESTONES)
    for each in days:
        total += each.amount.micros
        while ahead and total >= ahead[0] * MICROS:
            found.append(
                Happening(
                    day_start(each.day, view.zone),
                    "milestone",
                    f"{ahead.pop(0):,} {currency} spent in all",
                    "",
                    "diamond",
                )
            )
    return found


def ordered(found: Iterable[Happening], now: int) -> tuple[Happening, ...]:
    """Return what had happened by a time, the newest first."""
    known = [each for each in found if each.time <= now]
    return tuple(
        sorted(
            known, key=lambda each: (-each.time, each.kind == "first_seen", each.kind, each.what)
        )
    )


def _said(event: str, kind: str) -> str:
    words = event.replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}" if kind == "track" else f"A {kind} call"


def _units(micros: int) -> str:
    return f"{micros / MICROS:,.2f}"


def _many(count: int, noun: str) -> str:
    return plural(count, noun)


def _days(days: float) -> str:
    return "less than a day" if days < 1 else _many(round(days), "day")
