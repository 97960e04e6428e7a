"""Waiting events let in once the catalogue is mended: a control entry, and the facts follow it."""

import threading
from collections import defaultdict
from dataclasses import asdict, replace

from onefold.collect import catalogues, sources
from onefold.model.errors import unknown
from onefold.model.records import Answer, Asker, Column, Progress
from onefold.runtime.definitions import applied_catalogue
from onefold.runtime.workspace import Workspace

MOST_JUDGED_BESIDE = 2_000
"""Requests with waiting events that are read beside another call."""
_one_at_a_time = threading.Lock()
"""An entry repeats all before it, so two of them must not be made at once."""


def look(
    workspace: Workspace, event: str | None = None, progress: Progress | None = None
) -> tuple[catalogues.Retry, catalogues.Outlook]:
    """Return the retry that would be told to the log now, and what it would do.

    Raises:
        NotFound: No event of that name waits.
    """
    places, names = _waiting(workspace)
    if event is not None and event not in names:
        raise unknown("waiting event", event, names)
    meant = frozenset(names if event is None else (event,))
    catalogue = applied_catalogue(workspace.log)
    named = {*meant, *(f"${name}" for name in meant), catalogues.COMMON}
    described = [one for name, one in sorted(catalogue.all.items()) if name in named]
    retry = catalogues.Retry(
        until=workspace.clock(),
        events=tuple(sorted(meant)),
        definitions={one.event: one.text for one in described},
        policies={one.name: one.unplanned for one in sources.list_sources(workspace.state)},
    )

    def told(done: int) -> None:
        if progress is not None:
            progress("Judging anew", done, len(places))

    return retry, catalogues.outlook(retry, workspace.log, places, told)


def fitting(workspace: Workspace) -> int:
    """Return how many waiting messages fit the definitions in force; 0 where too many wait.

    So few are judged that an apply need not wait for it.
    """
    places, _ = _waiting(workspace)
    if not places or len(places) > MOST_JUDGED_BESIDE:
        return 0
    _, outlook = look(workspace)
    return outlook.mended.total()


def let_in(
    workspace: Workspace,
    asker: Asker,
    event: str | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Let waiting events in that fit the definitions in force now; return what became of all.

    The decision is an entry of the log, so a rebuild repeats it. Without anything that fits no
    entry is made.

    Raises:
        NotFound: No event of that name waits.
    """
    with _one_at_a_time:
        retry, outlook = look(workspace, event, progress)
        if outlook.mended:
            former = catalogues.retries_of(workspace.log)
            entry = {"retries": [asdict(one) for one in (*former, _narrowed(retry, outlook))]}
            detail = {"events": dict(outlook.mended)}
            with workspace.state.change(
                asker,
                "quarantine.retry",
                event or "all",
                detail=detail,
                entry=(catalogues.RETRY, entry),
            ):
                pass
            workspace.relay()
            workspace.catch_up(progress)
    rows: list[tuple[object, ...]] = [
        (name, "counts now", "", count) for name, count in outlook.mended.most_common()
    ]
    rows += [
        (name, "waits", reason, count) for (name, reason), count in outlook.waiting.most_common()
    ]
    return Answer(
        columns=(
            Column("event", "text"),
            Column("verdict", "text"),
            Column("reason", "text"),
            Column("events", "integer", "messages"),
        ),
        rows=tuple(rows),
        definition="Waiting events judged anew by the definitions and source policies in force.",
        as_of_time=workspace.fresh_time,
        notes=() if outlook.mended else ("Nothing that waits fits the definitions in force.",),
    )


def _narrowed(retry: catalogues.Retry, outlook: catalogues.Outlook) -> catalogues.Retry:
    """Return a retry of those events alone of which some count now."""
    meant = outlook.mended.keys()
    return replace(
        retry,
        events=tuple(name for name in retry.events if name in meant),
        definitions={
            name: text
            for name, text in retry.definitions.items()
            if name in meant or name.removeprefix("$") in meant or name == catalogues.COMMON
        },
    )


def _waiting(workspace: Workspace) -> tuple[dict[int, list[int]], set[str]]:
    """Return log offset -> places of the events that wait, and their names."""
    facts = workspace.folds.generation.facts
    table = facts.tables()["quarantine"]
    meant = table.filter(table.reason != catalogues.CONFLICT)
    rows = facts.ask(meant.select("log_offset", "place", "event"))
    places: dict[int, list[int]] = defaultdict(list)
    for offset, place in zip(
        rows.column("log_offset").to_pylist(), rows.column("place").to_pylist(), strict=True
    ):
        places[offset].append(place)
    return dict(places), set(rows.column("event").unique().to_pylist())
