"""Retention enforced: what no purpose may use any more is erased from log, facts and vault.

An entry of the log says before when nothing is kept for a purpose, or of a table of imports. The
facts are built anew by it, and every row that is read on the way and has expired is rewritten where
it stands.
"""

from collections.abc import Mapping

import ibis

from onefold.collect import catalogues
from onefold.consent import PURPOSES, purposes_in
from onefold.model.facts import RECORD_TIMES
from onefold.model.records import OWNER, Answer, Asker, Column, Progress
from onefold.model.time import to_datetime
from onefold.runtime.retention_days import bound_of, horizons_of
from onefold.runtime.workspace import Workspace

EVENTS = "events"


def outlook(workspace: Workspace) -> Answer:
    """Return how long events are kept for each purpose and rows of each table that says it.

    And how many of them nothing keeps any more.
    """
    before = _before(workspace)
    days = workspace.days_kept()
    told = [(one, None) for one in PURPOSES] + [(None, one) for one in _tables(days)]
    rows = tuple(
        (purpose, days.get(name), before.get(name), table)
        for purpose, table in told
        for name in (purpose or table or "",)
    )
    return Answer(
        columns=(
            Column("purpose", "text"),
            Column("days", "integer"),
            Column("before_time", "time"),
            Column("table", "text"),
        ),
        rows=rows,
        definition="For how many days events may be used for a purpose, and what came before when "
        "is not used for it. An event goes when no purpose that it was kept for may use it. An "
        "imported row of a table that is named goes when it was true before that time.",
        notes=tuple(
            f"{gone:,} {_called(what)} have expired and go with the next run."
            for what, gone in expiring(workspace).items()
        ),
        as_of_time=workspace.fresh_time,
    )


def _called(what: str) -> str:
    return what if what == EVENTS else f"rows of {what}"


def expiring(workspace: Workspace) -> dict[str, int]:
    """Return how many events no purpose may use any more, and rows by table that are too old."""
    found = {EVENTS: _old_events(workspace)}
    facts, now = workspace.folds.generation.facts, workspace.clock()
    days = workspace.days_kept()
    kept = {table: days[table] for table in _tables(days)}
    for table, horizon in horizons_of(kept, now).items():
        rows = facts.tables()[table]
        old = rows.filter(rows[RECORD_TIMES[table]] < ibis.literal(bound_of(table, horizon)))
        found[table] = int(facts.ask(old.aggregate(n=old.count()))["n"][0].as_py())
    return found


def _old_events(workspace: Workspace) -> int:
    before = _before(workspace)
    masks = {mask: _gone(mask, before) for mask in range(1, 16)}
    facts = workspace.folds.generation.facts
    events = facts.tables()["events"]
    found = 0
    for time in {one for one in masks.values() if one}:
        meant = [mask for mask, one in masks.items() if one == time]
        old = events.received_time < to_datetime(time).replace(tzinfo=None)
        asked = events.filter(old, (events.purposes.cast("int64") & 15).isin(meant))
        found += int(facts.ask(asked.aggregate(n=asked.count()))["n"][0].as_py())
    return found


def _gone(mask: int, before: dict[str, int]) -> int:
    """Return before when nothing of a mask is kept; 0 where something is kept for good."""
    return min(before.get(one, 0) for one in purposes_in(mask))


def _before(workspace: Workspace) -> dict[str, int]:
    """Return purpose or table -> before when nothing of it is kept."""
    return horizons_of(workspace.days_kept(), workspace.clock())


def _tables(days: Mapping[str, int]) -> list[str]:
    return [one for one in days if one in RECORD_TIMES]


def enforce(workspace: Workspace, asker: Asker = OWNER, progress: Progress | None = None) -> Answer:
    """Erase what has expired, and return how much that was; nothing is told where nothing has."""
    workspace.catch_up(progress)
    gone = expiring(workspace)
    if any(gone.values()):
        decide(workspace, asker, gone)
        workspace.catch_up(progress)
        forget_words(workspace)
    return Answer(
        columns=(Column("what", "text"), Column("erased", "integer")),
        rows=tuple(gone.items()),
        definition="Events that no purpose may use any more, and imported rows that are older than "
        "their table is kept, by the days in force.",
        as_of_time=workspace.fresh_time,
    )


def decide(workspace: Workspace, asker: Asker, gone: Mapping[str, int]) -> None:
    """Tell the log before when nothing is kept any more."""
    before = _before(workspace)
    entry = {
        "before": {name: time for name, time in before.items() if name in PURPOSES},
        "rows": {name: time for name, time in before.items() if name not in PURPOSES},
    }
    with workspace.state.change(
        asker,
        "retention.expire",
        "retention",
        detail={**gone, **entry},
        entry=(catalogues.EXPIRE, entry),
    ):
        pass
    workspace.relay()


def forget_words(workspace: Workspace) -> int:
    """Take out of the vault what stands for nobody in the facts any more; return how many keys."""
    kept = workspace.vault.keys()
    with workspace.folds.generation.facts.transaction() as writer:
        known = workspace.folds.keys_known(writer)
    lost = kept - known
    if lost:
        workspace.vault.forget(lost)
    return len(lost)
