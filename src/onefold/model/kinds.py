"""Kinds of identifiers, and the rules by which identifiers make persons."""

import re
from dataclasses import dataclass
from functools import lru_cache

USER, ANONYMOUS, CONTACT, EMAIL, PHONE = "user_id", "anonymous_id", "contact_id", "email", "phone"
OTHER = "other"
"""In the rules, every kind that they do not name."""

_LONGEST = 200
_NOT_DIGITS = re.compile(r"[^0-9]")
_FEWEST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class KindRule:
    """What holds for the identifiers of one kind.

    Attributes:
        name: The kind, such as `email`, or `other`.
        limit: So many of them one person may have, for each of its user ids; 0 for any number.
        shared_by: So many records (user ids, contacts) may share one before it counts for nobody;
            0 for any number.
        record: One of them stands for one record of somebody, as a user id or a contact does.
    """

    name: str
    limit: int = 5
    shared_by: int = 3
    record: bool = False


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """By which rules links make persons.

    Attributes:
        kinds: In the order of their priority, the first one first.
        blocked: Patterns of values that stand for nobody; a value is blocked that fits one whole,
            in any case.
        traits: (trait of a person, kind of identifier that it tells).
    """

    kinds: tuple[KindRule, ...]
    blocked: tuple[str, ...] = ()
    traits: tuple[tuple[str, str], ...] = ()

    def place(self, kind: str) -> int:
        """Return the place of a kind in the order of priority, from 0."""
        places = _places(self.kinds)
        return places.get(kind, places[OTHER])

    def of(self, kind: str) -> KindRule:
        """Return what holds for a kind."""
        return self.kinds[self.place(kind)]


@lru_cache(maxsize=8)
def _places(kinds: tuple[KindRule, ...]) -> dict[str, int]:
    return {rule.name: at for at, rule in enumerate(kinds)}


DEFAULT = IdentityRules(
    kinds=(
        KindRule(USER, limit=1, shared_by=0, record=True),
        KindRule(CONTACT, shared_by=0, record=True),
        KindRule("crm_id", shared_by=0, record=True),
        KindRule(EMAIL),
        KindRule(PHONE),
        KindRule(OTHER),
        KindRule("advertising_id", shared_by=1),
        KindRule("device_id", shared_by=1),
        KindRule(ANONYMOUS, shared_by=1),
    ),
    blocked=("[0-]*", "-1", "null", "undefined", "none", "nan", "anonymous"),
    traits=((EMAIL, EMAIL), (PHONE, PHONE)),
)
"""Segment's limits (user id 1, every other kind 5) and blocked values, with caps on sharing."""


def normal_value(kind: str, text: str) -> str:
    """Return an identifier as it is compared; nothing where it can be none.

    >>> normal_value("email", " Jo@Example.com"), normal_value("phone", "0049 (30) 12-34 56")
    ('jo@example.com', '+4930123456')
    >>> normal_value("email", "none"), normal_value("user_id", " u1 ")
    ('', ' u1 ')
    """
    if kind == EMAIL:
        found = text.strip().lower()
        return found if "@" in found[1:-1] and len(found) <= _LONGEST else ""
    if kind == PHONE:
        digits = _NOT_DIGITS.sub("", text)
        abroad = text.strip().startswith("+") or digits.startswith("00")
        if not _FEWEST_DIGITS <= len(digits) <= _LONGEST:
            return ""
        return "+" + digits.lstrip("0") if abroad else digits
    if kind in {USER, ANONYMOUS}:
        return text
    found = text.strip()
    return found if len(found) <= _LONGEST else ""
