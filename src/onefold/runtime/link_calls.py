"""Calls about records that share no key: found, reviewed, decided, and how well that went."""

from typing import Annotated, Literal

import msgspec

from onefold import customers
from onefold.governance import require
from onefold.model.errors import BadInput
from onefold.model.records import Answer, Column, Question
from onefold.model.time import DAY, day_start, parse_date
from onefold.runtime import call_params as take
from onefold.runtime.registry import Asked, Body, named


class AccountMoneyParams(take.Asking, frozen=True, kw_only=True):
    """An account, and the day as of whose end it is asked."""

    id: str
    as_of: str | None = None


class AccountParentParams(take.Asking, frozen=True, kw_only=True):
    """Where an account stands by hand: below which, none, or where imports say (null)."""

    id: str
    parent: str | None = None


Entity = Literal["account", "contact"]
Decision = Literal["same", "different", "later", "open"]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class LinkRunParams(take.Asking, frozen=True, kw_only=True):
    """Which records to compare; `apart` only those of different imports."""

    entity: Entity = "account"
    apart: bool = False


class LinkReviewParams(take.Asking, frozen=True, kw_only=True):
    """Which pairs to see: in an order drawn at random, or the most doubtful first."""

    entity: Entity = "account"
    last: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    doubtful: bool = False


class LinkDecideParams(take.Asking, frozen=True, kw_only=True):
    """A decision on two records."""

    left: str
    right: str
    decision: Decision
    entity: Entity = "account"


class LinkAboveParams(take.Asking, frozen=True, kw_only=True):
    """From which probability on."""

    entity: Entity = "account"
    above: Share = 0.9


@named("account money", AccountMoneyParams)
def _money(asked: Asked, params: AccountMoneyParams) -> Body:
    """Money of an account and of all below it: spend, invoices, credits, commitments, overdue."""
    workspace = asked.workspace
    until = None
    if params.as_of:
        start = day_start(parse_date(params.as_of), workspace.settings.zone)
        if start > workspace.clock():
            raise BadInput(f"{params.as_of} lies ahead.", "Take a day that has begun.")
        until = start + DAY - 1
    question = Question(
        asker=asked.asker,
        purpose=params.purpose,
        environment=params.environment,
        as_of_time=until,
    )
    view = workspace.view(question)
    found = customers.account(view, workspace.vault, params.id)
    return customers.families.rolled_up(view, found.id)


@named("account parent", AccountParentParams, action="decide", changes=True, whole=True)
def _parent(asked: Asked, params: AccountParentParams) -> Body:
    """Let an account stand below another by hand, below none, or where imports say."""
    workspace = asked.workspace
    customers.families.place(
        asked.view(params), workspace.state, asked.asker, params.id, params.parent
    )
    workspace.catch_up(asked.progress)
    return {"account_id": params.id, "parent_id": params.parent}


@named("link run", LinkRunParams, action="import", changes=True, whole=True)
def _run(asked: Asked, params: LinkRunParams) -> Body:
    """Look for records of one account or contact that share no key."""
    workspace = asked.workspace
    asked.progress("Comparing records", 0, None)
    return customers.links.run(
        asked.view(params),
        workspace.vault,
        workspace.state,
        asked.asker,
        params.entity,
        apart=params.apart,
        backend=workspace.settings.link,
    )


@named("link review", LinkReviewParams, action="decide", whole=True)
def _review(asked: Asked, params: LinkReviewParams) -> Body:
    """Pairs of records that wait for a decision, and why they look alike."""
    found = customers.links.queue(
        asked.workspace.state,
        asked.asker,
        params.entity,
        most=params.last,
        doubtful=params.doubtful,
    )
    columns = (
        Column("left", "text"),
        Column("right", "text"),
        Column("probability", "share"),
        Column("weight", "number", "bits"),
        Column("why", "text"),
        Column("decision", "text"),
    )
    return Answer(
        columns=columns,
        rows=tuple(
            (one.left_id, one.right_id, one.probability, one.weight, _why(one.parts), one.decision)
            for one in found
        ),
        definition="Pairs of records that may be the same, by how alike their fields are (Fellegi "
        "and Sunter). A bit doubles the odds; one less halves them.",
    )


def _why(parts: object) -> str:
    if not isinstance(parts, dict):
        return ""
    told = sorted(parts.items(), key=lambda each: -abs(each[1][1]))
    return ", ".join(f"{name} {bits:+.1f}" for name, (_, bits) in told if bits)


@named("link decide", LinkDecideParams, action="decide", changes=True, whole=True)
def _decide(asked: Asked, params: LinkDecideParams) -> Body:
    """Say of two records that they are the same, different, for later, or open again."""
    workspace = asked.workspace
    if params.entity == "contact":
        require(asked.asker, "see_persons")
    pair = customers.links.decide(
        asked.view(params),
        workspace.state,
        asked.asker,
        params.entity,
        left_id=params.left,
        right_id=params.right,
        decision=params.decision,
    )
    workspace.catch_up(asked.progress)
    return pair.to_json()


@named("link accept", LinkAboveParams, action="decide", changes=True, whole=True)
def _accept(asked: Asked, params: LinkAboveParams) -> Body:
    """Say of all waiting pairs from a probability on that they are the same."""
    workspace = asked.workspace
    taken = customers.links.accept_above(workspace.state, asked.asker, params.entity, params.above)
    workspace.catch_up(asked.progress)
    return {"entity": params.entity, "above": params.above, "accepted": taken}


@named("link report", LinkAboveParams, whole=True)
def _report(asked: Asked, params: LinkAboveParams) -> Body:
    """How well pairs were told apart, on those that people reviewed."""
    return customers.links.quality(
        asked.workspace.state, params.entity, above=params.above
    ).to_json()
