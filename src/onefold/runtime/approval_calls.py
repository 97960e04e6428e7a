"""Calls about what has to be signed: the queue, early checks, sign-off, who signs what."""

from typing import Annotated, Literal

import msgspec

from onefold.governance import approvals
from onefold.runtime import call_params as take
from onefold.runtime.registry import Asked, Body, Outcome, named, table
from onefold.runtime.reviewing import proposals

Function = Literal["product", "marketing", "infrastructure", "legal"]
Standing = Literal["", "waiting", "approved", "making", "failed", "done", "refused", "withdrawn"]
Number = Annotated[int, msgspec.Meta(ge=1, le=2**31)]


class QueueParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Drafts of a standing, or those that wait for a function."""

    standing: Standing = ""
    function: Function | None = None


class DraftParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A draft by its number."""

    draft: Number


class SayParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is said of a draft, for which function."""

    draft: Number
    comment: str = ""
    function: Function | None = None


class WithdrawParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which draft is taken back, and why."""

    draft: Number
    comment: str = ""


class NeedParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who signs a kind of change."""

    kind: str
    needs: tuple[Function, ...] = ()
    four_eyes: bool = False


class AssignParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who signs for a function besides the owners."""

    function: Function
    users: tuple[str, ...] = ()


_QUEUE = ("draft", "kind", "subject", "standing", "waits_for", "found", "asked_by", "asked_time")


@named("approval list", QueueParams)
def _list(asked: Asked, params: QueueParams) -> Body:
    """Changes that wait to be signed, or were; of a function its own queue."""
    found = approvals.drafts(
        asked.workspace.state, standing=params.standing, function=params.function or ""
    )
    return table(tuple(map(queue_row, found)), *_QUEUE)


def queue_row(one: approvals.Draft) -> tuple[object, ...]:
    """Return a draft as a row of the queue."""
    found = ", ".join(check.name for check in one.checks if not check.clear)
    waits = ", ".join(one.open) if one.standing == "waiting" else ""
    known = (one.id, one.kind, one.subject, one.standing, waits, found)
    return (*known, one.asked_by, one.asked_time)


@named("approval show", DraftParams)
def _show(asked: Asked, params: DraftParams) -> Body:
    """One change: what it does, what the early checks found, what was said of it."""
    return _told(approvals.draft_of(asked.workspace.state, params.draft))


@named("approval draft", take.Nothing, action="define", changes=True)
def _draft(asked: Asked, _: take.Nothing) -> Body:
    """Ask for what `apply` would change, before it: early checks, and who has to sign."""
    state, now = asked.workspace.state, asked.workspace.clock()
    found = tuple(
        approvals.draft(state, one, asker=asked.asker, now=now)
        for one in proposals(asked.workspace)
    )
    return table(tuple(map(queue_row, found)), *_QUEUE)


@named("approval checks", take.Nothing, action="define")
def _checks(asked: Asked, _: take.Nothing) -> Outcome:
    """The four early checks of what `apply` would change; nothing is kept."""
    rows = tuple(
        (one.kind, one.subject, check.name, "clear" if check.clear else "found", check.why)
        for one in proposals(asked.workspace)
        for check in approvals.early_checks(one.use)
    )
    answer = table(rows, "kind", "subject", "check", "verdict", "why")
    return Outcome(answer.to_json(), good=all(row[3] == "clear" for row in rows))


@named("approval sign", SayParams, changes=True)
def _sign(asked: Asked, params: SayParams) -> Body:
    """Sign a change for a function that one holds."""
    return _said(asked, params, "sign")


@named("approval refuse", SayParams, changes=True)
def _refuse(asked: Asked, params: SayParams) -> Body:
    """Refuse a change, and say why."""
    return _said(asked, params, "refuse")


@named("approval comment", SayParams, changes=True)
def _comment(asked: Asked, params: SayParams) -> Body:
    """Say something of a change without deciding."""
    return _said(asked, params, "comment")


@named("approval withdraw", WithdrawParams, changes=True)
def _withdraw(asked: Asked, params: WithdrawParams) -> Body:
    """Take a change back that is not made: one that one asked for, or signs."""
    state, now = asked.workspace.state, asked.workspace.clock()
    return _told(
        approvals.withdraw(state, params.draft, params.comment, asker=asked.asker, now=now)
    )


def _said(asked: Asked, params: SayParams, verdict: str) -> Body:
    return _told(
        approvals.say(
            asked.workspace.state,
            params.draft,
            verdict,
            params.comment,
            function=params.function or "",
            asker=asked.asker,
            now=asked.workspace.clock(),
        )
    )


@named("approval matrix", take.Nothing, whole=False)
def _matrix(asked: Asked, _: take.Nothing) -> Body:
    """Who has to sign which kind of change, and who signs for which function."""
    state = asked.workspace.state
    rules = tuple(
        (one.kind, ", ".join(one.needs) or "nobody", "yes" if one.four_eyes else "no")
        for one in approvals.matrix(state)
    )
    held = {name: list(users) for name, users in approvals.holders(state).items()}
    body = table(rules, "kind", "signed_by", "somebody_else").to_json()
    notes = ["Owners sign for every function.", "Legal signs besides what an early check finds."]
    return {**body, "functions": held, "notes": notes}


@named("approval need", NeedParams, action="settings", changes=True)
def _need(asked: Asked, params: NeedParams) -> Body:
    """Say who has to sign a kind of change."""
    rule = approvals.need(
        asked.workspace.state,
        params.kind,
        params.needs,
        four_eyes=params.four_eyes,
        asker=asked.asker,
    )
    return {"kind": rule.kind, "signed_by": list(rule.needs), "somebody_else": rule.four_eyes}


@named("approval assign", AssignParams, action="settings", changes=True)
def _assign(asked: Asked, params: AssignParams) -> Body:
    """Say who signs for a function besides the owners."""
    users = approvals.assign(
        asked.workspace.state, params.function, params.users, asker=asked.asker
    )
    return {"function": params.function, "users": list(users)}


def _told(one: approvals.Draft) -> Body:
    rows = tuple((s.function, s.verdict, s.comment, s.by, s.time) for s in one.said)
    body = table(rows, "function", "verdict", "comment", "by", "said_time").to_json()
    return {
        "draft": one.id,
        "kind": one.kind,
        "subject": one.subject,
        "standing": one.standing,
        "detail": list(one.detail),
        "waits_for": list(one.open) if one.standing == "waiting" else [],
        "checks": [
            {"check": each.name, "clear": each.clear, "why": each.why} for each in one.checks
        ],
        "asked_by": one.asked_by,
        **body,
    }
