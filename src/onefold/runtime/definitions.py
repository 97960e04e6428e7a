"""Definitions from files to the log: what the folds and the door go by is an entry there."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec

from onefold.collect import Catalogue, FoldRules, catalogues, make_catalogue
from onefold.consent import Gate
from onefold.runtime.settings import FILE, Settings, read_settings
from onefold.store import Log, LogRow

Entry = dict[str, dict[str, Any]]
"""What `entry_of` returns: by `files` their texts, by `fold` what the folds go by, by
`categories` the consent categories of the settings, by `retention` their days."""

KIND = "definitions"
"""The route of the control entry."""
RULING = frozenset({KIND, catalogues.RETRY, catalogues.ERASE, catalogues.EXPIRE, catalogues.MASK})
"""Routes of control entries that say by what rules the facts are built."""

SECTIONS = {"categories": "[consent.categories]", "retention": "[retention]"}
"""Parts of an entry that the settings tell -> how they are called there."""
_OWN_ENTRIES = ("retries", "erasures", "expired", "expired_rows", "masked")
"""Rules that entries of their own tell."""


def entry_of(folder: Path, identity_key: bytes = b"") -> Entry:
    """Return the control entry of the definitions in a workspace's folder.

    Args:
        folder: The workspace.
        identity_key: Keys every hash of an identifier; without it the entry is good for a look
            at the files, not to fold by.

    Raises:
        BadInput: A definition cannot be used; with file, line and column.
    """
    catalogue = Catalogue.read(folder / "definitions" / "events")
    files = {
        str(path.relative_to(folder / "definitions")): path.read_text("utf-8")
        for path in sorted((folder / "definitions").rglob("*.yaml"))
    }
    files = {name: text for name, text in files.items() if not catalogues.is_seed(name, text)}
    settings = read_settings(folder) if (folder / FILE).exists() else Settings(folder.name)
    categories = settings.categories
    rules = asdict(
        catalogues.rules_of(catalogue, folder / "definitions", identity_key, categories=categories)
    )
    # Retries and erasures are entries of their own.
    for name in _OWN_ENTRIES:
        del rules[name]
    return {
        "files": files,
        "fold": rules,
        "categories": dict(categories),
        "retention": settings.days,
    }


def applied(log: Log) -> tuple[LogRow | None, FoldRules]:
    """Return the entry in force and its rules; no entry yet means no rules.

    The rules hold the retries of waiting events and the erasures of persons too, which are entries
    of their own.
    """
    row = log.latest("control", KIND)
    rules = FoldRules()
    if row is not None:
        rules = msgspec.convert(msgspec.json.decode(row.body)["fold"], FoldRules)
    expired, expired_rows = catalogues.expired_of(log)
    return row, replace(
        rules,
        retries=catalogues.retries_of(log),
        erasures=catalogues.erasures_of(log),
        expired=expired,
        expired_rows=expired_rows,
        masked=catalogues.masked_of(log),
    )


def applied_catalogue(log: Log) -> Catalogue:
    """Return the catalogue in force, as the door validates by it."""
    row = log.latest("control", KIND)
    if row is None:
        return make_catalogue(())
    files: dict[str, str] = msgspec.json.decode(row.body)["files"]
    return make_catalogue(item for item in files.items() if item[0].startswith("events/"))


def applied_gate(
    log: Log, categories: Mapping[str, str], identity_key: bytes, vault: Path | None = None
) -> Gate:
    """Return what judges consent by the rules in force, as the door does.

    Args:
        log: Tells the rules.
        categories: Consent category -> purpose, of the workspace's settings; they hold where
            no definitions ever did.
        identity_key: Of the workspace.
        vault: Its file, where events may be held.
    """
    row = log.latest("control", KIND)
    told: Entry = {} if row is None else msgspec.json.decode(row.body)
    text = told.get("files", {}).get("consent.yaml")
    rules = catalogues.consent_rules(text, told.get("categories", categories))
    return Gate(rules, identity_key=identity_key, vault=vault)


def applied_retention(row: LogRow | None, first: Mapping[str, int]) -> dict[str, int]:
    """Return purpose or table -> days that are in force.

    Args:
        row: The entry in force.
        first: The days of the settings; they hold where no entry ever said any.
    """
    told: Entry = {} if row is None else msgspec.json.decode(row.body)
    return dict(told.get("retention", first))


def changed_sections(log: Log, entry: Entry) -> tuple[str, ...]:
    """Return the parts of the settings that an entry says otherwise than the one in force."""
    row = log.latest("control", KIND)
    standing: Entry = {} if row is None else msgspec.json.decode(row.body)
    return tuple(
        section
        for name, section in SECTIONS.items()
        if standing.get(name, entry[name] if standing else {}) != entry[name]
    )


def drift(folder: Path, log: Log, entry: Entry | None = None) -> list[tuple[str, str]]:
    """Return (file, `new` | `changed` | `gone`) for what the folder says and the log does not.

    Args:
        folder: The workspace.
        log: Its log.
        entry: What the folder says, where that was read already.

    Raises:
        BadInput: A definition cannot be used; with file, line and column.
    """
    row = log.latest("control", KIND)
    told: Entry = msgspec.json.decode(row.body) if row else {}
    said = entry or entry_of(folder)
    standing: dict[str, str] = told.get("files", {})
    wanted = said["files"]
    found = {name: "gone" for name in standing if name not in wanted}
    for name, text in wanted.items():
        if name not in standing:
            found[name] = "new"
        elif standing[name] != text:
            found[name] = "changed"
    if changed_sections(log, said):
        found[FILE] = "changed"
    return sorted(found.items())


def same(row: LogRow | None, entry: Entry) -> bool:
    """Return whether an entry says what the one in force says."""
    if row is None:
        return not any(entry[name] for name in ("files", *SECTIONS))
    standing = msgspec.json.decode(row.body)
    wanted = msgspec.json.decode(msgspec.json.encode(entry))
    for name in SECTIONS:
        standing.setdefault(name, wanted[name])
    return all(standing.get(name) == wanted[name] for name in ("files", "fold", *SECTIONS))
