"""Who may do what: one table of roles and actions, asked by pages, API and command line."""

from onefold.model.errors import NotAllowed
from onefold.model.records import ROLES, Asker

ACTIONS: dict[str, frozenset[str]] = {
    "ask": frozenset(ROLES),
    "see_persons": frozenset({"owner", "analyst", "marketer"}),
    "see_personal_fields": frozenset({"owner", "marketer"}),
    "decide": frozenset({"owner", "marketer"}),
    "merge": frozenset({"owner", "marketer"}),
    "consent": frozenset({"owner", "marketer"}),
    "import": frozenset({"owner", "analyst"}),
    "define": frozenset({"owner", "analyst"}),
    "compose": frozenset({"owner", "analyst", "marketer"}),
    "rebuild": frozenset({"owner", "analyst"}),
    "settings": frozenset({"owner"}),
    "audit": frozenset({"owner", "analyst"}),
}
"""Action -> roles that may do it."""

SCOPES: dict[str, frozenset[str]] = {
    "read": frozenset({"ask"}),
    "persons": frozenset({"ask", "see_persons", "see_personal_fields"}),
    "write": frozenset(
        {"ask", "import", "define", "compose", "decide", "merge", "consent", "rebuild"}
    ),
    "admin": frozenset(ACTIONS),
}
"""Scope of an API key -> actions that it opens."""


_WORDS = {
    "see_persons": "see persons",
    "see_personal_fields": "see personal fields",
    "decide": "decide on advice",
    "merge": "decide who is who",
    "consent": "record what people say of consent",
    "import": "import records",
    "define": "change definitions",
    "compose": "keep dashboards",
    "rebuild": "rebuild the facts",
    "settings": "change settings",
    "audit": "read the audit trail",
}


def may(asker: Asker, action: str) -> bool:
    """Return whether an asker may do something; a key may do only what its scopes open.

    >>> may(Asker("Ines", "viewer"), "see_persons")
    False
    """
    if asker.role not in ACTIONS[action]:
        return False
    return not asker.scopes or any(action in SCOPES.get(scope, ()) for scope in asker.scopes)


def require(asker: Asker, action: str) -> None:
    """Pass when an asker may do something.

    Raises:
        NotAllowed: It may not; the message says who may.
    """
    if may(asker, action):
        return
    roles = ", ".join(role for role in ROLES if role in ACTIONS[action])
    message = f"{asker.name} ({asker.role}) may not {_WORDS.get(action, action)}."
    raise NotAllowed(message, f"Ask somebody who is one of: {roles}.")
