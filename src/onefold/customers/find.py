"""Whom a text stands for: an identifier, an account, the beginning of a name."""

from typing import TYPE_CHECKING

from onefold.customers import queries
from onefold.customers.naming import nameless
from onefold.customers.records import Found
from onefold.governance import may
from onefold.model.errors import BadInput, NotFound, did_you_mean
from onefold.model.ids import IDENTIFIER_KINDS, identifier_key
from onefold.model.kinds import DEFAULT, OTHER, normal_value

if TYPE_CHECKING:
    from onefold.store import Vault, View

MOST_NAMED = 5
_KINDS = frozenset(rule.name for rule in DEFAULT.kinds) - {OTHER}


def find_customer(view: "View", vault: "Vault", text: str, *, identity_key: bytes) -> Found:
    """Return whom a text stands for.

    Tried in this order: `user_id:u1`, `anonymous_id:...`, `account:a1`, `person:123`; an
    account's id; a bare user id, then a bare anonymous id; the number of a person; the beginning
    of an account's name, a personal field or an identifier.

    Raises:
        NotFound: It stands for nobody; the message says what is near.
        BadInput: It is the beginning of several names.
    """
    wanted = text.strip()
    kind, _, value = wanted.partition(":")
    if kind == "account":
        wanted = value
    if value and kind not in {"account", "person"}:
        told = _by_identifier(view, kind, value, identity_key)
        if told or kind in _KINDS:
            return told or _nobody(view, wanted)
    accounts = _accounts(view)
    if wanted in accounts:
        return Found("account", wanted, accounts[wanted])
    if kind == "account":
        return _nobody(view, wanted)
    for each in IDENTIFIER_KINDS:
        found = _by_identifier(view, each, wanted, identity_key)
        if found:
            return found
    return _by_number(view, wanted) or _by_name(view, vault, wanted, accounts)


def _accounts(view: "View") -> dict[str, str]:
    rows = queries.account_rows(view)
    ids, names = queries.column(rows, "account_id"), queries.column(rows, "name")
    return {account_id: name or account_id for account_id, name in zip(ids, names, strict=True)}


def _by_identifier(view: "View", kind: str, value: str, identity_key: bytes) -> Found | None:
    return _person(view, identifier_key(identity_key, kind, normal_value(kind, value)), value)


def _by_number(view: "View", text: str) -> Found | None:
    digits = text.removeprefix("person:")
    if not digits.lstrip("-").isdigit() or len(digits) > 20 or abs(int(digits)) >= 1 << 63:
        return None
    return _person(view, int(digits), nameless(int(digits)))


def _person(view: "View", key: int, name: str) -> Found | None:
    person_id = queries.person_of(view, key)
    return None if person_id is None else Found("person", str(person_id), name)


def _by_name(view: "View", vault: "Vault", text: str, accounts: dict[str, str]) -> Found:
    lower = text.casefold()
    found = [
        Found("account", account_id, name)
        for account_id, name in accounts.items()
        if lower and name.casefold().startswith(lower)
    ]
    exact = [each for each in found if each.name.casefold() == lower]
    found = exact or found
    if text and not found and may(view.question.asker, "see_personal_fields"):
        persons = {queries.person_of(view, key) for key in vault.search(text, most=20)}
        found = [Found("person", str(each), text) for each in persons if each is not None]
    if len(found) == 1:
        return found[0]
    if not found:
        return _nobody(view, text)
    names = ", ".join(sorted(f"{each.name} ({each.id})" for each in found)[:MOST_NAMED])
    raise BadInput(
        f"{len(found)} customers begin with {text!r}: {names}.", "Give more of the name, or the id."
    )


def _nobody(view: "View", text: str) -> Found:
    raise no_customer(view, text)


def no_customer(view: "View", text: str) -> NotFound:
    """Return the error for a text that stands for nobody, with what is near."""
    accounts = _accounts(view)
    near = did_you_mean(text, [*accounts, *accounts.values()])
    return NotFound(
        f"No customer `{text}`.{near}",
        "Give a user id, `user_id:...`, `anonymous_id:...`, an account's id or its name.",
    )


def account_of_name(view: "View", name: str) -> str | None:
    """Return the id of the one account of a name, in whatever case; None unless there is one."""
    lower = name.strip().casefold()
    found = [key for key, known in _accounts(view).items() if known.casefold() == lower]
    return found[0] if len(found) == 1 else None


def no_account(view: "View", account_id: str) -> NotFound:
    """Return the error for an account that is not there, with what is near."""
    accounts = _accounts(view)
    near = did_you_mean(account_id, [*accounts, *accounts.values()])
    fix = (
        "Import accounts with `onefold import`."
        if not accounts
        else "Look at the list of customers."
    )
    return NotFound(f"No account `{account_id}`.{near}", fix)


def no_person(person_id: str) -> NotFound:
    """Return the error for a person that is not there."""
    return NotFound(
        f"No person `{person_id}`.", "Search by a user id with `onefold person show ID`."
    )
