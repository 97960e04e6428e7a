"""One run of a destination: what is no longer allowed is taken back first, then what is new goes.

What is guaranteed: every event that the View allows arrives at least once and in the order of the
log; what is tried again carries the same message id, rows are known by `message_id` and persons
by `subject`, so that a receiver who puts and drops by those holds exactly what is allowed. The
ledger and the cursor move in one transaction after the receiver has taken a batch. Nothing new
goes while something that must be taken back could not be.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import xor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onefold.model.errors import MachineFailed, OnefoldError
from onefold.model.records import Asker, Question
from onefold.model.time import HOUR, MINUTE, SECOND, format_time
from onefold.sharing import store
from onefold.sharing.audiences import write_audience
from onefold.sharing.carriers import Carrier, Taken, Undelivered, carrier_of
from onefold.sharing.crossing import Borders
from onefold.sharing.queries import Outgoing, people_by_identifier, sources_of, tally
from onefold.sharing.records import AUDIENCE, Batch, DeadLetter, Destination, Run, Standing
from onefold.sharing.registering import FOLDER, destination_named
from onefold.sharing.values import values_of_people

if TYPE_CHECKING:
    from onefold.store import State, Vault, View

WAITS = tuple(
    seconds * SECOND for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
)
"""How long a failed batch waits for its next try, as Standard Webhooks recommends."""
_LONGEST_WAIT = HOUR
_NOTHING_YET = Standing(0, 0)
MOST_BATCHES = 50
"""Batches of one run; the next one goes on."""


@dataclass(frozen=True, slots=True)
class House:
    """What a run works with.

    Attributes:
        state: Destinations, ledger, register.
        vault: Values, for those who get any.
        folder: The workspace.
        clock: Tells the time.
        view: Makes a View.
        through: The last log offset that the facts hold.
        asker: Whose the run is.
    """

    state: "State"
    vault: "Vault"
    folder: Path
    clock: Callable[[], int]
    view: Callable[[Question], "View"]
    through: int
    asker: Asker


def run(house: House, name: str, *, fresh: bool = True, most: int = MOST_BATCHES) -> Run:
    """Run a destination and return what was done.

    Args:
        house: What it works with.
        name: Of the destination.
        fresh: Send what is new; else only take back what is not allowed any more.
        most: Batches at most.

    Raises:
        NotFound: There is no such destination.
        NotAllowed: A border has no basis; nothing new went out.
        MachineFailed: The receiver did not take something; it is tried again later.
    """
    destination = destination_named(house.state, name)
    if fresh:
        store.note(house.state, name, last_time=house.clock())
    trip = _trip(house, destination)
    try:
        if destination.kind == AUDIENCE:
            return trip.audience(fresh=fresh)
        return trip.events(fresh=fresh and not destination.stopped, most=most)
    except Undelivered as error:
        raise trip.failed(error) from error
    except OnefoldError as error:
        said = f"{error.message} {error.fix}".strip()
        store.note(house.state, name, trouble=said, next_time=None)
        raise


def letters(state: "State", name: str) -> tuple[DeadLetter, ...]:
    """Return the dead letters of a destination, the oldest first."""
    return store.dead_letters(state, name)


def note_trouble(state: "State", name: str, kind: str) -> None:
    """Keep that a run broke off by an error of our own; only its kind is told."""
    store.note(state, name, trouble=f"It broke off: {kind}.")


def empty(house: House, name: str) -> Run:
    """Take everything back that a destination was sent, and stop it.

    Raises:
        NotFound: There is no such destination.
        MachineFailed: The receiver did not hear it; it is tried again later.
    """
    destination = destination_named(house.state, name)
    with house.state.change(house.asker, "destination.empty", name) as change:
        store.set_destination(change, name, {"stopped": True})
    trip = _trip(house, replace(destination, stopped=True))
    try:
        return trip.empty()
    except Undelivered as error:
        raise trip.failed(error) from error


def replay(house: House, name: str) -> Run:
    """Deliver the dead letters of a destination anew, as far as consent allows them now.

    Raises:
        NotFound: There is no such destination.
        MachineFailed: The receiver did not take one; it stays a dead letter.
    """
    trip = _trip(house, destination_named(house.state, name))
    events = batches = 0
    for letter in store.dead_letters(house.state, name):
        # The others stay out of what is compared; this one is asked for by its stretch.
        found = trip.out.batch(letter.first, letter.last)
        try:
            if found.rows:
                trip.borders.check(trip.destination, found.sources)
                trip.carrier.carry(found, trip.destination.sequence)
        except Undelivered as error:
            tries = letter.tries + 1
            store.note_dead_letter(house.state, letter.id, tries, error.message)
            raise MachineFailed(error.message, "It stays a dead letter.") from error
        trip.delivered(found, dead=letter.id)
        events, batches = events + len(found.rows), batches + 1
    return Run(name, events, 0, batches, trip.destination.cursor)


def _only_more(stands: Standing, allowed: Standing | None) -> bool:
    return allowed is not None and allowed.events > stands.events


def _trip(house: House, destination: Destination) -> "_Trip":
    terms = Question(
        asker=house.asker, purpose=destination.purpose, environment=destination.environment
    )
    spans = tuple(
        (one.first, one.last) for one in store.dead_letters(house.state, destination.name)
    )
    out = Outgoing(house.view(terms), destination, spans, house.vault)
    return _Trip(house, destination, out)


class _Trip:
    """One run under way."""

    def __init__(self, house: House, destination: Destination, out: Outgoing) -> None:
        self._house = house
        self.destination = destination
        self.out = out
        self.borders = Borders(house.state, house.clock())
        self._folder = house.folder / FOLDER / destination.name
        self.carrier: Carrier = carrier_of(out, self._folder, house.clock)
        self._owing = False
        """Something is being taken back."""

    # ------------------------------------------------------------ events

    def events(self, *, fresh: bool, most: int) -> Run:
        self.carrier.begin(self.destination.cursor)
        taken, again = self._settle(fresh=fresh)
        events, batches = again, 0
        more = False
        while fresh:
            end = self._next_end()
            if end is None:
                break
            if batches >= most:
                more = True
                break
            found = self.out.batch(self.destination.cursor + 1, end)
            self.borders.check(self.destination, found.sources)
            if not self.carrier.rewrites:
                store.intend(self._house.state, self.destination.name, found.keys, end)
            self.carrier.carry(found, self.destination.sequence)
            self.delivered(found)
            events, batches = events + len(found.rows), batches + 1
        cursor = self.destination.cursor
        if fresh or taken:
            self._note(tries=0, next_time=None, trouble="")
        return Run(self.destination.name, events, taken, batches, cursor, more=more)

    def _next_end(self) -> int | None:
        """Return where the next batch ends; one that is tried again ends where it did."""
        pending, cursor = self.destination.pending_to, self.destination.cursor
        if pending is not None and pending > cursor:
            return pending
        return self.out.end_of_batch(cursor, self._house.through, self.carrier.most)

    def _settle(self, *, fresh: bool) -> tuple[int, int]:
        """Take back what is not allowed any more; return of how many, and what went anew."""
        one = self.destination
        as_it_stands = Standing(one.sent_events, one.sent_mark)
        if one.pending_to is None and self.out.whole(one.cursor) == as_it_stands:
            return 0, 0
        standing = store.ledger(self._house.state, one.name)
        allowed = self.out.standings(one.cursor)
        changed = frozenset(
            key
            for key in {*standing, *allowed} - self._coming(standing)
            if standing.get(key) != allowed.get(key)
        )
        gone = changed & set(standing)
        if not fresh:
            # What only came to be allowed waits until something new may go.
            gone = frozenset(key for key in gone if not _only_more(standing[key], allowed.get(key)))
        wanted = changed & set(allowed)
        self._owing = True
        keep = fresh and self._may_cross(wanted)
        if gone or (keep and wanted):
            self._take_back(changed if keep else frozenset(gone), standing, keep=keep)
        self._owing = False
        return len(gone), self._bring_again(wanted) if keep else 0

    def _coming(self, standing: Mapping[int, Standing]) -> frozenset[int]:
        """Return who may stand there only by a batch that broke off, and comes with it again."""
        one = self.destination
        if one.pending_to is None:
            return frozenset()
        there = self.out.keys_between(one.cursor + 1, one.pending_to)
        return frozenset(key for key in there if standing.get(key) == _NOTHING_YET)

    def _may_cross(self, keys: Collection[int]) -> bool:
        try:
            for batch in self.out.again(keys, self.destination.cursor):
                self.borders.check(self.destination, batch.sources)
        except OnefoldError:
            return False
        return True

    def _take_back(
        self, keys: frozenset[int], standing: Mapping[int, Standing], *, keep: bool
    ) -> None:
        stood = [key for key in keys if key in standing]
        subjects = [self.out.subject(key) for key in stood]
        one = self.destination
        if subjects or self.carrier.rewrites:
            taken = Taken(keys, keep, one.cursor)
            self.carrier.take_back(taken, subjects, one.sequence)
        events = sum(standing[key].events for key in stood)
        mark = reduce(xor, (standing[key].mark for key in stood), 0)
        detail = {"identifiers": len(stood), "events": events}
        self._commit(
            "destination.take_back",
            detail,
            {
                "sent_events": one.sent_events - events,
                "sent_mark": one.sent_mark ^ mark,
                "sequence": one.sequence + 1,
            },
            lambda change: store.take_from_ledger(change, one.name, stood),
        )

    def _bring_again(self, keys: Collection[int]) -> int:
        """Send anew what is still allowed of identifiers of which something was taken back."""
        events = 0
        for batch in self.out.again(keys, self.destination.cursor):
            if not batch.rows:
                continue
            if not self.carrier.rewrites:
                self.carrier.carry(batch, self.destination.sequence)
            self.delivered(batch, again=True)
            events += len(batch.rows)
        return events

    def delivered(self, batch: Batch, *, again: bool = False, dead: int | None = None) -> None:
        """Keep that a batch was delivered: ledger, cursor and transfers in one transaction."""
        one = self.destination
        added = tally(batch.keys, batch.marks)
        values: dict[str, Any] = {
            "sent_events": one.sent_events + len(batch.rows),
            "sent_mark": one.sent_mark ^ reduce(xor, batch.marks, 0),
            "sequence": one.sequence + 1,
        }
        if not again and dead is None:
            values |= {"cursor": batch.last, "pending_to": None, "tries": 0, "next_time": None}
        detail = {"events": len(batch.rows), "from": batch.first, "to": batch.last}
        crossed = self.borders.crossed(one, (batch,))

        def keep(change: Any) -> None:
            store.add_to_ledger(change, one.name, added)
            store.put_transfers(change, crossed)
            if dead is not None:
                store.drop_dead_letter(change, dead)

        self._commit("destination.send", detail, values, keep)

    def empty(self) -> Run:
        """Take everything back."""
        one = self.destination
        standing = store.ledger(self._house.state, one.name)
        subjects = [self.out.subject(key) for key in standing]
        self._owing = True
        if one.kind == AUDIENCE:
            platform = str(one.settings["platform"])
            write_audience(self._folder, platform, {}, self._house.clock())
        elif subjects:
            # Nothing stands beyond the start: a carrier of files removes them all.
            self.carrier.begin(-1)
            self.carrier.take_back(Taken(frozenset(standing), False, -1), subjects, one.sequence)
        self._commit(
            "destination.take_back",
            {"identifiers": len(standing), "events": one.sent_events},
            {
                "sent_events": 0,
                "sent_mark": 0,
                "cursor": -1,
                "pending_to": None,
                "sequence": one.sequence + 1,
                "trouble": "",
                "next_time": None,
                "tries": 0,
            },
            lambda change: store.clear_ledger(change, one.name),
        )
        return Run(one.name, 0, len(standing), 0, -1)

    # ------------------------------------------------------------ audiences

    def audience(self, *, fresh: bool) -> Run:
        """Write an audience anew where it is due, or where somebody is to be taken out."""
        one, now = self.destination, self._house.clock()
        people = people_by_identifier(self.out.view)
        standing = store.ledger(self._house.state, one.name)
        gone = set(standing) - set(people)
        if one.stopped or not fresh:
            # Who stays is who was in before: nobody new goes out by taking back.
            people = {key: person for key, person in people.items() if key in standing}
            if not gone:
                return Run(one.name, cursor=one.cursor)
        counts = sources_of(self.out.view)
        if fresh and not one.stopped:
            self.borders.check(one, counts)
        values = values_of_people(self._house.vault, people)
        rows, _ = write_audience(self._folder, str(one.settings["platform"]), values, now)
        added = {key: Standing(1, key) for key in people}
        regions: dict[str, tuple[int, int]] = {}
        for source, (events, heads) in counts.items():
            region = self.borders.region_of(source)
            former = regions.get(region, (0, 0))
            regions[region] = (former[0] + events, former[1] + heads)
        crossed = self.borders.transfers(one, regions) if fresh else ()

        def keep(change: Any) -> None:
            store.clear_ledger(change, one.name)
            store.add_to_ledger(change, one.name, added, anew=True)
            store.put_transfers(change, crossed)

        values_now = {
            "sent_events": len(added),
            "sequence": one.sequence + 1,
            "cursor": self._house.through,
            "trouble": "",
            "next_time": None,
            "tries": 0,
        }
        detail = {"rows": rows, "identifiers": len(added), "taken_back": len(gone)}
        self._commit("destination.send", detail, values_now, keep)
        return Run(one.name, rows, len(gone), 1, self._house.through)

    # ------------------------------------------------------------ what is kept

    def failed(self, error: Undelivered) -> MachineFailed:
        """Keep that the receiver did not take something; return the error to tell."""
        one = self.destination
        tries, now = one.tries + 1, self._house.clock()
        if error.gone:
            self._note(stopped=True, trouble=error.message, tries=tries)
            return MachineFailed(error.message, error.fix)
        end = None if self._owing else self._next_end()
        if self.carrier.gives_up and end is not None and tries > len(WAITS):
            self._give_up(end, tries, error.message)
            return MachineFailed(error.message, f"See `onefold destination letters {one.name}`.")
        wait = WAITS[min(tries, len(WAITS)) - 1]
        if not self.carrier.gives_up:
            wait = min(wait, _LONGEST_WAIT)
        again = now + (MINUTE // 2 if self._owing else wait)
        self._note(tries=tries, next_time=again, trouble=error.message, pending_to=end)
        what = "What must be taken back goes first; it is" if self._owing else "It is"
        return MachineFailed(error.message, f"{what} tried again at {format_time(again)}.")

    def _give_up(self, end: int, tries: int, reason: str) -> None:
        """Let a stretch be a dead letter, so that what comes after it goes on."""
        one = self.destination
        letter = {
            "destination": one.name,
            "first": one.cursor + 1,
            "last": end,
            "tries": tries,
            "reason": reason,
            "time": self._house.clock(),
        }
        values = {
            "cursor": end,
            "pending_to": None,
            "tries": 0,
            "next_time": None,
            "trouble": reason,
        }
        self._commit(
            "destination.give_up",
            {"from": one.cursor + 1, "to": end, "tries": tries},
            values,
            lambda change: store.put_dead_letter(change, letter),
        )

    def _note(self, **values: Any) -> None:
        store.note(self._house.state, self.destination.name, **values)
        self.destination = replace(self.destination, **values)

    def _commit(
        self,
        action: str,
        detail: Mapping[str, object],
        values: Mapping[str, Any],
        keep: Callable[[Any], None],
    ) -> None:
        name = self.destination.name
        with self._house.state.change(self._house.asker, action, name, detail=detail) as change:
            keep(change)
            store.set_destination(change, name, values)
        self.destination = replace(self.destination, **values)
