"""Calls about who sees what: policies by row and column, teams, and what they come to."""

from typing import Annotated

import msgspec

from onefold.governance import may, policies, require
from onefold.runtime import call_params as take
from onefold.runtime.registry import Asked, Body, asker_named, named, table

Words = tuple[str, ...]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class PolicyParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A policy: whom it binds, whose rows it shows, what of persons may be read in clear."""

    name: Name
    who: Words
    accounts: Words = ()
    owners: Words = ()
    regions: Words = ()
    campaigns: Words = ()
    classes: Words | None = None
    note: str = ""


class NamedParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something by its name."""

    name: Name


class TeamParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A team and who is of it."""

    name: Name
    members: Words


class SightParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose sight; without a name, the asker's own."""

    user: str = ""


_POLICY = ("policy", "who", "accounts", "owners", "regions", "campaigns", "classes", "note")


@named("policy list", take.Nothing, action="settings")
def _policy_list(asked: Asked, _: take.Nothing) -> Body:
    """Who may see which rows, and what of persons in clear."""
    found = policies.policies(asked.workspace.state)
    definition = (
        "Whom no policy names sees every row, and of persons what the role lets be seen. Of "
        "several policies on rows each shows its rows; of several on classes all must let read."
    )
    return table(tuple(map(_policy_row, found)), *_POLICY, definition=definition)


@named("policy set", PolicyParams, action="settings", changes=True)
def _policy_set(asked: Asked, params: PolicyParams) -> Body:
    """Let a policy hold from the next question on."""
    policy = policies.Policy(
        name=params.name,
        who=params.who,
        accounts=params.accounts,
        owners=params.owners,
        regions=params.regions,
        campaigns=params.campaigns,
        classes=params.classes,
        note=params.note,
    )
    kept = policies.put_policy(asked.workspace.state, policy, asker=asked.asker)
    return table((_policy_row(kept),), *_POLICY)


@named("policy remove", NamedParams, action="settings", changes=True)
def _policy_remove(asked: Asked, params: NamedParams) -> Body:
    """End a policy: whom it bound sees what the others let be seen."""
    policies.remove_policy(asked.workspace.state, params.name, asker=asked.asker)
    return {"policy": params.name, "removed": True}


@named("policy sight", SightParams, whole=False)
def _policy_sight(asked: Asked, params: SightParams) -> Body:
    """What somebody may see, as all policies together say."""
    asker = asked.asker
    if params.user and params.user != asker.name:
        require(asker, "settings")
        asker = asker_named(asked.workspace, params.user)
    sight = asked.workspace.sight(asker)
    rows = tuple(
        tuple(", ".join(sorted(part)) for part in (r.accounts, r.owners, r.regions, r.campaigns))
        for r in sight.rows
    )
    body = table(rows, "accounts", "owners", "regions", "campaigns").to_json()
    readable = may(asker, "see_personal_fields")
    classes = policies.CLASSES if sight.classes is None else sorted(sight.classes)
    return {
        "user": asker.name,
        "role": asker.role,
        "every_row": sight.whole,
        "read_in_clear": list(classes) if readable else [],
        **body,
    }


@named("team list", take.Nothing, action="settings")
def _team_list(asked: Asked, _: take.Nothing) -> Body:
    """Teams and who is of them."""
    found = policies.teams(asked.workspace.state)
    return table(tuple((each.name, ", ".join(each.members)) for each in found), "team", "members")


@named("team set", TeamParams, action="settings", changes=True)
def _team_set(asked: Asked, params: TeamParams) -> Body:
    """Say who is of a team."""
    state = asked.workspace.state
    team = policies.put_team(state, params.name, params.members, asker=asked.asker)
    return {"team": team.name, "members": list(team.members)}


@named("team remove", NamedParams, action="settings", changes=True)
def _team_remove(asked: Asked, params: NamedParams) -> Body:
    """End a team that no policy binds."""
    policies.remove_team(asked.workspace.state, params.name, asker=asked.asker)
    return {"team": params.name, "removed": True}


def _policy_row(one: policies.Policy) -> tuple[object, ...]:
    lists = (one.who, one.accounts, one.owners, one.regions, one.campaigns)
    clear = "as the role" if one.classes is None else ", ".join(one.classes) or "nothing"
    return (one.name, *(", ".join(each) for each in lists), clear, one.note)
