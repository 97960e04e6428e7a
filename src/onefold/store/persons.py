"""Rows of the facts that are of persons, by the keys of their identifiers.

A column that is named `..._keys` holds several as `,key,key,`; all others hold one.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pyarrow as pa

from onefold.store.facts import FactsWriter

Keeps = Mapping[str, Sequence[str]]
"""Table -> its columns that hold keys of persons."""


def delete_of(writer: FactsWriter, keeps: Keeps, keys: Collection[int]) -> None:
    """Delete the rows in which a column that holds one key names one of some persons."""
    for table, columns in keeps.items():
        for column in columns:
            if not _is_list(column):
                writer.delete(table, _wanted(column, keys), [column])


def rows_of(
    writer: FactsWriter, keeps: Keeps, keys: Collection[int]
) -> dict[str, list[dict[str, Any]]]:
    """Return table -> its rows in which a column names one of some persons, each once.

    Tables that hold none are left out.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for table, columns in keeps.items():
        rows: dict[str, dict[str, Any]] = {}
        for column in columns:
            wanted = _listed(writer, table, column, keys)
            if wanted is None:
                wanted = _wanted(column, keys)
            for row in writer.matching(table, wanted, [column]).to_pylist():
                rows[repr(row)] = row
        if rows:
            found[table] = list(rows.values())
    return found


def _is_list(column: str) -> bool:
    return column.endswith("_keys")


def _wanted(column: str, keys: Collection[int]) -> pa.Table:
    return pa.table({column: pa.array(sorted(keys), pa.int64())})


def _listed(writer: FactsWriter, table: str, column: str, keys: Collection[int]) -> pa.Table | None:
    """Return the lists of a column that name one of some keys; None for a column of one key."""
    if not _is_list(column):
        return None
    marks = [f",{key}," for key in keys]
    texts = [one for one in writer.distinct(table, column) if any(mark in one for mark in marks)]
    return pa.table({column: pa.array(texts, pa.string())})
