"""Closing of periods: figures of days, weeks and months go to the log, where they stay."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from onefold.metrics import Metric, folding
from onefold.model.errors import BadInput, OnefoldError
from onefold.model.records import OWNER, Asker, Progress, Question
from onefold.model.time import HOUR, day_of, day_start, from_datetime
from onefold.runtime.schedules import alone, nobody_hears
from onefold.runtime.threads import Loop
from onefold.runtime.workspace import Workspace

if TYPE_CHECKING:
    from onefold.store import View

CLOSES = Asker(name="periods", role="owner")
"""Who closes what is due by itself, as the trail names it."""
ENVIRONMENT = "production"
"""Of which environment periods are closed."""
LENGTHS = ("day", "week", "month")

_LOOK_SECONDS = 60.0
_AT_ONCE = 62
"""Periods of one length that one entry of the log closes at the most."""
_MOST_DAYS = 1_100
"""How far back the first closing goes: three years."""
_log = logging.getLogger("onefold.house")

Period = tuple[str, date]
"""A length and the first day."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a closing did.

    Attributes:
        periods: Length -> how many periods it closed.
        figures: How many figures it wrote.
    """

    periods: dict[str, int]
    figures: int


def close_due(
    workspace: Workspace,
    *,
    asker: Asker = CLOSES,
    before: date | None = None,
    progress: Progress = nobody_hears,
) -> Done:
    """Close every period that is due, and return when the facts hold it.

    Killed half-way, it does the rest another time: a period is closed once.

    Args:
        workspace: Whose periods.
        asker: Whom the trail names.
        before: Close what ended by the start of this day, however short ago; without it, what
            ended as long ago as the settings say.
        progress: Hears how far it is.

    Raises:
        BadInput: That day is not begun yet.
        Conflict: Another closes.
    """
    until = _until(workspace, before)
    done: dict[str, int] = defaultdict(int)
    figures = 0
    with alone(workspace, "periods", what="closing of"):
        workspace.catch_up()
        due = due_periods(workspace, until)
        for count, part in enumerate(_parts(due)):
            progress("Closing", count * _AT_ONCE, len(due))
            entry = _closing(workspace, part)
            if not entry.periods:
                break
            _write(workspace, asker, entry)
            for one in entry.periods:
                done[one.every] += 1
                figures += len(one.figures)
    return Done(dict(done), figures)


def _until(workspace: Workspace, before: date | None) -> int:
    """Return by when a period must have ended, microseconds."""
    now, zone = workspace.clock(), workspace.settings.zone
    if before is None:
        return now - round(workspace.settings.close_after_hours * HOUR)
    if before > (today := day_of(now, zone)):
        message = f"{before} has not begun, and what is not over cannot be closed."
        raise BadInput(message, f"Let --to be {today} or an earlier day.")
    return day_start(before, zone)


def due_periods(workspace: Workspace, until: int) -> list[Period]:
    """Return the periods that ended by a time and are open, the first ones first."""
    zone, first = workspace.settings.zone, _first_time(workspace)
    if first is None or first >= until:
        return []
    closed = _closed(workspace)
    found = []
    for every in LENGTHS:
        for start in folding.period_starts(first, until, every=every, zone=zone):
            end = day_start(folding.next_period(start, every), zone)
            if end <= until and (every, start) not in closed:
                found.append((every, start))
    return found


def _first_time(workspace: Workspace) -> int | None:
    """Return when the first thing that is counted happened, three years back at the most."""
    facts = workspace.folds.generation.facts
    tables: Any = facts.tables()
    events, bought = tables["events"], tables["purchases"]
    here = events.filter(events.environment == ENVIRONMENT)
    asked = (here.event_time.min(), bought.purchase_time.min())
    rows = [facts.ask(one.as_table()).to_pylist()[0] for one in asked]
    times = [from_datetime(one) for row in rows for one in row.values() if one is not None]
    earliest = workspace.clock() - _MOST_DAYS * 24 * HOUR
    return max(min(times), earliest) if times else None


def _closed(workspace: Workspace) -> set[Period]:
    facts = workspace.folds.generation.facts
    table: Any = facts.tables()["closed"]
    mine = table.filter(table.environment == ENVIRONMENT).select("every", "start_date").distinct()
    return {(row["every"], row["start_date"]) for row in facts.ask(mine).to_pylist()}


def _parts(due: list[Period]) -> Iterator[list[Period]]:
    for every in LENGTHS:
        mine = [one for one in due if one[0] == every]
        for start in range(0, len(mine), _AT_ONCE):
            yield mine[start : start + _AT_ONCE]


def _closing(workspace: Workspace, part: list[Period]) -> folding.Closing:
    """Return the entry that closes some periods of one length, with every figure in force."""
    every, zone = part[0][0], workspace.settings.zone
    starts = {start for _, start in part}
    span = (
        day_start(min(starts), zone),
        day_start(folding.next_period(max(starts), every), zone),
    )
    offset, now = workspace.facts_offset, workspace.clock()
    found: dict[date, list[folding.Figure]] = defaultdict(list)
    views: dict[str, View] = {}
    for metric in workspace.metrics().values():
        if metric.kind == "time_to":
            # Who began in the period is still on the way: its figure ripens, and has to.
            continue
        try:
            if metric.purpose not in views:
                question = Question(OWNER, purpose=metric.purpose, environment=ENVIRONMENT)
                views[metric.purpose] = workspace.view(question)
            for start, figure in _figures(views[metric.purpose], metric, span, every):
                found[start].append(figure)
        except OnefoldError as error:
            # One that cannot be asked costs the others nothing.
            _log.warning("%s was not closed: %s", metric.name, error.message)
    periods = tuple(
        folding.ClosedPeriod(every, start, tuple(found[start]))
        for start in sorted(starts)
        if found[start]
    )
    return folding.Closing(ENVIRONMENT, now, offset, periods)


def _figures(
    view: "View", metric: Metric, span: tuple[int, int], every: str
) -> Iterator[tuple[date, folding.Figure]]:
    for start, currency, value in folding.recount(
        view, metric, from_time=span[0], to_time=span[1], every=every
    ):
        ends = (value.estimate, value.low, value.high)
        told = (metric.name, metric.version, metric.purpose, currency)
        yield start, folding.Figure(*told, *ends, value.level, value.n)


def _write(workspace: Workspace, asker: Asker, entry: folding.Closing) -> None:
    every, starts = entry.periods[0].every, [one.start_date for one in entry.periods]
    subject = f"{every} {starts[0]}"
    detail: dict[str, object] = {
        "to": str(starts[-1]),
        "periods": len(starts),
        "figures": sum(len(one.figures) for one in entry.periods),
    }
    body: dict[str, object] = msgspec.to_builtins(entry)
    with workspace.state.change(
        asker, folding.ROUTE, subject, detail=detail, entry=(folding.ROUTE, body)
    ):
        pass
    workspace.catch_up()


class CloseLoop(Loop):
    """Closes what is due, in a thread of its own; while imports go on, it waits."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("closing")
        self._workspace = workspace

    def _run(self) -> None:
        looked = -1
        while not self._stop.wait(_LOOK_SECONDS):
            workspace = self._workspace
            # Once an hour is enough: the end of a period lies at least a day from the next.
            hour = workspace.clock() // HOUR
            if hour == looked or workspace.folds.stale or workspace.imports_under_way:
                continue
            try:
                close_due(workspace)
                looked = hour
            except OnefoldError as error:
                _log.warning("Periods could not be closed: %s", error.message)
            except Exception as error:  # noqa: BLE001 - it is tried again
                # The text of an exception may quote a value of somebody: its kind alone is told.
                _log.error("Periods could not be closed: %s", type(error).__name__)
