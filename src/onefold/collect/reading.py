"""Where records come from: files of three forms, databases of others, sources of dlt."""

import csv
import io
from collections.abc import Iterator
from collections.abc import Mapping as Named
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import msgspec

from onefold.collect.mapping import Mapping
from onefold.model.errors import BadInput, MachineFailed
from onefold.store import planes

Raw = dict[str, object]
Numbered = Iterator[tuple[int, Raw | str]]
"""Line and row, or the sentence that says why it is none."""
_UTF8 = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Reading:
    """Rows of one source.

    Attributes:
        rows: Line (of a text) or place (of anything else, from 1) and row.
        total: How many there are; None where only reading can tell.
    """

    rows: Numbered
    total: int | None


def read_source(mapping: Mapping) -> Reading:
    """Return the rows that a mapping names.

    Raises:
        BadInput: They cannot be read, or a mapped column is not there.
        MachineFailed: A database or a source does not answer.
    """
    if mapping.database:
        rows = planes.read_rows(mapping.database, table=mapping.rows_of, query=mapping.query)
        return Reading(_proven(mapping, rows), None)
    if mapping.dlt is not None:
        return Reading(_proven(mapping, _dlt_rows(mapping)), None)
    if mapping.format == "parquet":
        return _parquet(mapping)
    text = body_of(mapping).decode()
    rows_of = _json_rows if mapping.format == "jsonl" else _csv_rows
    return Reading(rows_of(mapping, text), text.count("\n") + 1)


def body_of(mapping: Mapping) -> bytes:
    """Return the text of a mapping's file as UTF-8; a byte order mark wins over the mapping.

    Raises:
        BadInput: It is not in its encoding; with the line.
    """
    body = mapping.file.read_bytes()
    encoding = "utf-16" if body[:2] in _UTF16 else mapping.encoding
    if encoding == "utf-8" and body.isascii():
        return body
    try:
        text = body.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        message = (
            f"{mapping.origin}, line {line}: byte 0x{body[error.start]:02X} is not {encoding}."
        )
        fix = "Save the file as UTF-8, or write `encoding: latin-1` in the mapping."
        raise BadInput(message, fix) from error
    return body.removeprefix(_UTF8) if encoding == "utf-8" else text.encode()


def _csv_rows(mapping: Mapping, text: str) -> Numbered:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mapping.delimiter, strict=True)
    try:
        head = [cell.strip() for cell in next(reader, [])]
        prove_head(mapping, head)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) == len(head):
                yield reader.line_num, dict(zip(head, row, strict=True))
            else:
                yield reader.line_num, f"It has {len(row)} cells where the head has {len(head)}."
    except csv.Error as error:
        message = f"{mapping.origin}, line {reader.line_num}: {error}."
        raise BadInput(message, "Check the quotes, or set `delimiter` in the mapping.") from error


def _json_rows(_: Mapping, text: str) -> Numbered:
    for line, content in enumerate(text.splitlines(), 1):
        if not content.strip():
            continue
        try:
            yield line, msgspec.json.decode(content, type=Raw)
        except (msgspec.DecodeError, UnicodeError):
            yield line, "It is not a JSON object."


def _parquet(mapping: Mapping) -> Reading:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(mapping.file)
    except (pa.ArrowException, OSError) as error:
        message = f"{mapping.origin} is no Parquet file: {str(error).partition(chr(10))[0]}"
        raise BadInput(message, "Check how it was written.") from error
    prove_head(mapping, list(file.schema_arrow.names))

    def rows() -> Numbered:
        place = 0
        with file:
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    place += 1
                    yield place, row

    return Reading(rows(), file.metadata.num_rows)


def _dlt_rows(mapping: Mapping) -> Iterator[Raw]:
    """Yield what a resource of a dlt source brings, without a pipeline or a place of its own."""
    assert mapping.dlt is not None  # noqa: S101 - the reader of the mapping has seen to it
    place, _, name = mapping.dlt.source.rpartition(".")
    try:
        make = getattr(import_module(place), name)
    except ModuleNotFoundError as error:
        message = f"dlt, or what `{mapping.dlt.source}` needs, is not here: {error}."
        raise BadInput(message, "Install `onefold[dlt]`.") from error
    except AttributeError as error:
        raise BadInput(
            f"dlt has no source `{mapping.dlt.source}`.", "Look it up in dlt."
        ) from error
    try:
        found = make(**mapping.dlt.options)
        if mapping.dlt.resource:
            found = found.resources[mapping.dlt.resource]
        for item in found:
            yield from _plain_rows(item)
    except KeyError as error:
        message = f"`{mapping.dlt.source}` has no resource `{mapping.dlt.resource}`."
        raise BadInput(message, "Name one of its resources.") from error
    except BadInput:
        raise
    except Exception as error:
        message = f"`{mapping.dlt.source}` broke off: {type(error).__name__}: {error}."
        raise MachineFailed(message, "Run it in dlt by itself to see more.") from error


def _plain_rows(item: Any) -> Iterator[Raw]:
    if isinstance(item, Named):
        yield dict(item)
    elif hasattr(item, "to_pylist"):
        yield from item.to_pylist()
    elif isinstance(item, list):
        for one in item:
            yield from _plain_rows(one)
    else:
        message = f"A dlt source brought a {type(item).__name__}, which is no row."
        raise BadInput(message, "Take a resource that yields rows.")


def _proven(mapping: Mapping, rows: Iterator[Raw]) -> Numbered:
    """Number rows; the first one shows whether the mapped columns are there."""
    for place, row in enumerate(rows, 1):
        if place == 1 and mapping.database:
            prove_head(mapping, list(row))
        yield place, row


def prove_head(mapping: Mapping, head: list[str]) -> None:
    """Pass when every mapped column is there once.

    Raises:
        BadInput: One is missing, or there are two of its name.
    """
    doubled = {cell for cell in head if head.count(cell) > 1}
    for field, column in mapping.columns.items():
        if column.source and column.source not in head:
            message = f"{mapping.origin} has no column `{column.source}` for `{field}`."
            raise BadInput(message, f"It has: {', '.join(head)}. Mend the mapping or `delimiter`.")
        if column.source in doubled:
            message = f"{mapping.origin} has two columns `{column.source}`."
            raise BadInput(message, "Rename one of them.")
