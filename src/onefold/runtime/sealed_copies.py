"""The sealed copies of events that were held before consent, without those of who is erased.

Whose a copy is, only its own text tells, which is read in memory with the key of its day. What
cannot be read by any key is read by nobody.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from onefold.collect import sources
from onefold.runtime.workspace import Workspace
from onefold.store import LogRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AT_ONCE = 500
"""So many rows of the log are read at a time."""


def let_go(workspace: Workspace) -> int:
    """Take the sealed copies of whoever is erased out of the log; return how many that were.

    The event itself keeps waiting, and comes in as nobody's: the other form of it, which tells of
    nobody, stays. Repeated, it finds nothing more. A log that cannot be rewritten keeps them, and
    they can be read until the end of their key.
    """
    keys = workspace.vault.sealing_keys(workspace.clock())
    gone = sources.suppressed(workspace.state)
    if not keys or not gone:
        return 0
    found = 0
    for some in _batches(_offsets(workspace)):
        changed = []
        for row in workspace.log.rows(some):
            left, lost = _without(row, keys, gone)
            if lost:
                changed.append(left)
                found += lost
        if changed and not workspace.log.rewrite(changed):
            return 0
    return found


def _offsets(workspace: Workspace) -> list[int]:
    facts = workspace.folds.generation.facts
    held = facts.tables()["held"].select("log_offset").distinct()
    return sorted(facts.ask(held)["log_offset"].to_pylist())


def _batches(offsets: list[int]) -> "Iterator[list[int]]":
    return (offsets[start : start + _AT_ONCE] for start in range(0, len(offsets), _AT_ONCE))


def _without(
    row: LogRow, keys: "Mapping[int, bytes]", gone: sources.Suppressed
) -> tuple[LogRow, int]:
    """Return a control entry less the sealed copies of who is gone, and how many those were."""
    entry = sources.held_in(row)
    key, lost = keys.get(entry.day), 0
    for item in entry.items:
        whole = sources.opened(item, key) if key is not None and item.sealed else None
        event = None if whole is None else sources.event_in(whole)
        if event is not None and gone.meets(event):
            item.sealed, lost = b"", lost + 1
    return replace(row, body=msgspec.json.encode(entry)) if lost else row, lost
