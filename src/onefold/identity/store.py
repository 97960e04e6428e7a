"""Decisions by hand, written to the state with their audit entry; the relay tells the log."""

import secrets
from collections.abc import Mapping

import msgspec

from onefold.identity.records import ROUTE, Decision
from onefold.identity.undo import Hand
from onefold.model.records import Asker
from onefold.store import State


def hand_of(asker: Asker, *, now: int) -> Hand:
    """Return who decides, when, and the id of a new link."""
    return Hand(asker.name, now, secrets.token_hex(8))


def decide(
    state: State,
    asker: Asker,
    action: str,
    decision: Decision,
    *,
    keys: Mapping[str, int],
) -> None:
    """Write a decision: its audit entry and what the relay brings to the log.

    Args:
        state: Takes the change.
        asker: Who decides.
        action: Such as `person.merge`.
        decision: Which links stand from now on, and which count no more.
        keys: The identifiers that it is about, by what they are to it; no names.
    """
    told = {name: f"{key & (1 << 64) - 1:016x}" for name, key in keys.items()}
    detail = {**told, "made": [link.link for link in decision.made], "gone": list(decision.gone)}
    body: dict[str, object] = msgspec.to_builtins(decision)
    subject = " ".join(told.values())
    with state.change(asker, action, subject, detail=detail, entry=(ROUTE, body)):
        pass
