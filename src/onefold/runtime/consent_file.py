"""Consent from a file: one row a word, each brought to the log under the key of whose it is."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import msgspec

from onefold.collect import sources
from onefold.model.errors import BadInput, NotFound
from onefold.model.records import Asker
from onefold.model.time import parse_time
from onefold.runtime.workspace import Workspace
from onefold.store import NewRow

_NEEDED = ("id", "purpose", "answer")
_KNOWN = (*_NEEDED, "time", "region", "basis")
_WORDS = {"yes": True, "granted": True, "true": True, "1": True}
_WORDS |= {"no": False, "withdrawn": False, "false": False, "0": False}
_MOST_BYTES = 200_000_000
_AT_ONCE = 1_000
_MOST_FAULTS = 20
_FIX = "Write a CSV in UTF-8 with the columns id, purpose and answer; time, region, basis may be."


@dataclass(slots=True)
class Brought:
    """What a file brought.

    Attributes:
        read: Rows of the file.
        kept: Rows that count.
        faults: Why others do not, with their lines; the first few.
        refused: How many those are.
    """

    read: int = 0
    kept: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)

    def refuse(self, line: int, why: str) -> None:
        """Count a row that does not count."""
        self.refused += 1
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(f"Line {line}: {why}")


def bring(
    workspace: Workspace,
    asker: Asker,
    path: Path,
    key_of: Callable[[str], int],
    *,
    dry_run: bool = False,
) -> Brought:
    """Bring the words of a file to the log and return what became of its rows.

    A row without a time holds from now on; one that was brought before says nothing new, where it
    has a time. A bad row costs the others nothing.

    Args:
        workspace: Whose people they are of.
        asker: Who brings them.
        path: The file.
        key_of: Returns the key of an id as written.
        dry_run: Only look.

    Raises:
        NotFound: There is no such file.
        BadInput: It cannot be read as a whole.
        DiskFull: There is no room; rows before count, and count once when brought again.
    """
    found, now = Brought(), workspace.clock()
    purposes = workspace.gate().rules.known
    rows: list[NewRow] = []
    for line, row in _rows(path):
        found.read += 1
        try:
            entry = _entry(row, purposes, key_of, now=now, source=path.name[:100])
        except BadInput as error:
            found.refuse(line, error.message)
            continue
        found.kept += 1
        rows.append(_row(entry, now))
        if len(rows) >= _AT_ONCE and not dry_run:
            workspace.log.append(rows)
            rows = []
    if dry_run:
        return found
    if rows:
        workspace.log.append(rows)
    told = {"file": path.name, "kept": found.kept, "refused": found.refused}
    with workspace.state.change(asker, "consent.import", path.name[:300], detail=told):
        pass
    return found


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line and the cells of each row."""
    if not path.is_file():
        raise NotFound(f"There is no file {path.name}.", "Name a CSV file.")
    if path.stat().st_size > _MOST_BYTES:
        raise BadInput(f"{path.name} is over {_MOST_BYTES:,} bytes.", "Bring it in parts.")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is not in UTF-8.", _FIX) from error
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        head = [cell.strip().lower() for cell in next(reader, [])]
        if not set(_NEEDED) <= set(head) or len(set(head)) < len(head) or set(head) - set(_KNOWN):
            raise BadInput(f"{path.name} has the columns {', '.join(head) or 'none'}.", _FIX)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                # A row too short or too long lacks what it needs, and is told so.
                matched = cells if len(cells) == len(head) else []
                yield reader.line_num, dict(zip(head, matched, strict=False))
    except csv.Error as error:
        message = f"{path.name}, line {reader.line_num}: {error}."
        raise BadInput(message, "Check the quotes.") from error


def _entry(
    row: dict[str, str],
    purposes: tuple[str, ...],
    key_of: Callable[[str], int],
    *,
    now: int,
    source: str,
) -> sources.ConsentEntry:
    cells = {name: value.strip() for name, value in row.items()}
    if not cells:
        raise BadInput("It has not as many cells as the head.", _FIX)
    answer = _WORDS.get(cells["answer"].lower())
    if answer is None:
        raise BadInput(f"The answer is {cells['answer'][:40]!r}.", "Write yes or no.")
    if cells["purpose"] not in purposes:
        raise BadInput(f"No purpose {cells['purpose'][:40]!r}.", f"Use {', '.join(purposes)}.")
    time = parse_time(cells["time"]) if cells.get("time") else now
    if not 0 <= time <= now:
        raise BadInput(f"The time {cells['time'][:40]} is to come.", "Write when it was said.")
    return sources.ConsentEntry(
        keys=[key_of(cells["id"])],
        answers={cells["purpose"]: answer},
        time=time,
        means="import",
        source=source,
        region=cells.get("region", "")[:40],
        basis=cells.get("basis", "")[:40] or "consent",
    )


def _row(entry: sources.ConsentEntry, now: int) -> NewRow:
    return NewRow(
        received_time=now,
        source="",
        environment="",
        dialect="control",
        route=sources.ENTRY,
        body=msgspec.json.encode(entry),
        verdicts=b"",
    )
