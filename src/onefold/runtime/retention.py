"""Retention enforced: what no purpose may use any more is erased from log, facts and vault.

An entry of the log says before when nothing is kept for a purpose. The facts are built anew by it,
and every row that is read on the way and has expired is rewritten where it stands.
"""

from onefold.collect import catalogues
from onefold.consent import PURPOSES, purposes_in
from onefold.model.records import OWNER, Answer, Asker, Column, Progress
from onefold.model.time import to_datetime
from onefold.runtime.retention_days import horizon_of
from onefold.runtime.workspace import Workspace


def outlook(workspace: Workspace) -> Answer:
    """Return for each purpose how long events are kept, and how many no purpose keeps any more."""
    before = _before(workspace)
    rows = tuple((one, workspace.settings.retention.get(one), before.get(one)) for one in PURPOSES)
    return Answer(
        columns=(
            Column("purpose", "text"),
            Column("days", "integer"),
            Column("before_time", "time"),
        ),
        rows=rows,
        definition="For how many days events may be used for a purpose, and what came before when "
        "is not used for it. An event goes when no purpose that it was kept for may use it.",
        notes=(f"{expiring(workspace):,} events have expired and go with the next run.",),
        as_of_time=workspace.fresh_time,
    )


def expiring(workspace: Workspace) -> int:
    """Return how many events no purpose may use any more."""
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
    now, days = workspace.clock(), workspace.settings.retention
    told = {one: horizon_of(days, one, now) for one in days}
    return {one: time for one, time in told.items() if time is not None}


def enforce(workspace: Workspace, asker: Asker = OWNER, progress: Progress | None = None) -> Answer:
    """Erase what has expired, and return how much that was; nothing is told where nothing has."""
    workspace.catch_up(progress)
    gone = expiring(workspace)
    if gone:
        decide(workspace, asker, gone)
        workspace.catch_up(progress)
        forget_words(workspace)
    return Answer(
        columns=(Column("what", "text"), Column("erased", "integer")),
        rows=(("events", gone),),
        definition="Events that no purpose may use any more, by the retention in onefold.toml.",
        as_of_time=workspace.fresh_time,
    )


def decide(workspace: Workspace, asker: Asker, gone: int) -> None:
    """Tell the log before when nothing is kept any more."""
    before = _before(workspace)
    with workspace.state.change(
        asker,
        "retention.expire",
        "retention",
        detail={"events": gone, "before": before},
        entry=(catalogues.EXPIRE, {"before": before}),
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
