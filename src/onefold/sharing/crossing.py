"""Data across borders: the register of bases, and of the transfers that happened."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from onefold.collect import sources
from onefold.model.errors import BadInput, NotAllowed, NotFound
from onefold.model.records import Answer, Asker, Column
from onefold.model.time import format_time
from onefold.sharing import store
from onefold.sharing.records import BASES, UNKNOWN_REGION, Batch, Destination, Transfer
from onefold.sharing.records import TransferBasis as Basis

if TYPE_CHECKING:
    from onefold.store import State

REGION = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_MOST_SHOWN = 1000


def register(
    state: "State",
    asker: Asker,
    *,
    from_region: str,
    to_region: str,
    basis: str,
    note: str,
    until_time: int | None = None,
) -> Basis:
    """Register why data may go from one region to another, and return it.

    Raises:
        BadInput: A region or the basis is none, nothing is told of it, or it is over already.
    """
    for region in (from_region, to_region):
        check_region(region)
    if basis not in BASES:
        raise BadInput(f"No basis `{basis}`.", f"Use one of: {', '.join(BASES)}.")
    if not note.strip():
        message = "Nothing is told of the decision or the contract that it rests on."
        raise BadInput(message, "Name it with --note, so that somebody can look it up.")
    now = state.now()
    if until_time is not None and until_time <= now:
        message = f"{format_time(until_time)} is over."
        raise BadInput(message, "Let --until be a later time, or leave it out.")
    told = {
        "from_region": from_region,
        "to_region": to_region,
        "basis": basis,
        "note": note.strip(),
        "approved_by": asker.name,
        "approved_time": now,
        "until_time": until_time,
        "revoked_time": None,
    }
    subject = f"{from_region} to {to_region}"
    detail = {"basis": basis, "until": None if until_time is None else format_time(until_time)}
    with state.change(asker, "transfer.register", subject, detail=detail) as change:
        store.put_basis(change, told)
    return store.bases(state)[-1]


def revoke(state: "State", asker: Asker, number: int) -> Basis:
    """Let a basis end now, and return it as it was.

    Raises:
        NotFound: There is none of that number that stands.
    """
    found = next((one for one in store.bases(state) if one.id == number), None)
    if found is None or found.revoked_time is not None:
        raise NotFound(f"No basis {number} stands.", "Look with `onefold transfer list`.")
    subject = f"{found.from_region} to {found.to_region}"
    with state.change(asker, "transfer.revoke", subject, detail={"id": number}) as change:
        store.revoke_basis(change, number, state.now())
    return found


def check_region(region: str) -> None:
    """Pass where a region is named as sources and destinations name theirs.

    Raises:
        BadInput: It is not.
    """
    if not REGION.fullmatch(region):
        raise BadInput(f"`{region[:80]}` is no region.", "Use a short word such as `eu` or `us`.")


def holds(one: Basis, now: int) -> bool:
    """Return whether a basis is in force at a time."""
    return one.revoked_time is None and (one.until_time is None or now < one.until_time)


class Borders:
    """Which borders data may cross now, and what crosses them."""

    def __init__(self, state: "State", now: int) -> None:
        self._now = now
        self._regions = {one.name: one.region for one in sources.list_sources(state)}
        self._bases = [one for one in store.bases(state) if holds(one, now)]

    def region_of(self, source: str) -> str:
        """Return where the data of a source is from."""
        return self._regions.get(source) or UNKNOWN_REGION

    def basis(self, from_region: str, to_region: str) -> Basis | None:
        """Return the basis of a transfer, the one that holds longest; None where there is none."""
        found = [
            one
            for one in self._bases
            if (one.from_region, one.to_region) == (from_region, to_region)
        ]
        return max(
            found, key=lambda one: (one.until_time is None, one.until_time or 0), default=None
        )

    def check(self, destination: Destination, named: Iterable[str]) -> None:
        """Pass where data of these sources may go to a destination.

        Raises:
            NotAllowed: A border has no basis; the message says which.
        """
        for source in sorted(set(named)):
            here, there = self.region_of(source), destination.region
            if here == there or self.basis(here, there) is not None:
                continue
            message = (
                f"`{destination.name}` is blocked: nothing is registered that lets data of source "
                f"`{source}` go from region {here} to {there}."
            )
            fix = (
                f"Register one: `onefold transfer register {here} {there} --basis scc --note ...`."
            )
            if here == UNKNOWN_REGION:
                fix = f"Say where its people are: `onefold source set {source} --region eu`. {fix}"
            raise NotAllowed(message, fix)

    def crossed(self, destination: Destination, batches: Sequence[Batch]) -> tuple[Transfer, ...]:
        """Return the transfers that these batches were, one a border."""
        events: Mapping[str, list[int]] = defaultdict(list)
        for batch in batches:
            for source, key in zip(batch.sources, batch.keys, strict=True):
                events[self.region_of(source)].append(key)
        return self.transfers(
            destination, {here: (len(keys), len(set(keys))) for here, keys in events.items()}
        )

    def transfers(
        self, destination: Destination, counts: Mapping[str, tuple[int, int]]
    ) -> tuple[Transfer, ...]:
        """Return the transfers of (events, people) by the region they are from."""
        found = []
        for here, (events, people) in sorted(counts.items()):
            basis = self.basis(here, destination.region)
            if here == destination.region or basis is None:
                continue
            found.append(
                Transfer(
                    destination=destination.name,
                    from_region=here,
                    to_region=destination.region,
                    basis=basis.basis,
                    basis_id=basis.id,
                    time=self._now,
                    events=events,
                    people=people,
                )
            )
        return tuple(found)


def listed(state: "State") -> Answer:
    """Return the register of bases as an answer."""
    now = state.now()
    return Answer(
        columns=(
            Column("id", "integer"),
            Column("from_region", "text"),
            Column("to_region", "text"),
            Column("basis", "text"),
            Column("note", "text"),
            Column("approved_by", "text"),
            Column("approved_time", "time"),
            Column("until_time", "time"),
            Column("state", "text"),
        ),
        rows=tuple(
            (
                one.id,
                one.from_region,
                one.to_region,
                one.basis,
                one.note,
                one.approved_by,
                one.approved_time,
                one.until_time,
                "holds" if holds(one, now) else "revoked" if one.revoked_time else "over",
            )
            for one in store.bases(state)
        ),
        definition="On what data may go from one region to another. Without a basis that holds, a "
        "destination sends nothing across that border.",
        as_of_time=now,
    )


def happened(state: "State", *, last: int = 100) -> Answer:
    """Return the transfers that happened as an answer, the latest first."""
    rows = store.transfers(state, most=min(max(last, 1), _MOST_SHOWN))
    return Answer(
        columns=(
            Column("transfer_time", "time"),
            Column("destination", "text"),
            Column("from_region", "text"),
            Column("to_region", "text"),
            Column("basis", "text"),
            Column("basis_id", "integer"),
            Column("events", "integer"),
            Column("identifiers", "integer"),
        ),
        rows=tuple(
            (
                one.time,
                one.destination,
                one.from_region,
                one.to_region,
                one.basis,
                one.basis_id,
                one.events,
                one.people,
            )
            for one in rows
        ),
        definition="What went across a border, one row a delivery, and on what it rested.",
        as_of_time=state.now(),
    )
