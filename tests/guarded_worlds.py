"""A workspace of two accounts, one of which a policy hides: everything of it carries a mark.

Records stand in every table that imports fill, made from its columns, so that a table that comes
later is hidden and looked for too.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import ibis
import pyarrow as pa

from onefold.governance import people, policies
from onefold.governance.records import Policy
from onefold.model.facts import RECORD_TABLES, TABLES
from onefold.model.ids import identifier_key
from onefold.model.records import OWNER, ROLES
from worlds import IDENTITY_KEY, START, World, track

HIDDEN = "zqhid"
"""Stands in everything of the account that the policy hides."""
SHOWN = "zqshow"
DEFINED = """\
event: {name}
owner: Web
description: It was done.
properties:
  campaign_id: {{type: string}}
  account_id: {{type: string}}
  surface: {{type: string}}
  item_id: {{type: string}}
"""
REFUSED = {"context": {"consent": {"categoryPreferences": {"analytics": False}}}}


def named(role: str) -> str:
    """Return the name of the user of a role."""
    return f"Some {role}"


def guarded(folder: Any) -> World:
    """Return a world with a user a role, each bound to the account that is shown."""
    names = ("ad_viewed", "ad_clicked", "pin_saved")
    files = {f"events/{name}.yaml": DEFINED.format(name=name) for name in names}
    world = World(folder, definitions=files)
    for mark in (SHOWN, HIDDEN):
        _send(world, mark)
    world.fold()
    world.clock.now += 3_600_000_000
    for mark in (SHOWN, HIDDEN):
        _insert(world, mark)
    state = world.workspace.state
    for role in ROLES:
        people.add_user(state, named(role), role, asker=OWNER, now=world.clock())
        who = (f"user:{named(role)}",)
        policy = Policy(f"only-{role}", who, accounts=(f"{SHOWN}acc",))
        policies.put_policy(state, policy, asker=OWNER)
    return world


def _send(world: World, mark: str) -> None:
    here = {"context": {"groupId": f"{mark}acc", "campaign": {"name": f"{mark}utm"}}}
    said = {"account_id": f"{mark}acc", "campaign_id": f"{mark}camp", "surface": f"{mark}place"}
    member = {
        "type": "group",
        "messageId": f"{mark}g",
        "userId": f"{mark}u",
        "groupId": f"{mark}acc",
    }
    traits = {"email": f"{mark}@example.com", "name": f"{mark}name", "phone": "+49 30 1234567"}
    who = {"type": "identify", "messageId": f"{mark}i", "userId": f"{mark}u", "traits": traits}
    world.send(
        member | {"timestamp": "2025-10-09T08:53:20Z"},
        who | {"timestamp": "2025-10-09T08:53:20Z"},
        track("ad_viewed", id=f"{mark}1", user=f"{mark}u", at=10, **said) | here,
        track("ad_clicked", id=f"{mark}2", user=f"{mark}u", at=20, **said) | here,
        track("pin_saved", id=f"{mark}3", user=f"{mark}u", at=30, item_id=f"{mark}item"),
        track("ad_clicked", id=f"{mark}4", anonymous=f"{mark}stranger", at=40, **said),
        track("ad_clicked", id=f"{mark}5", anonymous=f"{mark}stranger", at=50, **said) | REFUSED,
    )


def _insert(world: World, mark: str) -> None:
    """Put a row into every table of records, each of its texts with the mark."""
    facts = world.workspace.folds.generation.facts
    tables = facts.tables()
    with facts.transaction() as writer:
        for entity, (name, _) in RECORD_TABLES.items():
            row = {c: _value(entity, c, kind, mark) for c, kind in TABLES[name].columns.items()}
            schema = tables[name].schema()
            columns = {c: [row[c]] for c in schema.names}
            writer.insert(name, pa.table(columns, schema=ibis.schema(schema).to_pyarrow()))


def _value(entity: str, column: str, kind: str, mark: str) -> Any:
    if column == "account_id":
        return f"{mark}acc"
    if column == "campaign_id":
        return f"{mark}camp"
    if column in {"properties", "sources"}:
        return "{}"
    if column == "status":
        return "open"
    if column == "currency":
        return "EUR"
    if column == "user_key":
        return identifier_key(bytes.fromhex(IDENTITY_KEY), "user_id", f"{mark}u")
    if column.endswith("_keys"):
        return ""
    if kind == "string":
        return f"{mark}{column.removesuffix('_id')}"
    if kind == "timestamp":
        return datetime.fromtimestamp(START / 1_000_000, UTC).replace(tzinfo=None)
    if kind == "date":
        return date(2025, 10, 8)
    if kind == "boolean":
        return False
    return 1 if mark == SHOWN else 2
