"""What the audit of instrumentation asks of the facts: names, days, samples, identifiers, paths."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from onefold.collect.audit import (
    DAYS,
    DEVICES,
    RECENT_DAYS,
    SHARED_BY,
    EventSeen,
    Evidence,
    Ids,
    Walked,
)
from onefold.collect.catalogue import Catalogue
from onefold.collect.drifts import Profile, profile
from onefold.collect.inference import Sample
from onefold.collect.journeys import Journey
from onefold.collect.queries import moment_of, reasons, seen_events
from onefold.collect.times import micros_of
from onefold.model.ids import IDENTIFIER_KINDS
from onefold.model.time import DAY, day_of, day_start

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

MOST_SAMPLED = 20_000
MOST_PROFILED = 3_000
"""Events of one name and period whose fields are looked at."""
MOST_NAMES = 100
"""Names of events whose fields are looked at, the most frequent first."""
_objects = msgspec.json.Decoder(dict[str, Any])


def recorded(view: "View") -> dict[str, int]:
    """Return how many events of each name are recorded, the most frequent first."""
    tracks = _tracks(view)
    counted = tracks.group_by("event").aggregate(events=tracks.count())
    rows = view.ask(counted.order_by([counted.events.desc(), counted.event])).to_pylist()
    return {row["event"]: row["events"] for row in rows}


def last_seen(view: "View") -> dict[str, int]:
    """Return when the last event of each name was received, microseconds UTC."""
    tracks = _tracks(view)
    last = tracks.group_by("event").aggregate(last_time=tracks.received_time.max())
    return {row["event"]: micros_of(row["last_time"]) for row in view.ask(last).to_pylist()}


def sample(
    view: "View",
    event: str,
    recorded_events: int,
    *,
    most: int = MOST_SAMPLED,
) -> Sample:
    """Return properties of an event, a random part of them where there are many.

    The part is chosen by the hash of the message id: at random, and the same whenever asked.

    Args:
        view: The facts.
        event: Its name.
        recorded_events: How many there are in all.
        most: How many to take at the most.
    """
    tracks = _tracks(view)
    meant = tracks.filter(tracks.event == event)
    chosen = meant.order_by(["message_hi", "message_lo"]).limit(most).select("properties")
    texts = view.ask(chosen).column("properties").to_pylist()
    return Sample(event, recorded_events, tuple(map(_objects.decode, texts)))


def evidence(
    view: "View",
    catalogue: Catalogue,
    journeys: Sequence[Journey],
    *,
    stand_ins: Collection[int],
) -> Evidence:
    """Return all that the audit of instrumentation rests on.

    Args:
        view: The facts.
        catalogue: The definitions in force.
        journeys: The planned ones.
        stand_ins: Keys of identifiers that stand for nobody.
    """
    today = day_start(day_of(view.now, view.zone), view.zone)
    since = today - RECENT_DAYS * DAY
    seen = _seen(view, today)
    waiting: Counter[tuple[str, str]] = Counter()
    for one in reasons(view, from_time=since, to_time=max(view.now, today) + 1):
        waiting[one.event, one.reason] += one.events
    return Evidence(
        catalogue=catalogue,
        seen=seen,
        waiting=waiting,
        profiles=dict(_profiles(view, seen, today)),
        ids=_ids(view, since, stand_ins),
        walked=tuple(Walked(one, reached(view, one.steps, since)) for one in journeys),
    )


def _seen(view: "View", today: int) -> dict[str, EventSeen]:
    """Return what came of each event; a day is one of 24 hours before today's midnight."""
    daily = {one.event: one.days for one in seen_events(view, today - DAYS * DAY, today + DAY)}
    nothing = (0,) * (DAYS + 1)
    found = {}
    for name, total in recorded(view).items():
        days = daily.get(name, nothing)
        found[name] = EventSeen(total, days[:DAYS], sum(days[DAYS - RECENT_DAYS :]))
    return found


def _profiles(
    view: "View", seen: Mapping[str, EventSeen], today: int
) -> Iterator[tuple[str, tuple[Profile, Profile]]]:
    """Yield how the fields of each event look over four weeks, and over the week after them."""
    recent = today - 7 * DAY
    names = sorted(seen, key=lambda name: (-seen[name].recent, name))
    for name in names[:MOST_NAMES]:
        if seen[name].recent:
            before = _profile(view, name, (recent - RECENT_DAYS * DAY, recent))
            yield name, (before, _profile(view, name, (recent, max(view.now, today) + 1)))


def _profile(view: "View", event: str, span: tuple[int, int]) -> Profile:
    tracks = _received(_tracks(view), *span)
    meant = tracks.filter(tracks.event == event)
    chosen = meant.order_by(["message_hi", "message_lo"]).limit(MOST_PROFILED)
    day = (chosen.received_time.epoch_seconds() // (DAY // 1_000_000)).cast("int64")
    rows = view.ask(chosen.select(who=chosen.identifier.fill_null(0), day=day, said="properties"))
    columns = (rows.column(name).to_pylist() for name in ("who", "day", "said"))
    return profile(
        (who, day, _objects.decode(said)) for who, day, said in zip(*columns, strict=True)
    )


def _ids(view: "View", since: int, stand_ins: Collection[int]) -> Ids:
    import ibis

    events = view.events.filter(view.events.received_time >= moment_of(since))
    keys = list(stand_ins)
    nobody = events.user_key.isin(keys) | events.anonymous_key.isin(keys)
    counted = events.group_by("source").aggregate(
        events=events.count(),
        nameless=events.identifier.isnull().sum(),
        stand_ins=nobody.fill_null(ibis.literal(False)).sum(),
    )
    rows = view.ask(counted).to_pylist()
    both = events.filter(events.user_key.notnull() & events.anonymous_key.notnull())
    persons, merged, unknown = _persons(view, since)
    return Ids(
        events={row["source"]: row["events"] for row in rows},
        nameless={row["source"]: int(row["nameless"] or 0) for row in rows},
        stand_ins={row["source"]: int(row["stand_ins"] or 0) for row in rows},
        shared_devices=_crowded(view, both, "anonymous_key", "user_key", SHARED_BY),
        crowded_users=_crowded(view, both, "user_key", "anonymous_key", DEVICES),
        persons=persons,
        merged=merged,
        unknown_events=unknown,
    )


def _crowded(view: "View", both: "ir.Table", of: str, others: str, least: int) -> int:
    """Return how many keys were seen with so many others."""
    counted = both.group_by(of).aggregate(others=both[others].nunique())
    crowded = counted.filter(counted.others >= least)
    return int(view.ask(crowded.aggregate(keys=crowded.count())).column("keys")[0].as_py())


def _persons(view: "View", since: int) -> tuple[int | None, int | None, int | None]:
    """Return persons, merged ones, and events of persons without a user id."""
    table = view.identifiers.filter(view.identifiers.kind.isin(IDENTIFIER_KINDS))
    each = table.group_by("person_id").aggregate(
        identifiers=table.count(), users=(table.kind == "user_id").sum()
    )
    totals = view.ask(each.aggregate(persons=each.count(), merged=(each.identifiers > 1).sum()))
    persons = int(totals.column("persons")[0].as_py())
    if not persons:
        return None, None, None
    events = view.person_events.filter(view.person_events.received_time >= moment_of(since))
    unknown = events.semi_join(each.filter(each.users == 0), "person_id")
    count = view.ask(unknown.aggregate(events=unknown.count())).column("events")[0].as_py()
    return persons, int(totals.column("merged")[0].as_py() or 0), int(count)


def reached(view: "View", steps: Sequence[str], since: int) -> tuple[int, ...]:
    """Return how many persons reached each step of a sequence, in order, since a time.

    Each step is taken as early as it can be, which finds every person who took them in order.
    """
    events = view.person_events
    events = events.filter((events.kind == "track") & (events.event_time >= moment_of(since)))
    at = None
    counts = []
    for place, step in enumerate(steps):
        here = events.filter(events.event == step).select("person_id", "event_time")
        if at is not None:
            joined = here.inner_join(at, "person_id")
            later = joined.event_time > joined.reached_time
            if step != steps[place - 1]:
                later |= joined.event_time == joined.reached_time
            here = joined.filter(later)
        at = here.group_by("person_id").aggregate(reached_time=here.event_time.min())
        counts.append(int(view.ask(at.aggregate(persons=at.count())).column("persons")[0].as_py()))
    return tuple(counts)


def _received(table: "ir.Table", from_time: int, to_time: int) -> "ir.Table":
    received = table.received_time
    return table.filter((received >= moment_of(from_time)) & (received < moment_of(to_time)))


def _tracks(view: "View") -> "ir.Table":
    return view.events.filter(view.events.kind == "track")
