"""Policies: whose rows and which personal fields somebody may see; data, kept in the state."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from onefold.governance import policy_store as store
from onefold.governance.records import WHOLE, Policy, Rows, Sight, Team
from onefold.governance.sign_in import checked_name, user_named
from onefold.model.errors import BadInput, NotFound, unknown
from onefold.model.personal import CLASSES, class_of
from onefold.model.records import ROLES, Asker

if TYPE_CHECKING:
    from onefold.store import State

__all__ = [
    "CLASSES",
    "WHOLE",
    "Policy",
    "Rows",
    "Sight",
    "Team",
    "class_of",
    "policies",
    "put_policy",
    "put_team",
    "remove_policy",
    "remove_team",
    "sight_of",
    "teams",
]

ME, MY_TEAM = "@me", "@team"
NOBODY = "\x00"
"""Owns no account: stands for a team that somebody is not in, so that nothing is shown."""
_KINDS = ("user", "role", "team", "key")
_MOST = 1_000
_LONGEST = 300


def sight_of(state: "State", asker: Asker) -> Sight:
    """Return what an asker may see, as all policies that bind it say together.

    Of several policies on rows, each shows its rows; of several on personal fields, only what
    all of them let be read is read. The command line and the schedule are bound by none.
    """
    if asker.internal:
        return WHOLE
    every = store.policies(state)
    if not every:
        return WHOLE
    its_teams = [team for team in store.teams(state) if asker.name in team.members]
    mine = frozenset(team.name for team in its_teams)
    bound = [each for each in every if _binds(each, asker, mine)]
    if not bound:
        return WHOLE
    mates = {name for team in its_teams for name in team.members}
    rows = [_rows(each, asker, mates) for each in bound if _names_rows(each)]
    limits = [frozenset(each.classes) for each in bound if each.classes is not None]
    return Sight(
        rows=tuple(dict.fromkeys(rows)),
        classes=frozenset.intersection(*limits) if limits else None,
    )


def policies(state: "State") -> tuple[Policy, ...]:
    """Return all policies by name."""
    return store.policies(state)


def teams(state: "State") -> tuple[Team, ...]:
    """Return all teams by name."""
    return store.teams(state)


def put_policy(state: "State", policy: Policy, *, asker: Asker) -> Policy:
    """Let a policy hold from the next question on, in the place of one of that name.

    Raises:
        BadInput: It binds nobody, says nothing, or a word of it is none.
        NotFound: A user or a team of it is none; one that was misspelled would bind nobody.
    """
    policy = _checked(policy)
    _check_known(state, policy)
    detail = {name: value for name, value in asdict(policy).items() if value not in ((), None, "")}
    with state.change(asker, "policy.set", policy.name, detail=detail) as connection:
        store.put_policy(connection, policy)
    return policy


def remove_policy(state: "State", name: str, *, asker: Asker) -> None:
    """End a policy.

    Raises:
        NotFound: There is none of that name.
    """
    with state.change(asker, "policy.remove", name) as connection:
        if not store.drop_policy(connection, name):
            raise unknown("policy", name, [each.name for each in store.policies(state)])


def put_team(state: "State", name: str, members: tuple[str, ...], *, asker: Asker) -> Team:
    """Say who is of a team.

    Raises:
        BadInput: The name is none, or nobody is of it.
        NotFound: A member is no user.
        BadInput: Somebody who leaves would see every row from then on.
    """
    team = Team(checked_name(name), tuple(dict.fromkeys(map(checked_name, members))))
    if not team.members:
        raise BadInput(f"Nobody is of the team `{name}`.", "Name its members, or remove it.")
    known = store.user_names(state)
    for member in team.members:
        if member not in known:
            raise unknown("user", member, known)
    _check_still_bound(state, team)
    detail = {"members": list(team.members)}
    with state.change(asker, "team.set", team.name, detail=detail) as connection:
        store.put_team(connection, team)
    return team


def remove_team(state: "State", name: str, *, asker: Asker) -> None:
    """End a team; who is bound by a policy as one of it is not bound by it any more.

    Raises:
        NotFound: There is none of that name.
        BadInput: A policy binds it: ending it would show its members more.
    """
    bound = [each.name for each in store.policies(state) if f"team:{name}" in each.who]
    if bound:
        message = f"The policy `{bound[0]}` binds the team `{name}`."
        raise BadInput(message, "Change the policy first.")
    with state.change(asker, "team.remove", name) as connection:
        if not store.drop_team(connection, name):
            raise NotFound(f"No team `{name}`.", "`onefold team list` shows all.")


def _binds(policy: Policy, asker: Asker, mine: frozenset[str]) -> bool:
    if asker.is_key:
        return asker.name in policy.who
    names = {f"user:{asker.name}", f"role:{asker.role}", *(f"team:{name}" for name in mine)}
    return not names.isdisjoint(policy.who)


def _names_rows(policy: Policy) -> bool:
    return bool(policy.accounts or policy.owners or policy.regions or policy.campaigns)


def _rows(policy: Policy, asker: Asker, mates: set[str]) -> Rows:
    owners: set[str] = set()
    for owner in policy.owners:
        if owner == MY_TEAM:
            owners |= mates or {NOBODY}
        else:
            owners.add(asker.name if owner == ME else owner)
    return Rows(
        accounts=frozenset(policy.accounts),
        owners=frozenset(map(str.lower, owners)),
        regions=frozenset(map(str.lower, policy.regions)),
        campaigns=frozenset(policy.campaigns),
    )


def _check_known(state: "State", policy: Policy) -> None:
    known = {"user": store.user_names(state), "team": [each.name for each in store.teams(state)]}
    for one in policy.who:
        kind, _, name = one.partition(":")
        if kind in known and name not in known[kind]:
            raise unknown(kind, name, known[kind])


def _check_still_bound(state: "State", team: Team) -> None:
    """Pass when nobody who leaves a team comes to see every row by it."""
    former = next((each.members for each in store.teams(state) if each.name == team.name), ())
    bound = [each for each in store.policies(state) if _names_rows(each)]
    mine = f"team:{team.name}"
    if not any(mine in each.who for each in bound):
        return
    for member in former:
        if member in team.members:
            continue
        asker = Asker(member, user_named(state, member).role)
        others = frozenset(each.name for each in store.teams(state, member=member))
        if not any(_binds(each, asker, others - {team.name}) for each in bound):
            message = f"{member} would see every row: only `{mine}` is bound by rows."
            raise BadInput(message, f"Bind user:{member} or role:{asker.role} by a policy first.")


def _checked(policy: Policy) -> Policy:
    name = checked_name(policy.name)
    if not policy.who:
        raise BadInput(f"`{name}` binds nobody.", "Give user:NAME, role:ROLE, team:NAME, key:NAME.")
    for one in policy.who:
        kind, _, whom = one.partition(":")
        if kind not in _KINDS or not whom:
            raise BadInput(f"`{one}` is nobody.", "Give user:NAME, role:ROLE, team:NAME, key:NAME.")
        if kind == "role" and whom not in ROLES:
            raise BadInput(f"No role `{whom}`.", f"Use one of: {', '.join(ROLES)}.")
    if not _names_rows(policy) and policy.classes is None:
        fix = "Name accounts, owners, regions or campaigns, or what may be read in clear."
        raise BadInput(f"`{name}` says nothing.", fix)
    for one in (*policy.accounts, *policy.owners, *policy.regions, *policy.campaigns):
        if not 0 < len(one) <= _LONGEST or not one.isprintable():
            raise BadInput(f"{one[:40]!a} is no name.", "Leave out what cannot be seen.")
        if one.startswith("@") and one in policy.owners and one not in (ME, MY_TEAM):
            raise BadInput(f"`{one}` is no owner.", f"Write {ME}, {MY_TEAM} or a name.")
    if max(map(len, (policy.who, policy.accounts, policy.owners, policy.campaigns))) > _MOST:
        raise BadInput(f"Over {_MOST:,} names in a list.", "Name owners or regions instead.")
    for each in policy.classes or ():
        if each not in CLASSES:
            raise unknown("class of personal fields", each, CLASSES)
    return policy
