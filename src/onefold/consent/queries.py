"""Questions about consent over the View."""

from typing import TYPE_CHECKING

import ibis

from onefold.consent.records import Said
from onefold.model.time import from_datetime, to_datetime

if TYPE_CHECKING:
    from onefold.store import View

_SAID = tuple(Said.__slots__)


def said_of(view: "View", key: int) -> tuple[Said, ...]:
    """Return all that was said of the person of an identifier, the earliest first."""
    mine = view.consents.filter(view.consents.key == key)
    rows = view.ask(mine.select(*_SAID).distinct()).to_pylist()
    for row in rows:
        row |= {name: from_datetime(row[name]) for name in ("from_time", "last_time")}
    ordered = sorted(rows, key=lambda row: (row["from_time"], row["log_offset"], row["place"]))
    return tuple(Said(**row) for row in ordered)


def is_known(view: "View", key: int) -> bool:
    """Return whether an identifier was ever seen, or anything said of it."""
    keys = (table.filter(table.key == key).select("key") for table in _told(view))
    return any(view.ask(each.limit(1)).num_rows for each in keys)


def _told(view: "View") -> tuple["ibis.Table", ...]:
    return view.identifiers, view.consents


def may_use(view: "View", key: int) -> bool:
    """Return whether an event of the person of an identifier may be used for the View's purpose."""
    mine = view.identifiers.filter(view.identifiers.key == key).select("person_id")
    found = view.person_events.semi_join(mine, "person_id")
    return bool(view.ask(found.select("identifier").limit(1)).num_rows)


def by_purpose(view: "View") -> list[dict[str, object]]:
    """Return purpose, granted, means -> how many identifiers it was said of, and when last."""
    said = view.consents.filter(view.consents.key == view.consents.of_key)
    counted = said.group_by("purpose", "granted", "means").aggregate(
        identifiers=said.of_key.nunique(), last_time=said.last_time.max()
    )
    ordered = counted.order_by("purpose", ibis.desc("granted"), "means")
    return view.ask(ordered).to_pylist()  # type: ignore[no-any-return]


def held_events(view: "View", from_time: int, to_time: int) -> tuple[int, int]:
    """Return how many events of a span were held for a yes, and how many stand by name now."""
    first, after = (to_datetime(time).replace(tzinfo=None).date() for time in (from_time, to_time))
    day, message = view.held.received_date, ["message_hi", "message_lo"]
    mine = view.held.filter(
        day >= first, day < after, view.held.environment == view.question.environment
    )
    held = mine.select(*message).distinct()
    named = held.semi_join(view.events.filter(view.events.identifier.notnull()), message)
    came, let_in = (view.ask(one.aggregate(n=one.count()))["n"][0].as_py() for one in (held, named))
    return int(came), int(let_in)


def before_consent(view: "View", from_time: int, to_time: int) -> tuple[int, int]:
    """Return how many events of a span were kept as nobody's, and how many only counted."""
    first, after = (to_datetime(time).replace(tzinfo=None) for time in (from_time, to_time))
    dropped = view.dropped.filter(
        (view.dropped.received_date >= first.date()) & (view.dropped.received_date < after.date())
    )
    counted = view.ask(dropped.aggregate(events=dropped.events.sum()))["events"][0].as_py()
    return view.left_out(from_time, to_time), int(counted or 0)
