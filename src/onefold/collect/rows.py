"""Rows of a file to records: read, convert, judge; a bad row waits with its line and reason."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Any

import msgspec

from onefold.collect.mapping import CHOICES, DEFAULTS, PROPERTY, REQUIRED, Column, Mapping
from onefold.collect.records import Record
from onefold.collect.times import micros_of
from onefold.model.errors import BadInput
from onefold.model.money import currency_of, to_micros
from onefold.model.time import zone_of

Raw = dict[str, object]
_MOST_TEXT = 2000
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def text_of(mapping: Mapping) -> str:
    """Return the text of a mapping's file; a byte order mark wins over the mapping.

    Raises:
        BadInput: It is not in its encoding; with the line.
    """
    body = mapping.file.read_bytes()
    encoding = "utf-16" if body[:2] in _UTF16 else mapping.encoding
    try:
        return body.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        message = (
            f"{mapping.file.name}, line {line}: byte 0x{body[error.start]:02X} is not {encoding}."
        )
        fix = "Save the file as UTF-8, or write `encoding: latin-1` in the mapping."
        raise BadInput(message, fix) from error


def raw_rows(mapping: Mapping, text: str) -> Iterator[tuple[int, Raw | str]]:
    """Yield line and row of a file, or the sentence that says why it is none.

    Raises:
        BadInput: A mapped column is not there, or the file is no CSV.
    """
    return _json_rows(text) if mapping.format == "jsonl" else _csv_rows(mapping, text)


def _csv_rows(mapping: Mapping, text: str) -> Iterator[tuple[int, Raw | str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mapping.delimiter, strict=True)
    name = mapping.file.name
    try:
        head = [cell.strip() for cell in next(reader, [])]
        _prove_head(mapping, head)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) == len(head):
                yield reader.line_num, dict(zip(head, row, strict=True))
            else:
                yield reader.line_num, f"It has {len(row)} cells where the head has {len(head)}."
    except csv.Error as error:
        message = f"{name}, line {reader.line_num}: {error}."
        raise BadInput(message, "Check the quotes, or set `delimiter` in the mapping.") from error


def _prove_head(mapping: Mapping, head: list[str]) -> None:
    doubled = {cell for cell in head if head.count(cell) > 1}
    for field, column in mapping.columns.items():
        if column.source and column.source not in head:
            message = f"{mapping.file.name} has no column `{column.source}` for `{field}`."
            raise BadInput(message, f"It has: {', '.join(head)}. Mend the mapping or `delimiter`.")
        if column.source in doubled:
            message = f"{mapping.file.name} has two columns `{column.source}`."
            raise BadInput(message, "Rename one of them.")


def _json_rows(text: str) -> Iterator[tuple[int, Raw | str]]:
    for line, content in enumerate(text.splitlines(), 1):
        if not content.strip():
            continue
        try:
            yield line, msgspec.json.decode(content, type=Raw)
        except (msgspec.DecodeError, UnicodeError):
            yield line, "It is not a JSON object."


class Converter:
    """Turns the rows of one file into records."""

    def __init__(self, mapping: Mapping, now: int) -> None:
        self._mapping = mapping
        self._now = now
        self._zone = zone_of(mapping.zone)
        self._seen: dict[str, tuple[int, int]] = {}
        self._equals: Counter[int] = Counter()
        self._steps = [
            (field, column.source, self._convert(column))
            for field, column in mapping.columns.items()
            if column.source
        ]
        self._constants = {
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

    def record(self, line: int, raw: Raw | str) -> Record:
        """Return the record of a row; one with a reason waits in quarantine."""
        where = f"{self._mapping.file.name} line {line}"
        if isinstance(raw, str):
            return self._waiting(where, {}, raw)
        fields: dict[str, Any] = {**DEFAULTS.get(self._mapping.table, {}), **self._constants}
        fault = ""
        for field, source, convert in self._steps:
            given = raw.get(source)
            text = "" if given is None else str(given).strip()
            if not text:
                fields.setdefault(field, None)
                continue
            try:
                fields[field] = convert(text)
            except (ValueError, OverflowError):
                kind = self._mapping.columns[field].type
                fault = fault or f"`{source}` is not {_WORDS[kind]}."
        fault = fault or self._lacks(fields)
        # What could be read of a bad row stays beside its reason, so that sums reconcile.
        return self._waiting(where, fields, fault) if fault else self._named(line, where, fields)

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
        if self._mapping.table == "tickets":
            closed = fields.get("closed_time")
            if fields.get("status") is None:
                fields["status"] = "open" if closed is None else "closed"
            if closed is not None and closed < fields["opened_time"]:
                return "It is closed before it is opened."
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
        content = _encoded(fields)
        short = hash(content)
        if key is None:
            self._equals[short] += 1
            key = f"{_hash(self._mapping.table, content)}-{self._equals[short]}"
        former = self._seen.setdefault(key, (line, short))
        if former[1] != short:
            reason = f"Its key stands in line {former[0]} already, with other values."
            return self._waiting(where, fields, reason)
        return Record(
            entity=self._mapping.entity,
            key=key,
            message_id=self._message_id(key, content),
            event_time=self._now,
            fields=fields,
            where=where,
            priority=self._mapping.priority,
        )

    def _waiting(self, where: str, fields: dict[str, Any], reason: str) -> Record:
        return Record(
            entity=self._mapping.entity,
            key="",
            message_id=self._message_id(where + reason, _encoded(fields)),
            event_time=self._now,
            fields=fields,
            where=where,
            reason=f"{where}: {reason}",
        )

    def _message_id(self, name: str, content: bytes) -> str:
        mapping = self._mapping
        whole = f"{mapping.name}\x00{mapping.environment}\x00{name}"
        return f"import-{mapping.entity}-{_hash(whole, content)}"


_WORDS = {
    "text": "text",
    "integer": "a whole number",
    "money": "an amount",
    "time": "a time",
    "date": "a day",
    "currency": "a currency, such as EUR",
}


def _text(text: str) -> str:
    return text[:_MOST_TEXT]


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


def _encoded(fields: dict[str, Any]) -> bytes:
    return msgspec.json.encode(fields, order="deterministic")


def _hash(name: str, content: bytes) -> str:
    return blake2b(name.encode("utf-8", "replace") + b"\x00" + content, digest_size=16).hexdigest()
