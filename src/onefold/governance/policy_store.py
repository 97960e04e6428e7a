"""Statements over policies and teams; with `store.py` the only files here that ask the state."""

import json
from typing import TYPE_CHECKING, Any

from onefold.governance.records import Policy, Team
from onefold.store import tables

if TYPE_CHECKING:
    from onefold.store import State

Connection = Any
"""What `State.change` yields; only the store knows its engine."""

_policies, _members, _users = tables.access_policies, tables.team_members, tables.users


def policies(state: "State") -> tuple[Policy, ...]:
    """Return all policies by name."""
    rows = state.rows(_policies.select().order_by(_policies.c.name))
    return tuple(_policy(row["name"], json.loads(row["terms"])) for row in rows)


def put_policy(connection: Connection, policy: Policy) -> None:
    """Put a policy in the place of one of its name."""
    drop_policy(connection, policy.name)
    terms = {
        "who": policy.who,
        "accounts": policy.accounts,
        "owners": policy.owners,
        "regions": policy.regions,
        "campaigns": policy.campaigns,
        "classes": policy.classes,
        "note": policy.note,
    }
    row = {"name": policy.name, "terms": json.dumps(terms, ensure_ascii=False)}
    connection.execute(_policies.insert().values(**row))


def drop_policy(connection: Connection, name: str) -> bool:
    """Remove a policy; False when there is none."""
    return bool(connection.execute(_policies.delete().where(_policies.c.name == name)).rowcount)


def teams(state: "State", *, member: str = "") -> tuple[Team, ...]:
    """Return all teams by name, or those that somebody is of, with that member alone."""
    query = _members.select().order_by(_members.c.team, _members.c.member)
    if member:
        query = query.where(_members.c.member == member)
    found: dict[str, list[str]] = {}
    for row in state.rows(query):
        found.setdefault(row["team"], []).append(row["member"])
    return tuple(Team(name, tuple(members)) for name, members in found.items())


def put_team(connection: Connection, team: Team) -> None:
    """Say who is of a team."""
    drop_team(connection, team.name)
    rows = [{"team": team.name, "member": member} for member in team.members]
    connection.execute(_members.insert(), rows)


def drop_team(connection: Connection, name: str) -> bool:
    """Remove a team; False when there is none."""
    return bool(connection.execute(_members.delete().where(_members.c.team == name)).rowcount)


def user_names(state: "State") -> tuple[str, ...]:
    """Return the name of every user."""
    return tuple(row["name"] for row in state.rows(_users.select().order_by(_users.c.name)))


def _policy(name: str, terms: dict[str, Any]) -> Policy:
    classes = terms.pop("classes")
    note = terms.pop("note")
    lists = {part: tuple(values) for part, values in terms.items()}
    return Policy(
        name=name, classes=None if classes is None else tuple(classes), note=note, **lists
    )
