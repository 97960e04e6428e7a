"""A CSV in blocks: columns where a block is plain, rows where it is not; both read the same.

A block is plain where every line is a row and every comma parts two cells: no quotes, no empty
lines, no control characters. Anything else goes through Python's own reader.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import csv as arrow_csv

from onefold.collect.mapping import Mapping
from onefold.collect.reading import Numbered, Raw, prove_head
from onefold.model.cores import cores
from onefold.model.errors import BadInput

_BLOCK_BYTES = 8_000_000
_FEWEST_COLUMNS = 2
_AHEAD = 4
"""Blocks that are read, or wait to be taken, at a time."""
_ODD = bytes(code for code in range(32) if code not in b"\t\n\r") + b"\x7f"


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of a file.

    Attributes:
        line: The first one's number, from 1.
        columns: Name -> cells as text, null where empty, where the block is plain; else None.
        rows: Line and row, where it is not.
        tight: No cell begins or ends with white space.
    """

    line: int
    columns: pa.Table | None
    rows: Numbered
    tight: bool = False


def read_blocks(
    mapping: Mapping, body: bytes, *, block_bytes: int = _BLOCK_BYTES
) -> Iterator[Block]:
    """Yield a CSV, UTF-8 and without byte order mark, block by block.

    Raises:
        BadInput: A mapped column is not there, or it is no CSV; with its line.
    """
    end = body.find(b"\n") + 1 or len(body)
    if b'"' in body[:end]:
        end = 0
    head = _head(mapping, body[:end] if end else body)
    if not end:
        # A head with quotes may go over lines: its reader goes on from there.
        yield Block(1, None, _rows(mapping, body, 1, head, skip_head=True))
        return
    with ThreadPoolExecutor(cores(), "reads a CSV") as pool:
        yield from _each_block(mapping, body, head, end, block_bytes=block_bytes, pool=pool)


def _each_block(
    mapping: Mapping,
    body: bytes,
    head: list[str],
    start: int,
    *,
    block_bytes: int,
    pool: ThreadPoolExecutor,
) -> Iterator[Block]:
    """Yield the blocks after the head; the next ones are read meanwhile, as if they were plain."""
    line, ahead_from = 2, start
    ahead: deque[tuple[int, Future[tuple[pa.Table | None, bool]]]] = deque()
    while start < len(body):
        while ahead_from < len(body) and len(ahead) < _AHEAD:
            stop = body.find(b"\n", ahead_from + block_bytes) + 1 or len(body)
            ahead.append((stop, pool.submit(_read, mapping, body[ahead_from:stop], head)))
            ahead_from = stop
        stop, read = ahead.popleft()
        columns, tight = read.result()
        if columns is not None:
            yield Block(line, columns, iter(()), tight)
        else:
            stop = ahead_from = _row_end(body, start, stop)
            # What was read ahead may begin in the midst of a row.
            ahead.clear()
            yield Block(line, None, _rows(mapping, body[start:stop], line, head))
        line += body.count(b"\n", start, stop)
        start = stop


def _read(mapping: Mapping, block: bytes, head: list[str]) -> tuple[pa.Table | None, bool]:
    """Return the columns of a plain block, and whether no cell has white space at its ends."""
    columns = _plain(mapping, block, head)
    return columns, columns is not None and _tight(mapping.delimiter.encode(), block)


def _head(mapping: Mapping, text: bytes) -> list[str]:
    reader = csv.reader(_lines(text), delimiter=mapping.delimiter, strict=True)
    try:
        head = [cell.strip() for cell in next(reader, [])]
    except csv.Error as error:
        raise _broken(mapping, reader.line_num, error) from error
    prove_head(mapping, head)
    return head


def _lines(text: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(text), "utf-8", newline="")


def _plain(mapping: Mapping, block: bytes, head: list[str]) -> pa.Table | None:
    """Return the columns of a plain block, or None where rows have to be looked at one by one."""
    odd = (
        b'"' in block
        or (b"\r" in block and block.count(b"\r") != block.count(b"\r\n"))
        or len(block) != len(block.translate(None, _ODD))
    )
    # Of a single column an empty line would be a row; of several it is none, and is told.
    if odd or len(set(head)) < len(head) or len(head) < _FEWEST_COLUMNS:
        return None
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(block),
            arrow_csv.ReadOptions(column_names=head, block_size=len(block) + 1, use_threads=False),
            arrow_csv.ParseOptions(
                delimiter=mapping.delimiter, quote_char=False, ignore_empty_lines=False
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(head, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid:
        return None
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    return table.combine_chunks() if table.num_rows == lines else None


def _tight(delimiter: bytes, block: bytes) -> bool:
    """Return whether it is certain that no cell begins or ends with white space."""
    if b"\t" in block or not block.isascii():
        return False
    if b" " not in block:
        return True
    if block[:1] == b" " or block[-1:] == b" ":
        return False
    edges = (b" " + delimiter, delimiter + b" ", b" \n", b"\n ", b" \r")
    return not any(edge in block for edge in edges)


def _row_end(body: bytes, start: int, stop: int) -> int:
    """Return where the row ends that goes over the end of a block; quotes pair up there."""
    quotes = body.count(b'"', start, stop)
    while quotes % 2 and stop < len(body):
        after = body.find(b"\n", stop) + 1 or len(body)
        quotes += body.count(b'"', stop, after)
        stop = after
    return stop


def _rows(
    mapping: Mapping, text: bytes, line: int, head: list[str], *, skip_head: bool = False
) -> Numbered:
    reader = csv.reader(_lines(text), delimiter=mapping.delimiter, strict=True)
    try:
        if skip_head:
            next(reader, None)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            place = line + reader.line_num - 1
            if len(row) == len(head):
                yield place, _named(head, row)
            else:
                yield place, f"It has {len(row)} cells where the head has {len(head)}."
    except csv.Error as error:
        raise _broken(mapping, line + reader.line_num - 1, error) from error


def _named(head: list[str], row: list[str]) -> Raw:
    return dict(zip(head, row, strict=True))


def _broken(mapping: Mapping, line: int, error: csv.Error) -> BadInput:
    message = f"{mapping.origin}, line {line}: {error}."
    return BadInput(message, "Check the quotes, or set `delimiter` in the mapping.")
