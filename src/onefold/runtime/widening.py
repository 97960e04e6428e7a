"""Which calls let somebody do more than before: a new user, a role, a link, a key, who signs."""

from collections.abc import Mapping
from typing import Any

from onefold.governance import approvals, keys, may, people, policies
from onefold.model.records import Asker
from onefold.runtime.workspace import Workspace

CALLS = frozenset({"user add", "user set", "user link", "key add", "approval assign", "team set"})
"""The calls that this tells apart."""
_LEAST = "viewer"
"""The role that only asks; to have it opens nothing but figures."""
_NARROW = frozenset({"read"})
"""Scopes of a key that open no more than that role."""


def widens(workspace: Workspace, asker: Asker, name: str, given: Mapping[str, Any]) -> bool:
    """Return whether somebody may do more by a call than before.

    A link to come in as somebody else counts, unless they only ask and sign for nothing: whoever
    has it does everything as they do.

    Args:
        workspace: Where users, keys and who signs are kept.
        asker: Who makes the call.
        name: One of `CALLS`.
        given: Its parameters.

    Raises:
        NotFound: There is no such user.
    """
    if name == "key add":
        return not _NARROW.issuperset(given["scopes"])
    if name == "user add":
        return bool(given["role"] != _LEAST)
    if name == "approval assign":
        held = approvals.holders(workspace.state).get(given["function"], ())
        return not set(given["users"]) <= set(held)
    if name == "team set":
        # A team signs for the definitions that name it as their owner.
        teams = policies.teams(workspace.state)
        former = next((one.members for one in teams if one.name == given["name"]), ())
        return not set(given["members"]) <= set(former)
    user = people.user_named(workspace.state, given["name"])
    if name == "user set":
        again = (
            user.disabled and given.get("out") is False and _weighs(workspace, user.name, user.role)
        )
        return again or _opens_more(given.get("role", user.role), user.role)
    own = user.name == asker.name and not asker.is_key
    return not own and _weighs(workspace, user.name, user.role)


def _weighs(workspace: Workspace, name: str, role: str) -> bool:
    """Return whether a user may do more than ask, signs for something or is of a team."""
    teams = (one.members for one in policies.teams(workspace.state))
    held = (*approvals.holders(workspace.state).values(), *teams)
    return role != _LEAST or any(name in names for names in held)


def _opens_more(role: str, former: str) -> bool:
    """Return whether a role may do something that the former might not."""
    then, before = Asker("", role), Asker("", former)
    actions = keys.SCOPES["admin"]
    return any(may(then, action) and not may(before, action) for action in actions)
