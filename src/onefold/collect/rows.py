"""Rows of a file to records: read, convert, judge; a bad row waits with its line and reason."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache, partial
from hashlib import blake2b, md5
from typing import Any

import msgspec

from onefold.collect.entities import ANY_OF, CHOICES, CONSENT, DEFAULTS, KEYED_BY, REQUIRED, SPANS
from onefold.collect.mapping import PROPERTY, Column, Mapping
from onefold.collect.records import Record
from onefold.collect.times import micros_of
from onefold.model.money import currency_of, to_micros
from onefold.model.time import zone_of

Raw = dict[str, object]
MOST_TEXT = 2000
"""Characters of a text that are kept."""
ID = "import:"
"""How the id of an imported row begins; 128 bits of its content follow in hex."""


def find(raw: Raw, name: str) -> object:
    """Return a value by its name, or by its way through nested objects: `customer.id`."""
    if name in raw or "." not in name:
        return raw.get(name)
    found: object = raw
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def text_of(value: object) -> str:
    """Return a value of a row as the text that a file would have; empty for none.

    >>> text_of(None), text_of(True), text_of({"a": 1})
    ('', 'true', '{"a":1}')
    """
    if value is None or isinstance(value, str):
        return (value or "").strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    return str(value)


class Converter:
    """Turns the rows of one file into records."""

    def __init__(
        self, mapping: Mapping, now: int, secret: bytes, *, purposes: Sequence[str] = ()
    ) -> None:
        """Read by a mapping, at a time; `secret` makes the ids of rows.

        Of what there is no purpose nobody can say anything; with none named, any may be.
        """
        self.secret = secret
        self._mapping = mapping
        self._now = now
        self._zone = zone_of(mapping.zone)
        self._unit = "line" if mapping.is_text else "row"
        self._seen: dict[str, tuple[int, int]] = {}
        self._equals: Counter[int] = Counter()
        self._steps = [
            (field, column.source, self._convert(column))
            for field, column in mapping.columns.items()
            if column.source
        ]
        self.constants = {
            field: self._convert(column)(column.value)
            for field, column in mapping.columns.items()
            if column.value
        }
        self._required = [
            (field, mapping.columns[field].source or field) for field in REQUIRED[mapping.table]
        ]
        self._choices = [
            (field, options)
            for field, options in CHOICES.get(mapping.table, {}).items()
            if field in mapping.columns or field in DEFAULTS.get(mapping.table, {})
        ]
        if purposes and mapping.table == CONSENT:
            self._choices.append(("purpose", tuple(purposes)))

    def record(self, line: int, raw: Raw | str) -> Record:
        """Return the record of a row; one with a reason waits in quarantine."""
        where = f"{self._mapping.origin} {self._unit} {line}"
        if isinstance(raw, str):
            return self._waiting(where, {}, raw)
        fields: dict[str, Any] = {**DEFAULTS.get(self._mapping.table, {}), **self.constants}
        fault = ""
        for field, source, convert in self._steps:
            given = find(raw, source)
            text = text_of(given)
            if not text:
                fields.setdefault(field, None)
                continue
            try:
                fields[field] = (
                    self._dated(field, given) if isinstance(given, date) else convert(text)
                )
            except (ValueError, OverflowError):
                kind = self._mapping.columns[field].type
                fault = fault or f"`{source}` is not {_WORDS[kind]}."
        fault = fault or self._lacks(fields)
        # What could be read of a bad row stays beside its reason, so that sums reconcile.
        return self._waiting(where, fields, fault) if fault else self._named(line, where, fields)

    def reader(self, field: str) -> Callable[[str], Any]:
        """Return what reads the texts of a field; it raises ValueError at one that it cannot."""
        return next(convert for name, _, convert in self._steps if name == field)

    def _convert(self, column: Column) -> Callable[[str], Any]:
        """Return what reads the texts of a column; it raises ValueError at one that it cannot."""
        match column.type:
            case "integer":
                return _integer
            case "money":
                return partial(_money, column)
            case "time":
                return partial(self._time, column)
            case "date":
                # Days repeat from row to row.
                return lru_cache(maxsize=5000)(partial(_date, column))
            case "currency":
                return lru_cache(maxsize=500)(currency_of)
            case _:
                return _text

    def _dated(self, field: str, given: date) -> Any:
        """Return a time or day that came as one: it needs no format."""
        match self._mapping.columns[field].type:
            case "time":
                moment = given if isinstance(given, datetime) else datetime(*given.timetuple()[:3])  # noqa: DTZ001
                return micros_of(moment if moment.tzinfo else moment.replace(tzinfo=self._zone))
            case "date":
                return (given.date() if isinstance(given, datetime) else given).isoformat()
            case _:
                return given.isoformat()

    def _time(self, column: Column, text: str) -> int:
        moment = (
            datetime.strptime(text, column.format)  # noqa: DTZ007 - the zone comes next
            if column.format
            else datetime.fromisoformat(text)
        )
        return micros_of(moment if moment.tzinfo else moment.replace(tzinfo=self._zone))

    def _lacks(self, fields: dict[str, Any]) -> str:
        """Fill in what is understood; return why a row cannot be, or nothing."""
        for field, source in self._required:
            if fields.get(field) is None:
                return f"`{source}` is empty."
        table = self._mapping.table
        some = ANY_OF.get(table)
        if some and all(fields.get(field) is None for field in some):
            return f"None of {', '.join(some)} is there."
        if table == "tickets" and fields.get("status") is None:
            fields["status"] = "open" if fields.get("closed_time") is None else "closed"
        if table == CONSENT and not 0 <= fields["said_time"] <= self._now:
            return "It was said at a time that is to come, or before there were any."
        if table in SPANS:
            begin, end, said = SPANS[table]
            begun, ended = fields.get(begin), fields.get(end)
            if begun is not None and ended is not None and ended < begun:
                return said
        for field, options in self._choices:
            value = fields[field]
            if value is not None and value not in options:
                fields[field] = value = value.lower()
                if value not in options:
                    return f"`{field}` is not one of {', '.join(options)}."
        return ""

    def _named(self, line: int, where: str, fields: dict[str, Any]) -> Record:
        """Return the record under its key; in one file a key may have one set of values."""
        free = [name for name in fields if name.startswith(PROPERTY)]
        if free:
            values = {name.removeprefix(PROPERTY): fields.pop(name) for name in free}
            fields["properties"] = {k: value for k, value in values.items() if value is not None}
        key = fields.pop(self._mapping.key, None)
        content = _content(self._mapping, self.secret, fields)
        short = hash(content)
        if key is None and self._mapping.table in KEYED_BY:
            named = [fields.get(name) for name in KEYED_BY[self._mapping.table]]
            key = " ".join("-" if one is None else str(one) for one in named)
        if key is None:
            self._equals[short] += 1
            key = f"{_digest(content).hex()}-{self._equals[short]}"
        former = self._seen.setdefault(key, (line, short))
        if former[1] != short:
            reason = f"Its key stands in {self._unit} {former[0]} already, with other values."
            return self._waiting(where, fields, reason)
        return Record(
            entity=self._mapping.entity,
            key=key,
            message_id=ID + _digest(_with_key(content, key)).hex(),
            event_time=self._now,
            fields=fields,
            where=where,
            priority=self._mapping.priority,
        )

    def _waiting(self, where: str, fields: dict[str, Any], reason: str) -> Record:
        return Record(
            entity=self._mapping.entity,
            key="",
            message_id=ID
            + _digest(
                _with_key(_content(self._mapping, self.secret, fields), where + reason)
            ).hex(),
            event_time=self._now,
            fields=fields,
            where=where,
            reason=f"{where}: {reason}",
        )


_WORDS = {
    "text": "text",
    "integer": "a whole number",
    "money": "an amount",
    "time": "a time",
    "date": "a day",
    "currency": "a currency, such as EUR",
}


def _text(text: str) -> str:
    return text[:MOST_TEXT]


def _integer(text: str) -> int:
    whole = int(text)
    if abs(whole) >= 2**63:
        raise OverflowError
    return whole


def _money(column: Column, text: str) -> int:
    if column.thousands:
        text = text.replace(column.thousands, "")
    return to_micros(text.replace(",", ".") if column.decimal == "," else text)


def _date(column: Column, text: str) -> str:
    if column.format:
        return datetime.strptime(text, column.format).date().isoformat()  # noqa: DTZ007
    return date.fromisoformat(text).isoformat()


def id_prefix(mapping: Mapping, secret: bytes, names: Sequence[str]) -> str:
    """Return what the ids of all rows with these fields begin with, before it is hashed.

    Nobody outside knows it, so that nobody can write two rows whose ids are the same.
    """
    said = "\x1f".join((mapping.name, mapping.environment, mapping.entity, *names))
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16, key=secret).hexdigest()


def _content(mapping: Mapping, secret: bytes, fields: dict[str, Any]) -> tuple[str, str]:
    """Return what a row says, apart at the place of its key: fields by name, empty ones as NUL."""
    names = sorted(fields)
    texts = [_said(fields[name]) for name in names]
    return id_prefix(mapping, secret, names), "\x1f".join(texts)


def _said(value: object) -> str:
    if value is None:
        return "\x00"
    text = value if isinstance(value, str) else text_of(value)
    # What parts the values cannot stand in one.
    return text if not {"\x00", "\x1e", "\x1f"} & set(text) else "\x1e" + json.dumps(text)


def _with_key(content: tuple[str, str], key: str) -> tuple[str, str]:
    prefix, values = content
    return prefix + "\x1f" + _said(key), values


def _digest(content: tuple[str, str]) -> bytes:
    text = "\x1f".join(content)
    # As the engine hashes many at once (`store.planes.text_digests`); the prefix is secret.
    return md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
