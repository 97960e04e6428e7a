"""Statements over drafts, what was said of them, and who signs what."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from onefold.governance.records import Check, Draft, Rule, SignOff
from onefold.store import tables

if TYPE_CHECKING:
    from onefold.store import State

Connection = Any
"""What `State.change` yields; only the store knows its engine."""

_drafts, _said = tables.drafts, tables.sign_offs
_rules, _holders = tables.approval_rules, tables.function_holders


def rules(state: "State") -> tuple[Rule, ...]:
    """Return the rules that the workspace set itself."""
    rows = state.rows(_rules.select())
    return tuple(Rule(r["kind"], tuple(r["needs"].split()), bool(r["four_eyes"])) for r in rows)


def put_rule(connection: Connection, rule: Rule) -> None:
    """Put a rule in the place of the one of its kind."""
    connection.execute(_rules.delete().where(_rules.c.kind == rule.kind))
    row = {"kind": rule.kind, "needs": " ".join(rule.needs), "four_eyes": rule.four_eyes}
    connection.execute(_rules.insert().values(**row))


def holders(state: "State") -> dict[str, tuple[str, ...]]:
    """Return function -> users who hold it."""
    found: dict[str, list[str]] = {}
    for row in state.rows(_holders.select().order_by(_holders.c.function, _holders.c.user)):
        found.setdefault(row["function"], []).append(row["user"])
    return {function: tuple(users) for function, users in found.items()}


def put_holders(connection: Connection, function: str, users: tuple[str, ...]) -> None:
    """Say who holds a function."""
    connection.execute(_holders.delete().where(_holders.c.function == function))
    rows = [{"function": function, "user": user} for user in users]
    if rows:
        connection.execute(_holders.insert(), rows)


def put_draft(connection: Connection, draft: Draft) -> None:
    """Keep a new draft."""
    row = {
        "kind": draft.kind,
        "subject": draft.subject,
        "digest": draft.digest,
        "detail": json.dumps(draft.detail, ensure_ascii=False),
        "checks": json.dumps([asdict(check) for check in draft.checks], ensure_ascii=False),
        "needs": " ".join(draft.needs),
        "owner": draft.owner,
        "asked_by": draft.asked_by,
        "asked_time": draft.asked_time,
        "standing": draft.standing,
    }
    connection.execute(_drafts.insert().values(**row))


def put_said(connection: Connection, number: int, said: SignOff) -> None:
    """Keep what was said of a draft."""
    connection.execute(_said.insert().values(draft=number, **asdict(said)))


def set_standing(connection: Connection, number: int, standing: str) -> None:
    """Say how a draft stands."""
    connection.execute(_drafts.update().where(_drafts.c.id == number).values(standing=standing))


def claim(connection: Connection, number: int, among: Sequence[str], standing: str) -> bool:
    """Let a draft that stands in one of some ways stand in another; return whether it did."""
    meant = _drafts.update().where(_drafts.c.id == number, _drafts.c.standing.in_(among))
    return bool(connection.execute(meant.values(standing=standing)).rowcount)


def draft_by(state: "State", kind: str, digest: str) -> Draft | None:
    """Return the newest draft of a content that is neither done nor withdrawn."""
    query = _drafts.select().where(
        _drafts.c.kind == kind,
        _drafts.c.digest == digest,
        _drafts.c.standing.not_in(("done", "withdrawn")),
    )
    rows = state.rows(query.order_by(_drafts.c.id.desc()).limit(1))
    return _draft(state, rows[0]) if rows else None


def drafts(state: "State", *, number: int | None = None, standing: str = "") -> tuple[Draft, ...]:
    """Return all drafts, the newest first, or the one of a number, or those of a standing."""
    query = _drafts.select().order_by(_drafts.c.id.desc())
    if number is not None:
        query = query.where(_drafts.c.id == number)
    if standing:
        query = query.where(_drafts.c.standing == standing)
    return tuple(_draft(state, row) for row in state.rows(query))


def _draft(state: "State", row: Any) -> Draft:
    said = state.rows(_said.select().where(_said.c.draft == row["id"]).order_by(_said.c.id))
    return Draft(
        id=row["id"],
        kind=row["kind"],
        subject=row["subject"],
        digest=row["digest"],
        detail=tuple(json.loads(row["detail"])),
        checks=tuple(Check(**each) for each in json.loads(row["checks"])),
        needs=tuple(row["needs"].split()),
        asked_by=row["asked_by"],
        asked_time=row["asked_time"],
        standing=row["standing"],
        said=tuple(
            SignOff(s["function"], s["verdict"], s["comment"], s["by"], s["time"]) for s in said
        ),
        owner=row["owner"],
    )
