"""What a View shows of accounts: records that people said are one stand as one in every table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import ibis

from onefold.model.facts import RECORD_TIMES

if TYPE_CHECKING:
    from datetime import datetime

    import ibis.expr.types as ir

    from onefold.model.records import Question

_NAMES = {"account_id": "account", "parent_id": "account", "contact_id": "contact"}
"""Column that names a record -> what it is the id of."""
_ONE = {"accounts": "account_id", "contacts": "contact_id"}
"""Tables of which several rows become one -> their key."""


def _as_one(table: "ir.Table", heads: "ir.Table") -> "ir.Table":
    """Return a table in which every id of a record that is one with others is their common one."""
    columns = table.columns
    for column in columns:
        if column in _NAMES:
            named = heads.filter(heads.entity == _NAMES[column]).select(
                linked_id="id", linked_head="head_id"
            )
            joined = table.left_join(named, table[column] == named.linked_id)
            one = ibis.coalesce(joined.linked_head, joined[column])
            table = joined.mutate(**{column: one}).select(*columns)
    return table


def as_one_account(tables: Mapping[str, "ir.Table"], heads: "ir.Table") -> dict[str, "ir.Table"]:
    """Return all tables, in those of which linked accounts and contacts are one.

    What stands of a field is what the record tells that gave the common id, else what the one
    known last tells.
    """
    named = {*RECORD_TIMES, "events", "memberships", "orders"}
    return {
        name: _merged(name, table, heads) if name in named else table
        for name, table in tables.items()
    }


def _merged(name: str, table: "ir.Table", heads: "ir.Table") -> "ir.Table":
    if name not in _ONE:
        return _as_one(table, heads)
    key = _ONE[name]
    told = _as_one(table.mutate(told_id=table[key]), heads)
    order = [(told.told_id == told[key]).desc(), told.known_time.desc(), told.told_id]
    rest = [column for column in table.columns if column != key]
    firsts = {column: told[column].first(order_by=order) for column in rest}
    return told.group_by(key).aggregate(**firsts).select(*table.columns)


def decided(
    tables: Mapping[str, "ir.Table"], question: "Question", until: "datetime | None"
) -> dict[str, "ir.Table"]:
    """Return what people decided of accounts, and every version of imported rows.

    Returns:
        `accounts` and `contacts` (each record for itself), `links` (pairs decided on), `heads` (id
        to the common one), `parents` (accounts placed by
        hand) and `versions` (imported rows, one a telling, with source), as of what is asked.
    """
    parents, versions, runs = (tables[name] for name in ("account_parents", "records", "runs"))
    runs = runs.filter(runs.environment == question.environment)
    runs = runs.select("run_time", "source").distinct()
    versions = versions.filter(~versions.waiting).inner_join(runs, "run_time")
    if until is not None:
        parents = parents.filter(parents.told_time <= until)
        versions = versions.filter(versions.known_time <= until)
    return {
        "accounts": tables["accounts"],
        "contacts": tables["contacts"],
        "links": tables["account_links"],
        "heads": tables["account_heads"],
        "parents": parents,
        "versions": versions,
    }
