"""Calls about who may come in and who did what: the trail, users, keys."""

from typing import Annotated, Literal

import msgspec

from onefold.governance import add_user, audits, keys, people, trail
from onefold.model.errors import BadInput
from onefold.model.time import DAY, format_time
from onefold.runtime import call_params as take
from onefold.runtime.anchoring import anchor_of
from onefold.runtime.registry import Asked, Body, Outcome, named, table


class TrailParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """In what form the trail is taken along."""

    format: Literal["jsonl", "csv"] = "jsonl"


class TrailCheckParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much of the trail is read: all of it, or only what is `new` where that is enough."""

    new: bool = False


class UserSetParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What changes for a user: the role; whether they are shut `out`. What is left out stays."""

    name: str
    role: take.Role | None = None
    out: bool | None = None


class KeyParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key of a program: what it may do, and for how many days (0: until it is revoked)."""

    name: str
    scopes: tuple[Literal["read", "persons", "write", "admin"], ...]
    days: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 0


class KeyNameParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key by its name."""

    name: str


@named("audit show", take.AuditParams, action="audit")
def _audit_show(asked: Asked, params: take.AuditParams) -> Body:
    """Who changed what, and when."""
    entries = trail(
        asked.workspace.state,
        most=params.last,
        action=params.action,
        actor=params.actor,
        subject=params.subject,
        before=params.before,
    )
    rows = tuple((e.id, e.time, e.actor, e.action, e.subject, e.detail) for e in entries)
    return table(rows, "id", "changed_time", "actor", "action", "subject", "detail")


@named("audit verify", TrailCheckParams, action="audit")
def _audit_verify(asked: Asked, params: TrailCheckParams) -> Outcome:
    """Whether the trail is whole: nothing changed, moved, removed, also not from its end.

    With `new`, only what came since it was read whole within the hour is followed.
    """
    workspace = asked.workspace
    read = workspace.trail_watch.look if params.new else workspace.trail_watch.read
    found = read(workspace.state, anchor_of(workspace.log), workspace.clock())
    body = {
        "whole": found.whole,
        "entries": found.entries,
        "broken_at": found.broken_at,
        "why": found.why,
        "anchored_at": found.anchored,
        "read_from": found.read_from,
        "read_time": None if found.read_time is None else format_time(found.read_time),
    }
    return Outcome(body, good=found.whole)


@named("audit export", TrailParams, action="audit")
def _audit_export(asked: Asked, params: TrailParams) -> Body:
    """The whole trail as JSON lines, with its hashes, or as CSV: `text`."""
    state = asked.workspace.state
    if params.format == "csv":
        return {"format": "csv", "text": audits.as_csv(state)}
    return {"format": "jsonl", "text": "".join(f"{line}\n" for line in audits.as_lines(state))}


@named("user add", take.UserParams, action="settings", changes=True)
def _user_add(asked: Asked, params: take.UserParams) -> Body:
    """Add a user, who signs in by a link first."""
    now = asked.workspace.clock()
    user = add_user(asked.workspace.state, params.name, params.role, asker=asked.asker, now=now)
    return {"name": user.name, "role": user.role}


@named("user set", UserSetParams, action="settings", changes=True)
def _user_set(asked: Asked, params: UserSetParams) -> Body:
    """Give a user another role, shut them out with all sessions, or let them in again."""
    state, asker = asked.workspace.state, asked.asker
    if params.role is None and params.out is None:
        raise BadInput("Nothing is to be changed.", "Give a role, or whether to shut out.")
    if params.role is not None:
        people.set_role(state, params.name, params.role, asker=asker)
    if params.out is not None:
        people.set_disabled(state, params.name, disabled=params.out, asker=asker)
    user = people.user_named(state, params.name)
    return {"name": user.name, "role": user.role, "shut_out": user.disabled}


@named("user link", take.LinkParams, action="settings", changes=True)
def _user_link(asked: Asked, params: take.LinkParams) -> Body:
    """Make a link that signs a user in once, within a day."""
    now = asked.workspace.clock()
    path = people.sign_in_link(asked.workspace.state, params.name, asker=asked.asker, now=now)
    return {"name": params.name, "path": path}


@named("key list", take.Nothing, action="settings")
def _key_list(asked: Asked, _: take.Nothing) -> Body:
    """Keys of programs: what each may do, until when, and when it was used last."""
    now = asked.workspace.clock()
    rows = tuple(
        (
            k.name,
            f"...{k.hint}",
            ", ".join(k.scopes),
            k.standing(now),
            k.created_time,
            k.expires_time,
            k.last_used_time,
        )
        for k in keys.api_keys(asked.workspace.state)
    )
    times = ("created_time", "expires_time", "last_used_time")
    return table(rows, "key", "ends", "scopes", "standing", *times)


@named("key add", KeyParams, action="settings", changes=True)
def _key_add(asked: Asked, params: KeyParams) -> Body:
    """Make a key and show it this once."""
    now = asked.workspace.clock()
    until = now + params.days * DAY if params.days else None
    secret = keys.add_api_key(
        asked.workspace.state,
        params.name,
        params.scopes,
        asker=asked.asker,
        now=now,
        expires_time=until,
    )
    return {"name": params.name, "api_key": secret, "scopes": list(params.scopes)}


@named("key revoke", KeyNameParams, action="settings", changes=True)
def _key_revoke(asked: Asked, params: KeyNameParams) -> Body:
    """End a key at once."""
    now = asked.workspace.clock()
    keys.revoke_api_key(asked.workspace.state, params.name, asker=asked.asker, now=now)
    return {"name": params.name, "revoked": True}
