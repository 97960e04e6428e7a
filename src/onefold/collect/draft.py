"""Log rows to columns: identifiers to keys, personal fields aside, described fields on their own.

Nothing is asked of the facts here, so the same rows give the same sheet wherever they are read.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect import promote
from onefold.collect.channels import shipped_channels
from onefold.collect.dialects.segment import KIND_SET, read
from onefold.collect.dialects.stored import Columns, read_singles, read_stored
from onefold.collect.enrich import Enricher
from onefold.collect.known_as import Blocked, KnownAs, in_traits
from onefold.collect.personal import personal
from onefold.collect.records import Code
from onefold.collect.reentry import judged_anew
from onefold.collect.rules import FoldRules
from onefold.collect.scrub import Scrub, tombstone_in
from onefold.collect.sheet import Notes, Sheet, Waiting
from onefold.collect.stating import DROPPED, Statement, consent_in, is_change, statements_in
from onefold.collect.stating import TOLD as CONSENT
from onefold.collect.times import SENT
from onefold.collect.traffic import Marks, shipped_traffic
from onefold.collect.traits import TOLD, dated, personal_traits, traits_in
from onefold.consent import Gate
from onefold.model.facts import TABLES
from onefold.model.ids import IDENTIFIER_KINDS, identifier_key, message_digest, message_hash
from onefold.model.time import DAY
from onefold.store import LogRow

Ints = npt.NDArray[np.int64]

NOT_EVENTS = frozenset({"records", "control"})
"""Dialects that no sender of events speaks; what all the others brought, intake wrote alike."""
_MOST_CACHED = 400_000
_MOST_SAID = 50_000
_WAITING = 16
"""Verdict bytes from here on are of events that do not count."""
_GONE = Code.ERASED << 4
"""And from here on of such of which only the place is left."""
_NOTHING: frozenset[str] = frozenset()


@dataclass(slots=True)
class Draft:
    """Rows of `events` under construction: each list has one entry an accepted event.

    Attributes:
        rows: The log rows read.
        at: Place in `rows`.
        places: Place in the log row.
        digests: 128-bit hashes of the message ids.
        purposes: Masks of what consent allows.
        promoted: What holds the values of the promoted columns.
        surroundings: Places of what the enricher says of the contexts.
        told: Spot -> traits of the person that an event tells beside, as sent.
        said: Spot -> what an event with an identifier refuses and grants itself (see `stating`).
        notes: What is to be known beside the columns.
    """

    rows: Sequence[LogRow]
    at: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    bases: list[str] = field(default_factory=list)
    user_keys: list[int | None] = field(default_factory=list)
    anonymous_keys: list[int | None] = field(default_factory=list)
    account_ids: list[str | None] = field(default_factory=list)
    purposes: bytearray = field(default_factory=bytearray)
    properties: list[bytes] = field(default_factory=list)
    promoted: list[Any] = field(default_factory=list)
    surroundings: list[int] = field(default_factory=list)
    told: dict[int, bytes] = field(default_factory=dict)
    said: dict[int, int] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)

    def __len__(self) -> int:
        return len(self.at)

    def identifier(self, spot: int) -> int | None:
        """Return the key by which an event is known: the user's, else the anonymous one."""
        user = self.user_keys[spot]
        return self.anonymous_keys[spot] if user is None else user

    def keep(self, identifier: int, personal_fields: Mapping[str, str], time: int) -> None:
        """Let personal fields of somebody go to the vault."""
        for path, value in personal_fields.items():
            name, told = dated(path, time)
            self.notes.fields.append((identifier, name, value, told))


class Reader:
    """Reads log rows by one set of rules; remembers the keys of identifiers seen before."""

    def __init__(self, *, identity_key: bytes, rules: FoldRules) -> None:
        self._identity_key = identity_key
        self._promoter = promote.Promoter(rules.promoted)
        self._retries = rules.retries
        self._scrub = Scrub(identity_key, rules.erasures, rules.retries, rules.expired)
        traffic = rules.traffic or shipped_traffic()
        self._expires = bool(rules.expired)
        self._enricher = Enricher(rules.channels or shipped_channels(), traffic.bots)
        self.marks = Marks(traffic)
        self._gate = Gate(rules.consent)
        self._said: dict[bytes, int | None] = {}
        self._personal = {event: frozenset(names) for event, names in rules.personal.items()}
        self._described = {event: frozenset(names) for event, names in rules.described.items()}
        # Identifiers that the vault holds, with their keys; a part of them, to save the asking.
        self._keys: dict[str, dict[str, int]] = {kind: {} for kind in IDENTIFIER_KINDS}
        self._persons = rules.persons
        self._is_blocked = Blocked(rules.persons)

    def read(
        self, rows: Sequence[LogRow], only: Mapping[int, frozenset[int]] | None = None
    ) -> Sheet:
        """Return what rows of the log hold; names go to the vault in the order of reading.

        A name that was told once is not told again: where a sheet is not kept, begin anew.

        Args:
            rows: Of the log.
            only: Log offset -> the places that are meant; all where there is none.
        """
        old = {row.offset for row in rows if self._may_expire(row)} if self._expires else set()
        if old:
            rows = [self._scrub.row(row) if row.offset in old else row for row in rows]
        draft = self._draft(rows, only)
        draft.notes.late = sorted(old)
        sheet = Sheet(self._table(draft), draft.notes)
        late = self._late(sheet) if self._scrub.erasures else frozenset()
        if not late:
            return sheet
        # Rows that still name somebody erased are read as they are to be.
        rows = [self._scrub.row(row) if row.offset in late else row for row in rows]
        names, gone = draft.notes.names, self._scrub.since
        draft = self._draft(rows, only)
        draft.notes.names |= {key: name for key, name in names.items() if key not in gone}
        draft.notes.late = sorted(late | old)
        return Sheet(self._table(draft), draft.notes)

    def _may_expire(self, row: LogRow) -> bool:
        return row.dialect not in NOT_EVENTS and self._scrub.may_expire(row)

    def _late(self, sheet: Sheet) -> frozenset[int]:
        """Return the offsets of rows that name somebody who is erased."""
        gone = pa.array(sorted(self._scrub.since), pa.int64())
        events = sheet.events
        hits = pc.or_(pc.is_in(events["user_key"], gone), pc.is_in(events["anonymous_key"], gone))
        found = set(events.filter(hits)["log_offset"].to_pylist())
        echoes = sheet.notes.echoes
        return frozenset(found | {at for at, _, key, _ in echoes if key in self._scrub.since})

    def _draft(self, rows: Sequence[LogRow], only: Mapping[int, frozenset[int]] | None) -> Draft:
        for known in self._keys.values():
            if len(known) > _MOST_CACHED:
                known.clear()
        self._enricher.make_room()
        draft = Draft(rows)
        at = 0
        while at < len(rows):
            end = _end_of_singles(rows, at)
            if end > at and self._take_singles(at, end, draft):
                at = end
                continue
            for place in range(at, max(end, at + 1)):
                if rows[place].dialect not in NOT_EVENTS:
                    self._take_request(place, rows[place], draft, only)
            at = max(end, at + 1)
        if self.marks.by_domain:
            self._mark(draft)
        self._tell_traits(draft)
        self._promote(draft)
        for spot, told in draft.told.items():
            if (identifier := draft.identifier(spot)) is not None:
                draft.keep(identifier, personal_traits(told), draft.times[spot])
        return draft

    def _tell_traits(self, draft: Draft) -> None:
        """Let identifiers among traits, as sent, be known."""
        said: list[tuple[int, bytes]] = [*draft.told.items()]
        if "identify" in draft.kinds:
            spots = (spot for spot, kind in enumerate(draft.kinds) if kind == "identify")
            said += [(spot, draft.properties[spot]) for spot in spots]
        for spot, traits in said:
            for known in in_traits(traits, self._persons):
                self._tell(known, (spot,), draft)

    def _tell(self, known: KnownAs, spots: Sequence[int], draft: Draft) -> None:
        """Note that events tell another identifier of whoever they are of."""
        kind, value, evidence = known
        if value not in (keys := self._keys.setdefault(kind, {})):
            self._name(kind, value, keys, draft)
        draft.notes.told.setdefault((keys[value], kind, evidence), []).extend(spots)

    def _name(self, kind: str, value: str, keys: dict[str, int], draft: Draft) -> None:
        """Let the vault hear of an identifier, and the folds that it stands for nobody."""
        keys[value] = key = identifier_key(self._identity_key, kind, value)
        draft.notes.names[key] = (kind, value)
        if self._is_blocked(value):
            draft.notes.blocked.append(key)

    def _table(self, draft: Draft) -> pa.Table:
        """Return a draft as rows of `events`; it is the last one read."""
        high, low = halves_of(draft.digests)
        user_keys = pa.array(draft.user_keys, pa.int64())
        anonymous_keys = pa.array(draft.anonymous_keys, pa.int64())
        at = pa.array(draft.at, pa.int32())
        arrays: dict[str, Any] = {
            "message_hi": pa.array(high),
            "message_lo": pa.array(low),
            "place": pa.array(draft.places, pa.int32()),
            "kind": pa.array(draft.kinds, pa.string()),
            "event": pa.array(draft.events, pa.string()),
            "event_time": promote.arrow_column(draft.times, "timestamp"),
            "time_basis": pa.array(draft.bases, pa.string()),
            "identifier": pc.coalesce(user_keys, anonymous_keys),
            "user_key": user_keys,
            "anonymous_key": anonymous_keys,
            "purposes": pa.array(_purposes(draft)),
            "properties": _texts(draft.properties),
        }
        arrays |= self._surroundings(draft)
        kinds = TABLES["events"].columns
        for name, column in (
            ("log_offset", [row.offset for row in draft.rows]),
            ("source", [row.source for row in draft.rows]),
            ("environment", [row.environment for row in draft.rows]),
            ("received_time", [row.received_time for row in draft.rows]),
        ):
            arrays[name] = promote.arrow_column(column, kinds[name]).take(at)
        ordered = {name: arrays[name] for name in kinds}
        return pa.table(ordered | self._promoter.columns(draft.promoted))

    def _take_singles(self, start: int, end: int, draft: Draft) -> bool:
        """Take rows of one event each in one go; return whether all of them could be."""
        rows = draft.rows[start:end]
        kinds, bodies = [row.route for row in rows], [row.body for row in rows]
        columns = read_singles(kinds, bodies, [row.received_time for row in rows])
        if columns is None:
            return False
        purposes = b"".join([row.verdicts for row in rows])
        self._take(columns, purposes, draft, at=range(start, end), places=[0] * len(rows))
        return True

    def _mark(self, draft: Draft) -> None:
        """Find whom traits as sent mark; the address itself goes to the vault afterwards."""
        said = [spot for spot, kind in enumerate(draft.kinds) if kind == "identify"]
        for spot, traits in (*draft.told.items(), *((s, draft.properties[s]) for s in said)):
            mark = self.marks.of_traits(traits)
            if mark is not None:
                draft.notes.marks[spot] = mark

    def _surroundings(self, draft: Draft) -> dict[str, pa.Array]:
        """Return what events have of their contexts; the rows go to the notes."""
        places, at = np.unique(np.array(draft.surroundings, np.int32), return_inverse=True)
        found = list(map(self._enricher.at, places.tolist()))
        draft.notes.contexts = {one.key: one.context for one in found if one.key is not None}
        if any(one.known_as for one in found):
            # Spots of one context stand together in this order.
            order = np.split(np.argsort(at, kind="stable"), np.cumsum(np.bincount(at))[:-1])
            for one, spots in zip(found, order, strict=True):
                for known in one.known_as:
                    self._tell(known, spots.tolist(), draft)
        accounts = pa.array([one.account_id for one in found], pa.string()).take(pa.array(at))
        columns = {
            "context_key": pa.array([one.key for one in found], pa.int64()),
            "traffic": pa.array([one.traffic for one in found], pa.string()),
            "sample_rate": pa.array([one.sample_rate for one in found], pa.float64()),
        }
        # What a group call or an event says of itself goes before what its context repeats.
        own = pa.array(draft.account_ids, pa.string())
        told = {name: column.take(pa.array(at)) for name, column in columns.items()}
        return told | {"account_id": pc.coalesce(own, accounts)}

    def _take_request(
        self, at: int, row: LogRow, draft: Draft, only: Mapping[int, frozenset[int]] | None
    ) -> None:
        if min(row.verdicts, default=0) >= _GONE:
            self._note_erased(row, draft)
            return
        columns = read_stored(row.route, row.body, row.received_time, row.source.encode())
        places: Sequence[int] = range(len(row.verdicts))
        verdicts = row.verdicts
        if row.reasons and (dropped := _reasons(row).get(DROPPED)):
            draft.notes.dropped.append((row.received_time // DAY, row.source, int(dropped)))
        if not verdicts:
            return
        if verdicts and max(verdicts) >= _WAITING:
            reasons = _reasons(row)
            verdicts = judged_anew(self._retries, row, columns, reasons)
            places = self._accepted(row, verdicts, reasons, columns, draft)
            if only is None:
                self._note_waiting(row, verdicts, columns, draft)
                self._note_erased(row, draft)
            else:
                places = [place for place in places if place in only[row.offset]]
                draft.notes.waiting.clear()
            verdicts = bytes(verdicts[place] for place in places)
            columns = columns.at(places)
        self._take(columns, verdicts, draft, at=[at] * len(verdicts), places=places)

    def _accepted(
        self,
        row: LogRow,
        verdicts: bytes,
        reasons: Mapping[str, str],
        columns: Columns,
        draft: Draft,
    ) -> list[int]:
        """Return the places of a row's events that count; the others go to the notes."""
        places = []
        for place, verdict in enumerate(verdicts):
            if verdict < _WAITING:
                places.append(place)
                continue
            if verdict >> 4 == Code.ERASED:
                continue
            found = columns.reasons[place] if columns.reasons else ""
            reason = reasons.get(str(place)) or found
            halves = message_hash(columns.message_ids[place], self._identity_key)
            draft.notes.waiting.append(_waits(row, place, halves, columns.events[place], reason))
        return places

    def _note_erased(self, row: LogRow, draft: Draft) -> None:
        """Note what is left of what was erased: the ids of what counted."""
        gone = [place for place, verdict in enumerate(row.verdicts) if verdict >= _GONE]
        items = read(row.route, row.body).items if gone else ()
        for place in gone:
            left = tombstone_in(items[place])
            if left is not None and left.counted:
                halves = message_hash(left.message_id, self._identity_key)
                draft.notes.erased.append((row.offset, place, *halves))

    def _note_waiting(self, row: LogRow, verdicts: bytes, columns: Columns, draft: Draft) -> None:
        """Note whose is what waits."""
        for place, verdict in enumerate(verdicts):
            if _WAITING <= verdict < _GONE:
                user, anonymous = columns.user_ids[place], columns.anonymous_ids[place]
                kind, told = ("user_id", user) if user else ("anonymous_id", anonymous)
                key = identifier_key(self._identity_key, kind, told) if told else None
                draft.notes.echoes.append((row.offset, place, key, True))

    def _take(
        self,
        columns: Columns,
        purposes: bytes,
        draft: Draft,
        *,
        at: Sequence[int],
        places: Sequence[int],
    ) -> None:
        start, key = len(draft), self._identity_key
        draft.at += at
        draft.places += places
        draft.purposes += purposes
        draft.digests += [message_digest(one, key) for one in columns.message_ids]
        draft.kinds += columns.kinds
        draft.events += columns.events
        draft.times += columns.times
        draft.bases += columns.bases
        draft.account_ids += columns.group_ids
        draft.properties += columns.properties
        draft.surroundings += self._enricher.places(columns.contexts)
        # One context is mostly that of a whole request.
        contexts = set(columns.contexts)
        if telling := {one for one in contexts if TOLD in one}:
            for spot, context in enumerate(columns.contexts, start):
                if context in telling and (told := traits_in(context)):
                    draft.told[spot] = told
        draft.user_keys += self._known("user_id", columns.user_ids, draft)
        draft.anonymous_keys += self._known("anonymous_id", columns.anonymous_ids, draft)
        if stating := {one for one in contexts if CONSENT in one}:
            for spot, context in enumerate(columns.contexts, start):
                if context in stating:
                    self._state(spot, context, draft)
        if "alias" in columns.kinds:
            for spot, former in enumerate(columns.previous_ids, start):
                if former and draft.kinds[spot] == "alias":
                    draft.notes.previous_ids[spot] = former

    def _state(self, spot: int, context: bytes, draft: Draft) -> None:
        """Take what an event says of consent: of itself, or of its person from then on."""
        keys = (draft.user_keys[spot], draft.anonymous_keys[spot])
        if not is_change(draft.kinds[spot], draft.events[spot]):
            said = None if keys == (None, None) else self._says(context)
            if said is not None:
                draft.said[spot] = said
            return
        consent, country = consent_in(context)
        if not consent:
            return
        row, time = draft.rows[draft.at[spot]], draft.times[spot]
        draft.notes.stated[spot] = [
            Statement(
                key=key,
                purpose=purpose,
                granted=answer,
                from_time=since,
                means=means,
                source=row.source,
                region=self._gate.rules.region_of(country=country).name,
                clocked=since != time or draft.bases[spot] != SENT,
                log_offset=row.offset,
                place=draft.places[spot],
            )
            for key, purpose, answer, since, means in statements_in(
                consent, self._gate, keys=keys, time=time, received_time=row.received_time
            )
        ]

    def _says(self, context: bytes) -> int | None:
        """Return what events with a context refuse and grant themselves, or None."""
        if context not in self._said:
            if len(self._said) >= _MOST_SAID:
                self._said.clear()
            consent, _ = consent_in(context)
            answers = self._gate.answers(consent) if consent else None
            self._said[context] = None if answers is None else answers.said
        return self._said[context]

    def _known(self, kind: str, values: Sequence[str | None], draft: Draft) -> list[int | None]:
        """Return the keys of identifiers; those that are new go to the notes."""
        known = self._keys[kind]
        for value in set(values):
            if value is not None and value not in known:
                self._name(kind, value, known, draft)
        return list(map(known.get, values))  # type: ignore[arg-type]

    def _promote(self, draft: Draft) -> None:
        """Read the described properties, event by name; take aside what is personal."""
        draft.promoted = [self._promoter.nothing] * len(draft)
        spots_of: dict[str, list[int]] = defaultdict(list)
        for spot, name in enumerate(draft.events):
            spots_of[name].append(spot)
        for name, spots in spots_of.items():
            texts = [draft.properties[spot] for spot in spots]
            plain = None if name in self._personal else self._promoter.all_plain(texts)
            if plain is None:
                for spot in spots:
                    self._promote_one(spot, draft)
            else:
                for spot, values in zip(spots, plain, strict=True):
                    draft.promoted[spot] = values

    def _promote_one(self, spot: int, draft: Draft) -> None:
        values = None
        if draft.events[spot] not in self._personal:
            values = self._promoter.plain(draft.properties[spot])
        if values is None:
            sent, kept = draft.properties[spot], self._less_personal(spot, draft)
            if kept != sent:
                draft.notes.as_sent[spot] = sent
                draft.properties[spot] = kept
            values = self._promoter.values(kept)
        draft.promoted[spot] = values

    def _less_personal(self, spot: int, draft: Draft) -> bytes:
        """Return an event's properties less what is personal, which goes to the vault."""
        name, identifier = draft.events[spot], draft.identifier(spot)
        properties, taken = personal(
            draft.properties[spot],
            traits=draft.kinds[spot] == "identify",
            described=self._described.get(name, _NOTHING),
        )
        classed = self._personal.get(name)
        if classed:
            properties, more = promote.take_out(properties, classed)
            taken = taken | more
        if identifier is not None:
            draft.keep(identifier, taken, draft.times[spot])
        return properties


def _purposes(draft: Draft) -> npt.NDArray[np.int16]:
    """Return masks with what events say themselves above them."""
    found = np.frombuffer(draft.purposes, np.uint8).astype(np.int16)
    if draft.said:
        found[list(draft.said)] |= np.array(list(draft.said.values()), np.int16)
    return found


def _reasons(row: LogRow) -> dict[str, str]:
    return msgspec.json.decode(row.reasons, type=dict[str, str]) if row.reasons else {}


def _end_of_singles(rows: Sequence[LogRow], start: int) -> int:
    """Return where the run of rows ends that hold one event each, which counts."""
    end = start
    while end < len(rows):
        row = rows[end]
        if row.route not in KIND_SET or row.dialect in NOT_EVENTS or row.verdicts[0] >= _WAITING:
            break
        end += 1
    return end


def halves_of(digests: Sequence[bytes]) -> tuple[Ints, Ints]:
    """Return the high and the low halves of 128-bit digests as signed integers, shapes (n,)."""
    words = np.frombuffer(b"".join(digests), dtype=">i8").astype(np.int64).reshape(-1, 2)
    return words[:, 0].copy(), words[:, 1].copy()


def _texts(properties: Sequence[bytes]) -> pa.Array:
    try:
        return pa.array(properties, pa.string())
    except pa.ArrowInvalid:
        return pa.array([str(text, "utf-8", "replace") for text in properties], pa.string())


def _waits(row: LogRow, place: int, halves: tuple[int, int], event: str, reason: str) -> Waiting:
    high, low = halves
    received = row.received_time
    return (row.offset, place, high, low, event, row.source, row.environment, reason, received)
