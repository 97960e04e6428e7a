"""The touchpoint inventory: every kind of contact with people, whose it is, who can change it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onefold.collect.times import micros_of
from onefold.model.documents import Fields, read_document
from onefold.model.facts import IMPORTED
from onefold.model.time import DAY, day_of, day_start, to_datetime

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

FILE = "touchpoints.yaml"
DAYS = 28
CONTROLLABLE, INFLUENCEABLE = CONTROLS = ("controllable", "influenceable")
KINDS = (
    "event",
    "channel",
    "campaign",
    "service",
    "interaction",
    "survey",
    "support",
    "store",
    "mention",
)
"""What a touchpoint may be. A mention is what people say of us: a comment that came in."""
OURS = ("paid*", "email*", "sms*", "push*", "display*", "affiliate*", "internal*", "owned*")
"""Channels that are ours to change; by any other people come for what others do or say."""


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """One touchpoint.

    Attributes:
        kind: One of `KINDS`.
        name: What it is called where it was told.
        volume: How often in the last 28 whole days.
        former: How often in the 28 days before.
        total: How often at all.
        last_time: When it was used last, microseconds UTC, or None.
        owner: Who answers for it; empty where nobody says.
        control: One of `CONTROLS`.
    """

    kind: str
    name: str
    volume: int
    former: int
    total: int
    last_time: int | None
    owner: str = ""
    control: str = CONTROLLABLE


@dataclass(frozen=True, slots=True)
class Said:
    """What the file says of the touchpoints of a kind whose name fits a pattern."""

    kind: str
    name: str
    owner: str
    control: str


def read_said(folder: Path) -> tuple[Said, ...]:
    """Return what `touchpoints.yaml` of the definitions says, in its order; nothing without one.

    Raises:
        BadInput: It cannot be used; with file, line and column.
    """
    path = folder / FILE
    if not path.is_file():
        return ()
    fields = read_document(path.read_text("utf-8"), FILE)
    found = tuple(map(_said, fields.each("touchpoints")))
    fields.close()
    return found


def _said(fields: Fields) -> Said:
    kind = fields.choice("kind", KINDS)
    said = Said(
        kind=kind,
        name=fields.text("name", "*"),
        owner=fields.text("owner", ""),
        control=fields.choice("control", CONTROLS, ""),
    )
    fields.close()
    return said


def inventory(view: "View", said: Sequence[Said] = ()) -> tuple[Touchpoint, ...]:
    """Return every touchpoint that was ever used, the busiest of each kind first.

    Args:
        view: The facts as the asker may see them.
        said: Owners and controllability; the first that fits holds.
    """
    end = day_start(day_of(view.now, view.zone), view.zone)
    found = []
    for kind, asked in _asked(view).items():
        rows = view.ask(_counted(*asked, end)).to_pylist()
        found += [_owned(_touchpoint(kind, row), said) for row in rows]
    return tuple(sorted(found, key=lambda one: (KINDS.index(one.kind), -one.volume, one.name)))


def _asked(view: "View") -> "dict[str, tuple[ir.Table, str, str]]":
    """Return kind -> a row a use, the column that names it, and that which says when."""
    events, contexts, told = view.events, view.contexts, view.records
    events = events.filter(events.kind != IMPORTED)
    around = events.inner_join(contexts, events.context_key == contexts.key)
    return {
        "event": (events, "event", "event_time"),
        "channel": (around, "channel", "event_time"),
        "campaign": (around, "utm_campaign", "event_time"),
        "service": (told["interactions"], "service", "start_time"),
        "interaction": (told["interactions"], "kind", "start_time"),
        "survey": (told["answers"], "survey", "answer_time"),
        "support": (told["tickets"], "topic", "opened_time"),
        "store": (told["purchases"], "store", "purchase_time"),
        "mention": (told["comments"], "channel", "comment_time"),
    }


def _counted(uses: "ir.Table", name: str, time: str, end: int) -> "ir.Table":
    """Return name, volume, former, total and last_time of what was used."""
    now, former, start = (
        to_datetime(end - days * DAY).replace(tzinfo=None) for days in (0, DAYS, 2 * DAYS)
    )
    named = uses.select(name=uses[name], time=uses[time])
    named = named.filter(named.name.notnull() & (named.name != ""))
    return named.group_by("name").aggregate(
        volume=named.count(where=(named.time >= former) & (named.time < now)),
        former=named.count(where=(named.time >= start) & (named.time < former)),
        total=named.count(),
        last_time=named.time.max(),
    )


def _touchpoint(kind: str, row: dict[str, Any]) -> Touchpoint:
    control = CONTROLLABLE
    if kind == "mention" or (kind == "channel" and not _fits(row["name"], OURS)):
        control = INFLUENCEABLE
    return Touchpoint(
        kind=kind,
        name=row["name"],
        volume=row["volume"],
        former=row["former"],
        total=row["total"],
        last_time=None if row["last_time"] is None else micros_of(row["last_time"]),
        control=control,
    )


def _owned(one: Touchpoint, said: Sequence[Said]) -> Touchpoint:
    """Return a touchpoint with what the first fitting line says of owner and of control."""
    mine = [each for each in said if each.kind == one.kind and fnmatchcase(one.name, each.name)]
    owner = next((each.owner for each in mine if each.owner), "")
    control = next((each.control for each in mine if each.control), one.control)
    return replace(one, owner=owner, control=control)


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)
