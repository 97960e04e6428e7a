"""Rows of a file to records: read, convert, judge; a bad row waits with its line and reason."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from onefold.collect.mapping import CHOICES, DEFAULTS, REQUIRED, Column, Mapping
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
        self._seen: dict[str, tuple[int, str]] = {}
        self._equals: dict[str, int] = {}
        self._convert: dict[str, Callable[[Column, str], Any]] = {
            "text": _text,
            "integer": _integer,
            "money": _money,
            "time": self._time,
            "date": _date,
        }

    def record(self, line: int, raw: Raw | str) -> Record:
        """Return the record of a row; one with a reason waits in quarantine."""
        where = f"{self._mapping.file.name} line {line}"
        if isinstance(raw, str):
            return self._waiting(where, {}, raw)
        fields: dict[str, Any] = {}
        faults: list[str] = []
        for field, column in self._mapping.columns.items():
            try:
                value = self._value(field, column, raw)
            except BadInput as error:
                faults.append(error.message)
                continue
            if not field.startswith("properties."):
                fields[field] = value
            elif value is not None:
                fields.setdefault("properties", {})[field.partition(".")[2]] = value
        try:
            self._complete(fields)
        except BadInput as error:
            faults.append(error.message)
        # What could be read of a bad row stays beside its reason, so that sums reconcile.
        return (
            self._waiting(where, fields, faults[0]) if faults else self._named(line, where, fields)
        )

    def _value(self, field: str, column: Column, raw: Raw) -> Any:
        given = column.value or raw.get(column.source)
        text = "" if given is None else str(given).strip()
        if not text:
            return None
        try:
            return self._convert[column.type](column, text)
        except (ValueError, OverflowError) as error:
            if column.source:
                message = f"`{column.source}` is not {_WORDS[column.type]}."
            else:
                message = f"`{field}` is not {_WORDS[column.type]}."
            raise BadInput(message) from error

    def _time(self, column: Column, text: str) -> int:
        moment = (
            datetime.strptime(text, column.format)  # noqa: DTZ007 - the zone comes next
            if column.format
            else datetime.fromisoformat(text)
        )
        return micros_of(moment if moment.tzinfo else moment.replace(tzinfo=self._zone))

    def _complete(self, fields: dict[str, Any]) -> None:
        """Fill in what is understood, and refuse what cannot be."""
        table = self._mapping.table
        for field, value in DEFAULTS.get(table, {}).items():
            if fields.get(field) is None:
                fields[field] = value
        if table == "tickets":
            if fields.get("status") is None:
                fields["status"] = "closed" if fields.get("closed_time") else "open"
            closed = fields.get("closed_time")
            if closed is not None and closed < (fields.get("opened_time") or 0):
                raise BadInput("It is closed before it is opened.")
        if fields.get("currency") is not None:
            fields["currency"] = currency_of(fields["currency"])
        for field in REQUIRED[table]:
            if fields.get(field) is None:
                column = self._mapping.columns[field]
                raise BadInput(f"`{column.source or field}` is empty.")
        for field, options in CHOICES.get(table, {}).items():
            if field in fields and fields[field] is not None:
                fields[field] = fields[field].lower()
                if fields[field] not in options:
                    raise BadInput(f"`{field}` is not one of {', '.join(options)}.")

    def _named(self, line: int, where: str, fields: dict[str, Any]) -> Record:
        """Return the record under its key; a key may stand in a file once."""
        content = _hash(self._mapping.table, fields)
        key = fields.pop(self._mapping.key, None)
        if key is None:
            place = self._equals.get(content, 0)
            self._equals[content] = place + 1
            key = f"{content}-{place}" if place else content
        former = self._seen.setdefault(key, (line, content))
        if former[0] != line:
            same = "" if former[1] == content else ", with other values"
            reason = f"Its key stands in line {former[0]} already{same}."
            return self._waiting(where, fields, reason)
        return Record(
            entity=self._mapping.entity,
            key=key,
            message_id=f"import-{self._mapping.entity}-{_hash(key, content)}",
            event_time=self._now,
            fields=fields,
            where=where,
        )

    def _waiting(self, where: str, fields: dict[str, Any], reason: str) -> Record:
        return Record(
            entity=self._mapping.entity,
            key="",
            message_id=f"import-{self._mapping.entity}-{_hash(where, fields, reason)}",
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
}


def _text(_: Column, text: str) -> str:
    return text[:_MOST_TEXT]


def _integer(_: Column, text: str) -> int:
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


def _hash(*parts: object) -> str:
    content = msgspec.json.encode(parts, order="deterministic")
    return blake2b(content, digest_size=16).hexdigest()
