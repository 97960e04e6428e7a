"""Approvals: which functions sign which kind of change, drafts that wait, what was said of them."""

from typing import TYPE_CHECKING

from onefold.governance import approval_store as store
from onefold.governance.checks import early_checks
from onefold.governance.records import Check, Draft, FieldUse, Place, Proposal, Rule, SignOff, Use
from onefold.governance.sign_in import user_named
from onefold.model.errors import BadInput, NotAllowed, NotFound, unknown
from onefold.model.records import Asker

if TYPE_CHECKING:
    from onefold.store import State

__all__ = [
    "FUNCTIONS",
    "KINDS",
    "Check",
    "Draft",
    "FieldUse",
    "Place",
    "Proposal",
    "Rule",
    "SignOff",
    "Use",
    "assign",
    "done",
    "draft",
    "draft_of",
    "drafts",
    "early_checks",
    "holders",
    "matrix",
    "may_sign",
    "need",
    "say",
    "settle",
]

FUNCTIONS = ("product", "marketing", "infrastructure", "legal")
"""Who signs: a function that users hold; owners may sign for each."""

DEFAULTS: dict[str, tuple[str, ...]] = {
    "definition": (),
    "experiment": ("product",),
    "campaign": ("marketing",),
    "destination": ("infrastructure", "legal"),
    "transfer": ("legal",),
    "join": ("legal",),
    "consent_policy": ("legal",),
    "erasure": (),
}
"""Kind of change -> who signs it unless the workspace says otherwise. What an early check finds
is signed by legal besides."""
KINDS = tuple(DEFAULTS)
VERDICTS = ("sign", "refuse", "comment")
_MOST_WORDS = 4000


def matrix(state: "State") -> tuple[Rule, ...]:
    """Return who signs which kind of change."""
    kept = {rule.kind: rule for rule in store.rules(state)}
    return tuple(kept.get(kind) or Rule(kind, DEFAULTS[kind]) for kind in KINDS)


def need(
    state: "State", kind: str, needs: tuple[str, ...], *, asker: Asker, four_eyes: bool = False
) -> Rule:
    """Say who signs a kind of change.

    Args:
        state: Where it is kept.
        kind: One of `KINDS`.
        needs: Some of `FUNCTIONS`; none: nobody has to, unless a check finds something.
        asker: Who says so.
        four_eyes: Whoever asked for a change may not sign it.

    Raises:
        NotFound: There is no such kind or function.
    """
    rule = Rule(_known("kind of change", kind, KINDS), _functions(needs), four_eyes)
    detail = {"needs": list(rule.needs), "four_eyes": four_eyes}
    with state.change(asker, "approval.need", kind, detail=detail) as connection:
        store.put_rule(connection, rule)
    return rule


def assign(
    state: "State", function: str, users: tuple[str, ...], *, asker: Asker
) -> tuple[str, ...]:
    """Say who signs for a function besides the owners.

    Raises:
        NotFound: There is no such function or user.
    """
    _known("function", function, FUNCTIONS)
    names = tuple(dict.fromkeys(user_named(state, name).name for name in users))
    detail = {"users": list(names)}
    with state.change(asker, "approval.assign", function, detail=detail) as connection:
        store.put_holders(connection, function, names)
    return names


def holders(state: "State") -> dict[str, tuple[str, ...]]:
    """Return function -> users who sign for it besides the owners."""
    kept = store.holders(state)
    return {name: kept.get(name, ()) for name in FUNCTIONS}


def may_sign(state: "State", asker: Asker, function: str) -> bool:
    """Return whether an asker signs for a function: an owner, or who holds it."""
    if asker.internal:
        return True
    if asker.is_key:
        return "admin" in asker.scopes
    return asker.role == "owner" or asker.name in holders(state).get(function, ())


def draft(state: "State", proposal: Proposal, *, asker: Asker, now: int) -> Draft:
    """Return the draft of a proposal: the one of this very content, or a new one with its checks.

    Raises:
        NotFound: There is no such kind of change.
    """
    _known("kind of change", proposal.kind, KINDS)
    found = store.draft_by(state, proposal.kind, proposal.digest)
    if found is not None:
        return found
    checks = early_checks(proposal.use)
    needs = _needs(state, proposal.kind, checks)
    detail = {"kind": proposal.kind, "needs": list(needs)}
    detail["found"] = [check.name for check in checks if not check.clear]
    made = Draft(
        id=0,
        kind=proposal.kind,
        subject=proposal.subject,
        digest=proposal.digest,
        detail=proposal.detail,
        checks=checks,
        needs=needs,
        asked_by=asker.name,
        asked_time=now,
        standing="waiting" if needs else "approved",
    )
    with state.change(asker, "approval.ask", proposal.subject, detail=detail) as connection:
        store.put_draft(connection, made)
    kept = store.draft_by(state, proposal.kind, proposal.digest)
    return made if kept is None else kept


def settle(state: "State", proposal: Proposal, *, asker: Asker, now: int) -> Draft | None:
    """Pass when a change may be made now; who may sign it signs by making it.

    Returns the draft, to be told `done` of, or None where nobody has to sign.

    Raises:
        NotAllowed: It waits for somebody, or was refused; the draft stands in the queue.
    """
    if not _needs(state, proposal.kind, early_checks(proposal.use)):
        return None
    found = draft(state, proposal, asker=asker, now=now)
    for function in found.open if found.standing == "waiting" else ():
        if may_sign(state, asker, function) and not _own(state, found, asker):
            words = "Signed by making the change."
            found = say(state, found.id, "sign", words, function=function, asker=asker, now=now)
    if found.standing == "refused":
        why = next(one for one in reversed(found.said) if one.verdict == "refuse")
        message = f"{found.subject} was refused for {why.function} by {why.by}: {why.comment}"
        raise NotAllowed(message, "Change it and ask anew.")
    if found.standing == "waiting":
        message = f"{found.subject} waits for {', '.join(found.open)}."
        fix = f"Somebody who signs for it: `onefold approval sign {found.id}`. Then do it again."
        raise NotAllowed(message, fix)
    return found


def say(
    state: "State",
    number: int,
    verdict: str,
    comment: str = "",
    *,
    asker: Asker,
    now: int,
    function: str = "",
) -> Draft:
    """Sign a draft, refuse it or say something of it; return how it stands then.

    Args:
        state: Where drafts stand.
        number: Of the draft.
        verdict: `sign`, `refuse` or `comment`.
        comment: Why; a refusal needs one.
        asker: Who says so.
        now: When.
        function: For which function; without one, the first open one that the asker signs for.

    Raises:
        NotFound: There is no such draft.
        NotAllowed: The asker does not sign for it, or asked for it itself where others must.
        BadInput: It is settled already, or a refusal says no why.
    """
    found = draft_of(state, number)
    if verdict != "comment":
        function = _for(state, found, function, asker)
    if verdict not in VERDICTS or (verdict != "sign" and not comment.strip()):
        raise BadInput("That says nothing.", "Say why in a comment.")
    if len(comment) > _MOST_WORDS:
        raise BadInput(f"{len(comment):,} characters.", f"Say it in {_MOST_WORDS:,}.")
    said = SignOff(function, verdict, comment.strip(), asker.name, now)
    standing = _standing(found, said)
    detail = {"draft": number, "function": function, "standing": standing}
    action = f"approval.{verdict}"
    with state.change(asker, action, found.subject, detail=detail) as connection:
        store.put_said(connection, number, said)
        store.set_standing(connection, number, standing)
    return draft_of(state, number)


def done(state: "State", found: Draft | None, *, asker: Asker) -> None:
    """Remember that an approved change was made: to make it again it is asked for anew."""
    if found is None:
        return
    with state.change(asker, "approval.done", found.subject, detail={"draft": found.id}) as change:
        store.set_standing(change, found.id, "done")


def drafts(state: "State", *, standing: str = "", function: str = "") -> tuple[Draft, ...]:
    """Return drafts, the newest first; of a function those that it has still to sign."""
    found = store.drafts(state)
    return tuple(
        one
        for one in found
        if standing in {"", one.standing}
        and (not function or (one.standing == "waiting" and function in one.open))
    )


def draft_of(state: "State", number: int) -> Draft:
    """Return a draft.

    Raises:
        NotFound: There is none of that number.
    """
    found = next((one for one in store.drafts(state, number=number)), None)
    if found is None:
        raise NotFound(f"No draft {number}.", "`onefold approval list` shows what there is.")
    return found


def _needs(state: "State", kind: str, checks: tuple[Check, ...]) -> tuple[str, ...]:
    rule = next(rule for rule in matrix(state) if rule.kind == kind)
    found = {"legal"} if not all(check.clear for check in checks) else set()
    return tuple(name for name in FUNCTIONS if name in {*rule.needs, *found})


def _own(state: "State", found: Draft, asker: Asker) -> bool:
    """Return whether an asker may not sign because it asked, where somebody else has to."""
    rule = next(rule for rule in matrix(state) if rule.kind == found.kind)
    return rule.four_eyes and found.asked_by == asker.name


def _for(state: "State", found: Draft, function: str, asker: Asker) -> str:
    if found.standing != "waiting":
        raise BadInput(f"{found.subject} is {found.standing}.", "Ask for a change of it anew.")
    if function and function not in found.open:
        raise BadInput(
            f"It does not wait for `{function}`.", f"It waits for {', '.join(found.open)}."
        )
    if _own(state, found, asker):
        raise NotAllowed(f"{asker.name} asked for it.", "Somebody else has to sign.")
    wanted = (function,) if function else found.open
    mine = [name for name in wanted if may_sign(state, asker, name)]
    if not mine:
        message = f"{asker.name} does not sign for {', '.join(wanted)}."
        raise NotAllowed(message, "An owner may, or who holds it: `onefold approval matrix`.")
    return mine[0]


def _standing(found: Draft, said: SignOff) -> str:
    if said.verdict == "comment":
        return found.standing
    if said.verdict == "refuse":
        return "refused"
    return "waiting" if set(found.open) - {said.function} else "approved"


def _functions(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        _known("function", name, FUNCTIONS)
    return tuple(name for name in FUNCTIONS if name in names)


def _known(kind: str, name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        raise unknown(kind, name, names)
    return name
