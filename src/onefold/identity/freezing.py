"""Frozen cohorts: who is in one, and what has changed of who they are."""

from onefold.identity.cohorts import (
    DISSOLVE,
    FREEZE,
    MOST_MEMBERS,
    Frozen,
    frozen,
    members,
    who_are,
    who_did,
)

__all__ = [
    "DISSOLVE",
    "FREEZE",
    "MOST_MEMBERS",
    "Frozen",
    "frozen",
    "members",
    "who_are",
    "who_did",
]
