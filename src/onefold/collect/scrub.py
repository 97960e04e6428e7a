"""A row of the log without somebody: erased events leave their place, later ones lose the name.

What is left of an erased event is a tombstone: the hash of its id, by which it counts no second
time, a keyed hash of its content, by which a different one under its id is told from a repeated
one, and the entry that erased it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import msgspec

from onefold.collect.dialects import segment
from onefold.collect.dialects.stored import Columns, read_stored
from onefold.collect.erasures import Erasure, since
from onefold.collect.gate import stripped, with_context, without
from onefold.collect.records import Code, Incoming
from onefold.collect.reentry import Retry, judged_anew
from onefold.consent import purposes_in
from onefold.model.errors import BadInput
from onefold.model.ids import identifier_key, sealed_id
from onefold.store import LogRow

TYPE = "erased"
"""What a tombstone has in place of the kind of its event."""

_WAITING = 16
_IDS = ("userId", "anonymousId", "previousId")


class Tombstone(msgspec.Struct, frozen=True, rename="camel", tag=TYPE, tag_field="type"):
    """What is left of an erased event.

    Attributes:
        message_id: A sealed id.
        content: Keyed hash of what it said, hex.
        by: Offset of the entry that erased it.
        counted: Whether it counted, and did not wait.
    """

    message_id: str
    content: str
    by: int
    counted: bool = True


_tombstones = msgspec.json.Decoder(Tombstone)


def tombstone_in(item: bytes) -> Tombstone | None:
    """Return the tombstone that an event's bytes are; None where they are none."""
    try:
        return _tombstones.decode(item)
    except msgspec.DecodeError:
        return None


def content_hash(identity_key: bytes, content: tuple[str, str, bytes]) -> str:
    """Return a keyed hash of an event's kind, name and properties, spaced however they are."""
    kind, event, properties = content
    try:
        said: object = msgspec.json.decode(properties)
    except (msgspec.DecodeError, RecursionError):
        said = properties.hex()
    text = msgspec.json.encode([kind, event, said], order="deterministic")
    return blake2b(text, digest_size=8, key=identity_key).hexdigest()


@dataclass(frozen=True, slots=True)
class Scrub:
    """Takes erased persons out of rows of events.

    Attributes:
        identity_key: Of the workspace.
        erasures: Who, since when.
        retries: By which waiting events counted after all.
        expired: Purpose -> before when nothing is kept for it any more.
    """

    identity_key: bytes
    erasures: tuple[Erasure, ...]
    retries: tuple[Retry, ...] = ()
    expired: Mapping[str, int] = field(default_factory=dict)

    def may_expire(self, row: LogRow) -> bool:
        """Return whether something of a row may be too old for all that it was kept for."""
        old = bool(self.expired) and row.received_time < max(self.expired.values())
        return old and any(self._expires(row, verdict) for verdict in set(row.verdicts))

    def _expires(self, row: LogRow, verdict: int) -> bool:
        meant = purposes_in(verdict & 15) if verdict >> 4 != Code.ERASED else ()
        return bool(meant) and all(row.received_time < self.expired.get(one, 0) for one in meant)

    @property
    def since(self) -> Mapping[int, int]:
        """Key -> the offset up to which it is gone."""
        return since(self.erasures)

    def row(self, row: LogRow, values: Sequence[bytes] = ()) -> LogRow:
        """Return a row without whoever is erased; the very same where it names none of them.

        Args:
            row: Of events.
            values: Words of the persons, for what waits and cannot be read.
        """
        if not self.erasures and not self.may_expire(row):
            return row
        try:
            columns = read_stored(row.route, row.body, row.received_time, row.source.encode())
            request = segment.read(row.route, row.body)
        except BadInput:
            return row
        reasons = msgspec.json.decode(row.reasons, type=dict[str, str]) if row.reasons else {}
        counts = judged_anew(self.retries, row, columns, dict(reasons))
        kept = list(map(bytes, request.items))
        verdicts = bytearray(row.verdicts)
        whole: set[int] = set()
        for place in range(len(verdicts)):
            if verdicts[place] >> 4 == Code.ERASED:
                continue
            erased, named = self._hits(columns, place, kept[place], verdicts[place], values)
            expires = self._expires(row, verdicts[place])
            if expires or (erased and row.offset < erased):
                verdicts[place] = Code.ERASED << 4
                counted = counts[place] < _WAITING
                kept[place] = self._tombstone(columns, place, erased, counted=counted)
                reasons.pop(str(place), None)
                whole.add(place)
            elif erased:
                verdicts[place] &= 0xF0
                event = _incoming(columns, place)
                kept[place] = stripped(kept[place], event, request.context, self.identity_key)
                whole.add(place)
            elif named:
                kept[place] = without(kept[place], named)
        if bytes(verdicts) == row.verdicts and kept == list(map(bytes, request.items)):
            return row
        return replace(
            row,
            body=_body(request, kept, whole),
            verdicts=bytes(verdicts),
            reasons=msgspec.json.encode(reasons) if reasons else b"",
            trace=row.trace if len(whole) < len(kept) else "",
        )

    def _hits(
        self,
        columns: Columns,
        place: int,
        item: bytes,
        verdict: int,
        values: Sequence[bytes],
    ) -> tuple[int, list[str]]:
        """Return the offset by which an event is erased, 0 for none, and ids it merely names."""
        user = self._since("user_id", columns.user_ids[place])
        anonymous = self._since("anonymous_id", columns.anonymous_ids[place])
        erased = user if columns.user_ids[place] is not None else anonymous
        if not erased and verdict >= _WAITING and any(value in item for value in values):
            erased = max(since(self.erasures).values())
        former = columns.previous_ids[place]
        previous = max(self._since("user_id", former), self._since("anonymous_id", former))
        found = zip(_IDS, (0, anonymous, previous), strict=True)
        return erased, [] if erased else [name for name, hit in found if hit]

    def _since(self, kind: str, value: str | None) -> int:
        if value is None:
            return 0
        return self.since.get(identifier_key(self.identity_key, kind, value), 0)

    def _tombstone(self, columns: Columns, place: int, by: int, *, counted: bool) -> bytes:
        content = (columns.kinds[place], columns.events[place], columns.properties[place])
        left = Tombstone(
            message_id=sealed_id(columns.message_ids[place], self.identity_key),
            content=content_hash(self.identity_key, content),
            by=by,
            counted=counted,
        )
        return msgspec.json.encode(left)


def _incoming(columns: Columns, place: int) -> Incoming:
    return Incoming(
        kind=columns.kinds[place],
        event=columns.events[place],
        message_id=columns.message_ids[place],
        user_id=columns.user_ids[place],
        anonymous_id=columns.anonymous_ids[place],
        previous_id=columns.previous_ids[place],
        group_id=columns.group_ids[place],
        event_time=columns.times[place],
        time_basis=columns.bases[place],
        properties=columns.properties[place],
    )


def _body(request: segment.Request, kept: Sequence[bytes], whole: set[int]) -> bytes:
    """Return a request's body anew; the context that its events share goes to those left."""
    if request.kind:
        return kept[0]
    context = request.context
    items = [
        item if place in whole or not context else with_context(item, context)
        for place, item in enumerate(kept)
    ]
    sent = b'"sentAt":' + request.sent_at + b"," if request.sent_at else b""
    return b"{" + sent + b'"batch":[' + b",".join(items) + b"]}"
