"""Somebody who is erased, in what others sent: their identifiers give way to a mark.

An event of somebody else stays the same event, under the same id and of the same person. Only what
it says of whoever is erased is taken out of it, and a hash that compares it with what is sent again
passes over the mark.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from json import dumps
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from onefold.collect.dialects import segment
from onefold.collect.entities import KEYED, NAMING_IDS
from onefold.collect.hiding import forms_of, pieces_of
from onefold.collect.personal import personal_key, plain_key, tracking_key
from onefold.collect.records import Record
from onefold.collect.scrub import tombstone_in
from onefold.model.facts import RECORD_TABLES
from onefold.model.ids import sealed_id
from onefold.store import LogRow

MARK = "[erased]"
"""Stands where an identifier of somebody who is erased stood."""

_RECORDS, _COLUMNS = "records", "columns"
"""Dialect of imported rows, and the route of such that are columns (see `staged`)."""
_ADDRESSES = frozenset({"email", "phone"})
_LONG, _LONG_NUMBER, _LONG_WORD = 8, 10, 16
"""Characters of an identifier from which it cannot stand in a text by chance: with letters and
digits, of digits alone, without any digit."""
_SHORTEST = 5
"""Characters of an identifier with a digit in it from which a value that equals it is meant."""
_ENVELOPE = frozenset({"type", "messageId", "userId", "anonymousId", "previousId", "groupId"})
"""Fields of an event that say what it is and whose, which are never another one's."""
_PERSONS = (
    "by",
    "from",
    "user",
    "friend",
    "member",
    "customer",
    "person",
    "owner",
    "author",
    "inviter",
    "invitee",
    "recipient",
    "sender",
    "assignee",
    "referrer",
)
"""How the name of a field ends that says who somebody is."""
_LINKS = frozenset({"hi", "lo", "line", "key", "participants", *KEYED.values(), *NAMING_IDS})
_objects = msgspec.json.Decoder(dict[str, Any])
_raws = msgspec.json.Decoder(dict[str, msgspec.Raw])
_values = msgspec.json.Decoder(Any)
_records = msgspec.json.Decoder(list[Record])


class Mask:
    """Takes the identifiers of erased persons out of rows that are of others."""

    def __init__(self, names: Iterable[tuple[str, str]], identity_key: bytes) -> None:
        """`names`: kind and value of each identifier; ids of messages are sealed under the key."""
        self._identity_key = identity_key
        told = {(kind, value) for kind, value in names if value and value != MARK}
        within = {value.lower() for kind, value in told if _stands_out(kind, value)}
        self._whole = {value.lower() for _, value in told if _is_meant(value)} | within
        self._named = {value.lower() for _, value in told}
        """Values that are meant only where the name of the field says that it is a person's."""
        plain = {form for value in within for form in forms_of(value)}
        hidden = {form for _, value in told if value.lower() in within for form in _hidden(value)}
        self._within = _pattern(plain, hidden)
        written = {dumps(value)[1:-1].lower() for value in within}
        short = {form for one in self._named - within for form in _quoted(one)}
        # Bytes are lowered sign by sign, so that of another alphabet both cases are looked for.
        cased = {value for _, value in told if value.lower() in within}
        some = {one.encode("utf-8", "surrogatepass").lower() for one in plain | hidden | cased}
        self._needles = [*some, *(one.encode() for one in written), *sorted(short)]

    def __bool__(self) -> bool:
        return bool(self._named)

    def row(self, row: LogRow) -> tuple[LogRow, int]:
        """Return a row of the log less the identifiers, and how many of its events held one.

        The very same row where none did. Rows that decide something name keys alone, and stay.
        """
        if row.dialect == "control" or not self._may_hold(row):
            return row, 0
        if row.dialect == _RECORDS:
            return self._columns(row) if row.route == _COLUMNS else self._listed(row)
        return self._events(row)

    def text(self, text: str, field: str = "") -> str:
        """Return a value less the identifiers in it.

        >>> mask = Mask([("user_id", "anna"), ("email", "anna@example.com")], bytes(32))
        >>> mask.text("ask anna@example.com of anna"), mask.text("Anna", "referred_by")
        ('ask [erased] of anna', '[erased]')
        """
        lower = text.lower()
        if lower in self._whole or (lower in self._named and _of_person(field)):
            return MARK
        if self._within is None:
            return text
        kept = self._within.sub(MARK, text)
        if "%" in kept and self._within.search(_decoded(kept)):
            return MARK
        return kept

    def _may_hold(self, row: LogRow) -> bool:
        if (row.dialect, row.route) == (_RECORDS, _COLUMNS):
            return True
        body = row.body.lower() + row.reasons.lower()
        return any(one in body for one in self._needles)

    def _value(self, value: Any, field: str) -> Any:
        if isinstance(value, str):
            return self.text(value, field)
        if isinstance(value, dict):
            return {self.text(name): self._value(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [self._value(one, field) for one in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            said = str(value).removesuffix(".0")
            return MARK if self.text(said, field) == MARK else value
        return value

    def _events(self, row: LogRow) -> tuple[LogRow, int]:
        request = segment.read(row.route, row.body)
        context = self._object(request.context) if request.context else b""
        items = list(map(bytes, request.items))
        kept = [self._item(one) for one in items]
        held = sum(one is not former for one, former in zip(kept, items, strict=True))
        reasons = self._object(row.reasons) if row.reasons else b""
        if not held and context == request.context and reasons == row.reasons:
            return row, 0
        body = kept[0] if request.kind else _batch(request, kept, context)
        return replace(row, body=body, reasons=reasons), max(held, 1)

    def _item(self, item: bytes) -> bytes:
        """Return an event less the identifiers; the very same bytes where it holds none."""
        if tombstone_in(item) is not None:
            return item
        text = segment.readable(item)
        if text is None:
            kept = self._raw(item)
            return item if kept == item else kept
        fields = _raws.decode(text)
        left = dict(fields)
        for name, said in fields.items():
            if name not in _ENVELOPE:
                value = _values.decode(said)
                kept_value = self._value(value, name)
                if kept_value != value:
                    left[name] = msgspec.Raw(msgspec.json.encode(kept_value))
        message_id = _values.decode(fields.get("messageId", msgspec.Raw(b"null")))
        if isinstance(message_id, str) and self.text(message_id) != message_id:
            sealed = sealed_id(message_id, self._identity_key)
            left["messageId"] = msgspec.Raw(msgspec.json.encode(sealed))
        return item if left == fields else msgspec.json.encode(left)

    def _object(self, said: bytes) -> bytes:
        fields = _objects.decode(said)
        left = {name: self._value(one, name) for name, one in fields.items()}
        return said if left == fields else msgspec.json.encode(left)

    def _raw(self, said: bytes) -> bytes:
        """Return what cannot be read less the identifiers that cannot stand there by chance."""
        if self._within is None:
            return said
        text = said.decode("utf-8", "surrogateescape")
        return self._within.sub(MARK, text).encode("utf-8", "surrogateescape")

    def _listed(self, row: LogRow) -> tuple[LogRow, int]:
        records = _records.decode(row.body)
        kept = [self._record(one) for one in records]
        held = sum(one is not former for one, former in zip(kept, records, strict=True))
        return (replace(row, body=msgspec.json.encode(kept)), held) if held else (row, 0)

    def _record(self, record: Record) -> Record:
        changed: dict[str, Any] = {
            name: one if _links(name) else self._value(one, name)
            for name, one in record.fields.items()
        }
        if changed == dict(record.fields):
            return record
        return msgspec.structs.replace(record, fields=changed)

    def _columns(self, row: LogRow) -> tuple[LogRow, int]:
        import pyarrow as pa

        from onefold.collect.staged import columns_body, opened

        table, entity, priority = opened(row)
        told: dict[str, Any] = {}
        held = 0
        for name in table.column_names:
            column = table[name]
            if not _links(name) and pa.types.is_string(column.type):
                texts = column.to_pylist()
                kept = [one if one is None else self.text(one, name) for one in texts]
                changes = sum(one != former for one, former in zip(kept, texts, strict=True))
                held += changes
                column = pa.chunked_array([pa.array(kept, column.type)]) if changes else column
            told[name] = column
        if not held:
            return row, 0
        return replace(row, body=columns_body(pa.table(told), entity, priority)), held


def same_but_masked(said: object, kept: object) -> bool:
    """Return whether two values are the same, where the one that is kept may be masked.

    >>> same_but_masked({"by": "anna-77", "n": 1}, {"by": "[erased]", "n": 1})
    True
    >>> same_but_masked({"note": "of bob"}, {"note": "by [erased]"})
    False
    """
    if isinstance(kept, str) and MARK in kept:
        pattern = ".*".join(map(re.escape, kept.split(MARK)))
        return re.fullmatch(pattern, _text_of(said), re.DOTALL) is not None
    if isinstance(kept, list | tuple) and isinstance(said, list | tuple):
        return len(kept) == len(said) and all(map(same_but_masked, said, kept))
    if isinstance(kept, Mapping) and isinstance(said, Mapping):
        if kept.keys() == said.keys():
            return all(same_but_masked(said[name], one) for name, one in kept.items())
        if not any(MARK in name for name in kept):
            return False
        pairs = zip(said.items(), kept.items(), strict=False)
        return len(kept) == len(said) and all(
            same_but_masked(a, b) and same_but_masked(one, other) for (a, one), (b, other) in pairs
        )
    return said == kept


def _text_of(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _decoded(text: str) -> str:
    """Return a text that is encoded as in an address, decoded twice at the most."""
    return unquote_plus(unquote_plus(text))


def _stands_out(kind: str, value: str) -> bool:
    """Return whether an identifier cannot stand within a text by chance."""
    if kind in _ADDRESSES or ("@" in value and "." in value):
        return len(value) >= _SHORTEST
    if value.isdigit():
        return len(value) >= _LONG_NUMBER
    return len(value) >= (_LONG if any(one.isdigit() for one in value) else _LONG_WORD)


def _is_meant(value: str) -> bool:
    """Return whether a value that equals an identifier means whoever is known by it."""
    return len(value) >= _SHORTEST and any(one.isdigit() for one in value)


def _of_person(field: str) -> bool:
    plain = plain_key(field)
    return tracking_key(field) or personal_key(field) or plain.endswith(_PERSONS)


def _hidden(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    return {*pieces_of(value), raw.hex()}


def _quoted(value: str) -> set[bytes]:
    """Return how a whole value may stand in JSON, lower case."""
    found = {f'"{form}"'.encode() for form in (value, dumps(value)[1:-1].lower())}
    return found | ({value.encode()} if value.isdigit() else set())


def _pattern(plain: set[str], hidden: set[str]) -> re.Pattern[str] | None:
    """Return what finds forms of identifiers in a text, the longest first."""
    if not plain:
        return None
    words = "|".join(map(re.escape, sorted(plain, key=len, reverse=True)))
    pieces = "|".join(map(re.escape, sorted(hidden, key=len, reverse=True)))
    # A letter or digit of an encoded sign before a word is no part of it.
    begins = r"(?:(?<![^\W_])|(?<=%[0-9a-f]{2}))"
    return re.compile(rf"{begins}(?:{words})(?![^\W_])|{pieces}", re.IGNORECASE)


def _links(field: str) -> bool:
    return field in _LINKS or field.endswith("_id") or field in _KEYS


_KEYS = frozenset(key for _, key in RECORD_TABLES.values())


def _batch(request: segment.Request, kept: list[bytes], context: bytes) -> bytes:
    """Return a batch's body anew."""
    around = b'"context":' + context + b"," if context else b""
    sent = b'"sentAt":' + request.sent_at + b"," if request.sent_at else b""
    return b"{" + around + sent + b'"batch":[' + b",".join(kept) + b"]}"
