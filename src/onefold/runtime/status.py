"""Counts, lag, rates and sizes of a workspace."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from onefold.model.records import Answer, Column
from onefold.model.time import SECOND, format_time
from onefold.runtime.publishing import told_of

if TYPE_CHECKING:
    from onefold.runtime.workspace import Workspace

_COUNTED = ("events", "sessions", "identifiers", "accounts", "quarantine")


def status_of(workspace: "Workspace") -> Answer:
    """Return one row a figure: its name, its value, its unit."""
    facts = workspace.folds.generation.facts
    tables = facts.tables()
    counts = {name: _count(workspace, name) for name in _COUNTED}
    persons = tables["identifiers"].person_id.nunique().name("persons").as_table()
    duplicates = tables["duplicates"].events.sum().fill_null(0).name("events").as_table()
    log_offset = workspace.log.last_offset()
    rates = workspace.rates()
    records = tables["records"]
    imported = records.filter(~records.waiting).count().name("rows").as_table()
    rows: list[tuple[str, object, str]] = [
        ("workspace", workspace.settings.name, ""),
        ("events accepted", counts["events"], "events"),
        ("events waiting in quarantine", counts["quarantine"], "events"),
        ("events sent twice, counted once", int(_first(facts.ask(duplicates))), "events"),
        ("persons", int(_first(facts.ask(persons))), "persons"),
        ("identifiers", counts["identifiers"], "identifiers"),
        ("records imported", int(_first(facts.ask(imported))), "rows"),
        ("accounts", counts["accounts"], "accounts"),
        ("sessions", counts["sessions"], "sessions"),
        ("log offset", log_offset, "rows"),
        ("facts offset", workspace.facts_offset, "rows"),
        ("lag", log_offset - workspace.facts_offset, "rows"),
        ("events taken over the last minute", round(rates.taken, 1), "events a second"),
        ("events folded over the last minute", round(rates.folded, 1), "events a second"),
        ("rebuilding", workspace.rebuilding, ""),
        ("folds stand still", workspace.trouble or False, ""),
        *(
            (f"size of {name}", _size(workspace.folder, pattern), "bytes")
            for name, pattern in (
                ("log", "log.sqlite*"),
                ("facts", "facts/**/*"),
                ("vault", "vault.sqlite*"),
                ("state", "state.sqlite*"),
            )
        ),
        ("room on the disk", shutil.disk_usage(workspace.folder).free, "bytes"),
    ]
    fresh = workspace.fresh_time
    if fresh is not None:
        age = max(0, workspace.clock() - fresh) / SECOND
        rows += [
            ("last event received", format_time(fresh), "time"),
            ("seconds since then", round(age, 1), "seconds"),
        ]
    rows += told_of(workspace)
    return Answer(
        columns=(Column("figure", "text"), Column("value", "text"), Column("unit", "text")),
        rows=tuple(rows),
        definition="Counts of the facts as folded, places in the log, rates, bytes on disk.",
        as_of_time=fresh,
    )


def _count(workspace: "Workspace", name: str) -> int:
    facts = workspace.folds.generation.facts
    return int(_first(facts.ask(facts.tables()[name].count().name("rows").as_table())))


def _first(table: object) -> int:
    return int(table.column(0)[0].as_py() or 0)  # type: ignore[attr-defined]


def _size(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())
