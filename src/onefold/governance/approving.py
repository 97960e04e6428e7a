"""Approvals: which functions sign which kind of change, drafts that wait, what was said of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from onefold.governance import approval_store as store
from onefold.governance.checks import early_checks
from onefold.governance.policy_store import teams
from onefold.governance.records import Check, Draft, FieldUse, Place, Proposal, Rule, SignOff, Use
from onefold.governance.sign_in import user_named
from onefold.model.errors import (
    BadInput,
    Conflict,
    NotAllowed,
    NotFound,
    OnefoldError,
    unknown,
)
from onefold.model.records import Asker

if TYPE_CHECKING:
    from onefold.store import State

__all__ = [
    "FUNCTIONS",
    "KINDS",
    "STANDINGS",
    "Check",
    "Draft",
    "FieldUse",
    "Place",
    "Proposal",
    "Rule",
    "SignOff",
    "Use",
    "assign",
    "draft",
    "draft_of",
    "drafts",
    "early_checks",
    "holders",
    "interrupted",
    "making",
    "matrix",
    "may_sign",
    "need",
    "say",
    "settle",
    "signs",
    "watched",
    "withdraw",
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
    "release": ("legal",),
    "consent_policy": ("legal",),
    "erasure": (),
    "certification": ("product",),
    "access": (),
}
"""Kind of change -> who signs it unless the workspace says otherwise. What an early check finds
is signed by legal besides."""
KINDS = tuple(DEFAULTS)
VERDICTS = ("sign", "refuse", "comment")
STANDINGS = ("waiting", "approved", "making", "failed", "done", "refused", "withdrawn")
"""How a draft stands: `making` while it is being made; `failed` where that broke off."""
_BY_SIGNATURE = frozenset({"certification"})
"""Kinds of which nothing is left to make once they are signed."""
_OPEN = ("approved", "failed")
"""What may be made now."""
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


def watched(state: "State") -> bool:
    """Return whether some change needs somebody else than who asks for it."""
    return any(rule.four_eyes for rule in store.rules(state))


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


def signs(state: "State", asker: Asker, found: Draft, function: str) -> bool:
    """Return whether an asker signs a draft for a function: who may sign for it, or its owner.

    The owner is a user or a team, as the definition names it; a key is neither.
    """
    if may_sign(state, asker, function):
        return True
    if asker.is_key or not found.owner:
        return False
    mine = {asker.name, *(team.name for team in teams(state, member=asker.name))}
    return found.owner.casefold() in {name.casefold() for name in mine}


def draft(state: "State", proposal: Proposal, *, asker: Asker, now: int) -> Draft:
    """Return the draft of a proposal: the one of this very content, or a new one with its checks.

    Raises:
        NotFound: There is no such kind of change.
    """
    _known("kind of change", proposal.kind, KINDS)
    proposal = replace(proposal, digest=_digest(state, proposal))
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
        owner=proposal.owner,
    )
    with state.change(asker, "approval.ask", proposal.subject, detail=detail) as connection:
        store.put_draft(connection, made)
    kept = store.draft_by(state, proposal.kind, proposal.digest)
    return made if kept is None else kept


def settle(state: "State", proposal: Proposal, *, asker: Asker, now: int) -> Draft | None:
    """Pass when a change may be made now; who may sign it signs by making it.

    Returns the draft, for `making`, or None where nobody has to sign.

    Raises:
        NotAllowed: It waits for somebody, or was refused; the draft stands in the queue.
        Conflict: It is being made.
    """
    if not _needs(state, proposal.kind, early_checks(proposal.use)):
        return None
    found = draft(state, proposal, asker=asker, now=now)
    for function in found.open if found.standing == "waiting" else ():
        if signs(state, asker, found, function) and not _own(state, found, asker):
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
    _free(found)
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
    _short(comment)
    said = SignOff(function, verdict, comment.strip(), asker.name, now)
    standing = _standing(found, said)
    detail = {"draft": number, "function": function, "standing": standing}
    action = f"approval.{verdict}"
    with state.change(asker, action, found.subject, detail=detail) as connection:
        store.put_said(connection, number, said)
        store.set_standing(connection, number, standing)
    return draft_of(state, number)


@contextmanager
def making(state: "State", found: "Sequence[Draft | None]", *, asker: Asker) -> Iterator[None]:
    """Let changes that were signed be made inside, each once.

    Afterwards they are done, and to make them again they are asked for anew; where it breaks off
    they failed, and may be tried again as they were signed, or withdrawn.

    Raises:
        Conflict: Somebody else makes one of them just now, or made it.
    """
    drafts = [one for one in found if one is not None]
    for one in drafts:
        detail = {"draft": one.id}
        with state.change(asker, "approval.make", one.subject, detail=detail) as connection:
            if not store.claim(connection, one.id, _OPEN, "making"):
                raise _busy(one)
    try:
        yield
    except BaseException as error:
        # The text of any other exception may quote a value of somebody: its kind alone is told.
        why = error.message if isinstance(error, OnefoldError) else type(error).__name__
        for one in drafts:
            # What cannot be written now is so once the workspace is opened anew.
            with suppress(OnefoldError):
                _failed(state, one, why, asker=asker)
        raise
    for one in drafts:
        detail = {"draft": one.id}
        with state.change(asker, "approval.done", one.subject, detail=detail) as connection:
            store.set_standing(connection, one.id, "done")


def interrupted(state: "State", *, asker: Asker) -> None:
    """Let what was being made when its process ended stand as failed; for whoever opens anew."""
    for one in store.drafts(state, standing="making"):
        why = "The process ended meanwhile: look whether it was made before you try again."
        _failed(state, one, why, asker=asker)


def withdraw(state: "State", number: int, comment: str = "", *, asker: Asker, now: int) -> Draft:
    """Take a draft back that is not made; whoever wants the change asks for it anew.

    Raises:
        NotFound: There is no such draft.
        NotAllowed: The asker neither asked for it nor signs for it.
        Conflict: It is made, refused or withdrawn already.
    """
    found = draft_of(state, number)
    _short(comment)
    mine = found.asked_by == asker.name and not asker.is_key
    if not mine and not any(signs(state, asker, found, name) for name in found.needs):
        message = f"{asker.name} did not ask for {found.subject}."
        raise NotAllowed(message, "Who asked may, or who signs for it.")
    said = SignOff("", "withdraw", comment.strip(), asker.name, now)
    detail = {"draft": number}
    with state.change(asker, "approval.withdraw", found.subject, detail=detail) as connection:
        if not store.claim(connection, number, ("waiting", *_OPEN), "withdrawn"):
            message = f"{found.subject} is {draft_of(state, number).standing}."
            raise Conflict(message, "Only what is neither made nor refused can be withdrawn.")
        store.put_said(connection, number, said)
    return draft_of(state, number)


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


def _failed(state: "State", one: Draft, why: str, *, asker: Asker) -> None:
    said = SignOff("", "fail", why[:_MOST_WORDS], asker.name, state.now())
    detail = {"draft": one.id, "why": why[:_MOST_WORDS]}
    with state.change(asker, "approval.fail", one.subject, detail=detail) as connection:
        store.put_said(connection, one.id, said)
        store.set_standing(connection, one.id, "failed")


def _free(found: Draft) -> None:
    if found.standing == "making":
        raise _busy(found)


def _busy(found: Draft) -> Conflict:
    return Conflict(f"{found.subject} is being made already.", "Wait, then look how it stands.")


def _short(comment: str) -> None:
    if len(comment) > _MOST_WORDS:
        raise BadInput(f"{len(comment):,} characters.", f"Say it in {_MOST_WORDS:,}.")


def _digest(state: "State", proposal: Proposal) -> str:
    """Return the hash of what is signed: the content, what it does with data, who has to sign.

    Whoever signed has seen it so; where any of that changes it is asked for anew.
    """
    rule = _rule(state, proposal.kind)
    told = msgspec.json.encode([proposal.digest, asdict(proposal.use), asdict(rule)])
    return blake2b(told, digest_size=32).hexdigest()


def _rule(state: "State", kind: str) -> Rule:
    return next(rule for rule in matrix(state) if rule.kind == kind)


def _needs(state: "State", kind: str, checks: tuple[Check, ...]) -> tuple[str, ...]:
    rule = _rule(state, kind)
    found = {"legal"} if not all(check.clear for check in checks) else set()
    return tuple(name for name in FUNCTIONS if name in {*rule.needs, *found})


def _own(state: "State", found: Draft, asker: Asker) -> bool:
    """Return whether an asker may not sign because it asked, where somebody else has to."""
    if not _rule(state, found.kind).four_eyes:
        return False
    # A key is nobody: whoever asked may have made it.
    return asker.is_key or found.asked_by == asker.name


def _for(state: "State", found: Draft, function: str, asker: Asker) -> str:
    if found.standing != "waiting":
        raise BadInput(f"{found.subject} is {found.standing}.", "Ask for a change of it anew.")
    if function and function not in found.open:
        raise BadInput(
            f"It does not wait for `{function}`.", f"It waits for {', '.join(found.open)}."
        )
    if _own(state, found, asker):
        why = "is a key" if asker.is_key else "asked for it"
        raise NotAllowed(f"{asker.name} {why}.", "Somebody else has to sign.")
    wanted = (function,) if function else found.open
    mine = [name for name in wanted if signs(state, asker, found, name)]
    if not mine:
        message = f"{asker.name} does not sign for {', '.join(wanted)}."
        raise NotAllowed(message, "An owner may, or who holds it: `onefold approval matrix`.")
    return mine[0]


def _standing(found: Draft, said: SignOff) -> str:
    if said.verdict == "comment":
        return found.standing
    if said.verdict == "refuse":
        return "refused"
    if set(found.open) - {said.function}:
        return "waiting"
    return "done" if found.kind in _BY_SIGNATURE else "approved"


def _functions(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        _known("function", name, FUNCTIONS)
    return tuple(name for name in FUNCTIONS if name in names)


def _known(kind: str, name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        raise unknown(kind, name, names)
    return name
