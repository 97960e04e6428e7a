"""Calls about the machine: the way of what came in, and facts built anew."""

from dataclasses import replace
from typing import Annotated

import msgspec

from onefold.model.errors import BadInput, NotFound
from onefold.model.records import Answer, Column
from onefold.model.traces import is_trace_id
from onefold.runtime.rebuilding import checksum, migrate, rebuild
from onefold.runtime.registry import Asked, Body, named
from onefold.store import LogRow, planes

_IN_FOLDER = "duckdb"


class TraceParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One trace by its id: 32 hex digits."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{32}$")]


class RebuildParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which rows are replayed, and whether what is built is kept to replay from later."""

    from_offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    keep: bool = False


class MigrateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the facts shall stand: a URL, or `duckdb` for a file in the folder."""

    facts: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


@named("migrate", MigrateParams, action="settings", changes=True, whole=True)
def _migrate(asked: Asked, params: MigrateParams) -> Body:
    """Move the facts to another engine; the old ones answer meanwhile."""
    workspace = asked.workspace
    url = "" if params.facts == _IN_FOLDER else params.facts
    migrate(workspace, url, asked.progress)
    place = planes.facts_place(url) or _IN_FOLDER
    with workspace.state.change(asked.asker, "workspace.migrate", "facts", detail={"to": place}):
        pass
    notes = (f"The facts stand in {place} now; `onefold.toml` says so.",)
    return replace(checksum(workspace), notes=notes)


@named("rebuild", RebuildParams, action="rebuild", changes=True)
def _rebuild(asked: Asked, params: RebuildParams) -> Body:
    """Make the facts anew from the log; the old ones answer meanwhile."""
    workspace = asked.workspace
    began = rebuild(workspace, asked.progress, from_offset=params.from_offset)
    notes = [f"Rows after {began:,} were replayed, those before taken as they were kept."]
    if not began:
        notes = ["All rows were replayed."]
        if params.from_offset:
            notes = ["Nothing fitting was kept before that row, so all rows were replayed."]
    if params.keep:
        kept = workspace.keep_prefix()
        notes.append(f"The facts up to row {kept:,} are kept, to replay from there.")
    return replace(checksum(workspace), notes=tuple(notes))


@named("trace", TraceParams)
def _trace(asked: Asked, params: TraceParams) -> Body:
    """The way of what was sent under one W3C trace: taken, judged, kept, folded."""
    wanted = params.id.lower()
    if not is_trace_id(wanted):
        message = f"`{params.id[:80]}` is no id of a trace."
        raise BadInput(message, "Give the 32 hex digits of a traceparent or traceresponse.")
    rows = asked.workspace.log.traced(wanted)
    if not rows:
        message = f"Nothing was kept under the trace {wanted}."
        raise NotFound(message, "Its sender has to name it in a `traceparent` header.")
    held = asked.workspace.facts_offset
    return Answer(
        columns=(
            Column("log_offset", "integer"),
            Column("received_time", "time"),
            Column("source", "text"),
            Column("environment", "text"),
            Column("protocol", "text"),
            Column("accepted", "integer", "events"),
            Column("quarantined", "integer", "events"),
            Column("folded", "text"),
        ),
        rows=tuple(_row(row, held) for row in rows),
        definition="One row a request: its place in the log, its verdicts, whether facts hold it.",
        as_of_time=asked.workspace.fresh_time,
    )


def _row(row: LogRow, held: int) -> tuple[object, ...]:
    # The upper half of a verdict byte is why an event waits; none is a yes.
    waiting = sum(1 for verdict in row.verdicts if verdict >> 4)
    return (
        row.offset,
        row.received_time,
        row.source,
        row.environment,
        f"{row.dialect} {row.route}",
        len(row.verdicts) - waiting,
        waiting,
        row.offset <= held,
    )
