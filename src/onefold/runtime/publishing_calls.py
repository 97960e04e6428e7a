"""The call that writes the facts out as Parquet, for engines beside ours."""

import msgspec

from onefold.model.records import Answer, Column
from onefold.runtime.publishing import place_of, publish
from onefold.runtime.registry import Asked, Body, named


class FactsExportParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Nothing: where to is in the settings."""


@named("facts export", FactsExportParams, action="rebuild", changes=True)
def _export(asked: Asked, _: FactsExportParams) -> Body:
    """Write the facts out as Parquet now, one whole version of them."""
    workspace = asked.workspace
    workspace.catch_up(asked.progress)
    made = publish(workspace)
    return Answer(
        columns=(
            Column("table", "text"),
            Column("rows", "integer", "rows"),
            Column("files", "integer", "files"),
        ),
        rows=tuple((name, one.rows, len(one.files)) for name, one in sorted(made.tables.items())),
        definition=f"Every table of the facts as of log offset {made.offset:,}, as Parquet.",
        notes=(f"Version {made.version} in {place_of(workspace)}; current.json names it.",),
        as_of_time=made.fresh_time,
    )
