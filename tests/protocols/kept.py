"""What a workspace holds of what was sent, read from its files with no server in between."""

import json
import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb

from onefold.store.log_sqlite import SqliteLog
from serving import Workspace


def events(workspace: Workspace, scratch: Path) -> list[dict[str, Any]]:
    """Return the rows of `events`, properties decoded, from a copy of the facts."""
    with facts(workspace, scratch) as opened:
        rows = opened.sql(
            "select message_hi, message_lo, kind, event, identifier, user_key, anonymous_key,"
            " account_id, purposes, properties, time_basis, source from events"
            " order by log_offset, place"
        )
        names = rows.columns
        return [
            dict(zip(names, row, strict=True)) | {"properties": json.loads(row[9] or "{}")}
            for row in rows.fetchall()
        ]


def facts(workspace: Workspace, scratch: Path) -> duckdb.DuckDBPyConnection:
    """Return a copy of the facts, opened."""
    copy = scratch / f"facts-of-{workspace.folder.name}"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(workspace.folder / "facts", copy, symlinks=True)
    return duckdb.connect(str(copy / "current" / "facts.duckdb"))


def kinds(rows: list[dict[str, Any]]) -> Counter[str]:
    """Return how often each kind was kept."""
    return Counter(row["kind"] for row in rows)


def everything(workspace: Workspace, scratch: Path) -> bytes:
    """Return all that the workspace's files hold, compressed things unpacked.

    The files as bytes; the log's bodies; every value of every table of facts, state and vault.
    """
    parts = [path.read_bytes() for path in sorted(workspace.folder.rglob("*")) if path.is_file()]
    log = SqliteLog(workspace.folder / "log.sqlite")
    try:
        offset = 0
        while rows := log.read(offset):
            parts += [row.body for row in rows]
            offset = rows[-1].offset
    finally:
        log.close()
    with facts(workspace, scratch) as opened:
        for (table,) in opened.sql("select table_name from duckdb_tables()").fetchall():
            parts += [repr(row).encode() for row in opened.table(table).fetchall()]
    for plane in ("state.sqlite", "vault.sqlite"):
        parts += sqlite_rows(workspace.folder / plane)
    return b"\n".join(parts)


def sqlite_rows(path: Path) -> list[bytes]:
    """Return every row of every table of a file, as text."""
    if not path.exists():
        return []
    connection = sqlite3.connect(path)
    try:
        tables = connection.execute("select name from sqlite_master where type = 'table'")
        return [
            repr(row).encode()
            for (table,) in tables.fetchall()
            for row in connection.execute(f'select * from "{table}"')
        ]
    finally:
        connection.close()
