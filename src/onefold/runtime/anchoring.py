"""The head of the audit trail in the log, so that entries gone from its end are missed."""

import msgspec

from onefold.governance import audits
from onefold.store import Log, NewRow, State

ROUTE = "audit"
"""Of the control entry; no fold reads it."""


def anchor_of(log: Log) -> audits.Anchor | None:
    """Return the last entry of the trail that the log remembers, or None."""
    row = log.latest("control", ROUTE)
    return None if row is None else msgspec.json.decode(row.body, type=audits.Anchor)


def anchor(state: State, log: Log) -> bool:
    """Let the log remember the last entry of the trail; return whether that was new.

    A trail that does not hold what the log remembers is not anchored anew: what was there stays
    the proof.
    """
    last, known = audits.head(state), anchor_of(log)
    if last is None or last == known or (known and not audits.agrees(state, known)):
        return False
    row = NewRow(
        received_time=state.now(),
        source="",
        environment="",
        dialect="control",
        route=ROUTE,
        body=msgspec.json.encode(last),
        verdicts=b"",
    )
    log.append([row])
    return True
