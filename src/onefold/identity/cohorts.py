"""Frozen cohorts: their members stay as they were, and what merges changed is told beside.

A cohort is an entry of the log with its members: each person's name at that time and all its
identifiers. Nothing that is decided of who is who afterwards rewrites it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from onefold.governance import require
from onefold.identity import queries
from onefold.store import FactsWriter, LogRow

if TYPE_CHECKING:
    from onefold.store import View

FREEZE, DISSOLVE = "cohort.freeze", "cohort.dissolve"
"""Routes of the control entries that freeze a cohort, and that undo it."""
MOST_MEMBERS = 1_000_000


class Frozen(msgspec.Struct, frozen=True):
    """What a control entry of `FREEZE` says; one of `DISSOLVE` says the name alone.

    Attributes:
        cohort: Its name.
        how: How its members were chosen, in words.
        frozen_time: When, microseconds.
        members: Person at that time -> the keys of its identifiers.
    """

    cohort: str
    how: str = ""
    frozen_time: int = 0
    members: dict[str, list[int]] = {}


@dataclass(frozen=True, slots=True)
class Cohort:
    """A frozen cohort, and what has changed of who its members are.

    Attributes:
        name: Its name.
        how: How its members were chosen.
        frozen_time: When, microseconds.
        members: How many persons it has, for ever.
        merged: How many of them are now one person with another member.
        split: How many of them are now several persons.
        gone: How many of them have no identifier left.
    """

    name: str
    how: str
    frozen_time: int
    members: int
    merged: int = 0
    split: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a frozen cohort, and what has become of it.

    Attributes:
        member: The person it was.
        now: The persons to whom its identifiers belong now; none where nobody is known by it.
        change: `merged`, `split`, both, or `gone`; empty where it is who it was.
        others: The members who are one person with it now.
    """

    member: int
    now: tuple[int, ...]
    change: str
    others: tuple[int, ...]


class CohortsFold:
    """Keeps `cohorts` and `members`."""

    def fold(self, controls: Sequence[LogRow], writer: FactsWriter) -> None:
        """Write what control entries freeze, and undo what they dissolve; the first one stands."""
        for row in controls:
            if row.route not in {FREEZE, DISSOLVE}:
                continue
            entry = msgspec.json.decode(row.body, type=Frozen)
            named = pa.table({"cohort": [entry.cohort]})
            standing = writer.matching("cohorts", named, ["cohort"])
            if row.route == FREEZE and not standing.num_rows:
                _write(entry, row.offset, writer)
            elif row.route == DISSOLVE:
                for table in ("cohorts", "members"):
                    writer.delete(table, named, ["cohort"])


def _write(entry: Frozen, offset: int, writer: FactsWriter) -> None:
    time = pa.array([entry.frozen_time], pa.int64()).cast(pa.timestamp("us"))
    writer.insert(
        "cohorts",
        pa.table(
            {
                "cohort": [entry.cohort],
                "how": [entry.how],
                "frozen_time": time,
                "log_offset": pa.array([offset], pa.int64()),
            }
        ),
    )
    pairs = [(int(person), key) for person, keys in entry.members.items() for key in keys]
    writer.insert(
        "members",
        pa.table(
            {
                "cohort": pa.array([entry.cohort] * len(pairs), pa.string()),
                "member": pa.array([person for person, _ in pairs], pa.int64()),
                "key": pa.array([key for _, key in pairs], pa.int64()),
            }
        ),
    )


def who_did(view: "View", event: str, span: tuple[int, int]) -> dict[int, list[int]]:
    """Return the persons who did something in a span, with all their identifiers' keys."""
    require(view.question.asker, "see_persons")
    return queries.keys_of_who_did(view, event, span)


def who_are(view: "View", persons: Any) -> dict[int, list[int]]:
    """Return the persons of a table with `person_id`, with all their identifiers' keys."""
    require(view.question.asker, "see_persons")
    return queries.keys_of(view, persons)


def frozen(view: "View") -> tuple[Cohort, ...]:
    """Return the frozen cohorts with what changed of their members, the newest first."""
    require(view.question.asker, "see_persons")
    now = queries.members_now(view)
    told = queries.cohorts(view)
    return tuple(_compared(*each, now.get(each[0], {})) for each in told)


def members(view: "View", name: str) -> tuple[Member, ...]:
    """Return the members of a frozen cohort, those of whom something changed first."""
    require(view.question.asker, "see_persons")
    found = queries.members_now(view, name).get(name, {})
    owners = _owners(found)
    told = [_member(member, persons, owners) for member, persons in found.items()]
    return tuple(sorted(told, key=lambda one: (not one.change, one.member)))


def _member(member: int, persons: Sequence[int | None], owners: Mapping[int, set[int]]) -> Member:
    now = tuple(sorted({person for person in persons if person is not None}))
    others = set().union(*(owners[person] for person in now)) - {member}
    words = ("merged" if others else "", "split" if len(now) > 1 else "", "" if now else "gone")
    return Member(member, now, " and ".join(filter(None, words)), tuple(sorted(others)))


def _owners(members: Mapping[int, Sequence[int | None]]) -> dict[int, set[int]]:
    """Return person of now -> the members that it is."""
    owners: dict[int, set[int]] = defaultdict(set)
    for member, persons in members.items():
        for person in persons:
            if person is not None:
                owners[person].add(member)
    return owners


def _compared(
    name: str, how: str, time: int, members: Mapping[int, Sequence[int | None]]
) -> Cohort:
    """Return a cohort, given of each member the persons of its identifiers now."""
    owners = _owners(members)
    split = gone = 0
    for persons in members.values():
        known = {person for person in persons if person is not None}
        split += len(known) > 1
        gone += not known
    merged = {member for some in owners.values() if len(some) > 1 for member in some}
    return Cohort(name, how, time, len(members), len(merged), split, gone)
