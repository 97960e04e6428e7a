"""Statements over sources and scheduled imports; the only file of collect that asks the state."""

import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onefold.collect.records import Source, Try
from onefold.collect.sampling import sampling_key as key_of_samples
from onefold.collect.suppression import Suppressed
from onefold.store import tables

if TYPE_CHECKING:
    from onefold.store import State

Connection = Any
"""What `State.change` yields; only the store knows its engine."""

_sources = tables.sources
_runs = tables.runs
_KIND = "import"
_KEPT_TRIES = 20
"""Tries of a scheduled import that are kept."""


def sources(state: "State") -> tuple[Source, ...]:
    """Return the sources in force, oldest first."""
    query = _sources.select().where(_sources.c.disabled.is_(False))
    rows = state.rows(query.order_by(_sources.c.created_time, _sources.c.name))
    return tuple(map(_source, rows))


def put_source(connection: Connection, source: Source, now: int) -> None:
    """Add a source."""
    connection.execute(_sources.insert().values(**_columns(source), created_time=now))


def set_source(connection: Connection, source: Source) -> None:
    """Change what is known of a source but its name."""
    values = _columns(source)
    mine = _sources.c.name == values.pop("name")
    connection.execute(_sources.update().where(mine).values(**values))


def sampling_key(state: "State") -> bytes:
    """Return the key by which sources that sample draw persons; empty before there is one."""
    found = identity_key(state)
    return key_of_samples(found) if found else b""


def identity_key(state: "State") -> bytes:
    """Return the key of every hash of an identifier; empty before there is one."""
    wanted = tables.settings.c.name == "identity_key"
    rows = state.rows(tables.settings.select().where(wanted))
    return bytes.fromhex(rows[0]["value"]) if rows else b""


def suppressed(state: "State") -> Suppressed:
    """Return who was erased and must not come back."""
    wanted = tables.settings.c.name == "identity_key"
    rows = state.rows(tables.settings.select().where(wanted))
    keys = frozenset(row["key"] for row in state.rows(tables.suppressions.select()))
    return Suppressed(bytes.fromhex(rows[0]["value"]) if rows else b"", keys)


def _columns(source: Source) -> dict[str, Any]:
    return {name: getattr(source, name) for name in source.__slots__}


def _source(row: Any) -> Source:
    return Source(**{name: row[name] for name in Source.__slots__})


def last_tries(state: "State") -> tuple[Try, ...]:
    """Return the last try of each scheduled import."""
    latest = {one.name: one for one in map(_try, state.rows(_tries()))}
    return tuple(latest.values())


def begin_try(state: "State", name: str, now: int, detail: Mapping[str, object]) -> Try:
    """Keep a try that begins, in place of those long over."""
    row = {
        "id": secrets.token_hex(16),
        "kind": _KIND,
        "detail": json.dumps({"name": name, **detail}),
        "started_by": "schedule",
        "started_time": now,
        "ended_time": None,
        "outcome": None,
    }
    old = [one.id for one in map(_try, state.rows(_tries())) if one.name == name][:-_KEPT_TRIES]
    if old:
        state.touch(_runs.delete().where(_runs.c.id.in_(old)))
    state.touch(_runs.insert().values(**row))
    return _try(row)


def end_try(
    state: "State", started: Try, now: int, outcome: str, detail: Mapping[str, object]
) -> None:
    """Keep how a try ended."""
    text = json.dumps({"name": started.name, **detail}, ensure_ascii=False)
    mine = _runs.c.id == started.id
    state.touch(_runs.update().where(mine).values(ended_time=now, outcome=outcome, detail=text))


def _tries() -> Any:
    return _runs.select().where(_runs.c.kind == _KIND).order_by(_runs.c.started_time, _runs.c.id)


def _try(row: Any) -> Try:
    detail = json.loads(row["detail"])
    name = detail.pop("name")
    return Try(row["id"], name, row["started_time"], row["ended_time"], row["outcome"], detail)
