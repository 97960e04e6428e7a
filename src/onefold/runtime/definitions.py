"""Definitions from files to the log: what the folds and the door go by is an entry there."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from onefold.collect import Catalogue, FoldRules, make_catalogue, rules_of
from onefold.store import Log, LogRow

KIND = "definitions"
"""The route of the control entry."""


def entry_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the control entry of the definitions in a workspace's folder.

    Raises:
        BadInput: A definition cannot be used; with file, line and column.
    """
    catalogue = Catalogue.read(folder / "definitions" / "events")
    files = {
        str(path.relative_to(folder / "definitions")): path.read_text("utf-8")
        for path in sorted((folder / "definitions").rglob("*.yaml"))
    }
    return {"files": files, "fold": asdict(rules_of(catalogue))}


def applied(log: Log) -> tuple[LogRow | None, FoldRules]:
    """Return the entry in force and its rules; no entry yet means no rules."""
    row = log.latest("control", KIND)
    if row is None:
        return None, FoldRules()
    return row, rules_in(row)


def rules_in(row: LogRow) -> FoldRules:
    """Return the rules in a control entry."""
    return msgspec.convert(msgspec.json.decode(row.body)["fold"], FoldRules)


def applied_catalogue(log: Log) -> Catalogue:
    """Return the catalogue in force, as the door validates by it."""
    row = log.latest("control", KIND)
    if row is None:
        return make_catalogue(())
    files: dict[str, str] = msgspec.json.decode(row.body)["files"]
    return make_catalogue(item for item in files.items() if item[0].startswith("events/"))


def drift(folder: Path, log: Log) -> list[tuple[str, str]]:
    """Return (file, `new` | `changed` | `gone`) for what the folder says and the log does not.

    Raises:
        BadInput: A definition cannot be used; with file, line and column.
    """
    row = log.latest("control", KIND)
    standing: dict[str, str] = msgspec.json.decode(row.body)["files"] if row else {}
    wanted = entry_of(folder)["files"]
    found = {name: "gone" for name in standing if name not in wanted}
    for name, text in wanted.items():
        if name not in standing:
            found[name] = "new"
        elif standing[name] != text:
            found[name] = "changed"
    return sorted(found.items())


def same(row: LogRow | None, entry: dict[str, dict[str, Any]]) -> bool:
    """Return whether an entry says what the one in force says."""
    if row is None:
        return not entry["files"]
    standing = msgspec.json.decode(row.body)
    wanted = msgspec.json.decode(msgspec.json.encode(entry))
    return all(standing.get(name) == wanted[name] for name in ("files", "fold"))
