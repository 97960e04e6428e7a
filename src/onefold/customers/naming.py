"""What to call a person: by name for those who may see it, else by a short number."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from onefold.customers import queries
from onefold.governance import may

if TYPE_CHECKING:
    from onefold.store import Vault, View

NAMED_BY = ("name", "full_name", "fullName", "username", "email")
"""Personal fields by which a person is called, the first that is there."""


def nameless(person_id: int) -> str:
    """Return what a person is called whose name is not known or not shown.

    >>> nameless(-2), nameless(5)
    ('Person ffffffff', 'Person 00000000')
    """
    return f"Person {person_id & (1 << 64) - 1:016x}"[: len("Person ") + 8]


def personal_fields(vault: "Vault", keys: Sequence[int]) -> dict[str, str]:
    """Return the personal fields under keys, the latest value of each."""
    latest: dict[str, tuple[int, str]] = {}
    for each in vault.fields(keys):
        told = (each.event_time, each.value)
        latest[each.field] = max(latest.get(each.field, told), told)
    return {name: value for name, (_, value) in latest.items()}


def name_of(person_id: int, fields: Mapping[str, str], user_id: str | None) -> str:
    """Return what to call a person: its name, else its user id, else its number."""
    for field in NAMED_BY:
        if fields.get(field):
            return fields[field]
    return user_id or nameless(person_id)


def names_of(view: "View", vault: "Vault | None", persons: Sequence[int]) -> dict[int, str]:
    """Return what to call persons, as far as the asker may see it; none for who sees none."""
    if not persons or not may(view.question.asker, "see_persons"):
        return {}
    if vault is None or not may(view.question.asker, "see_personal_fields"):
        return {person_id: nameless(person_id) for person_id in persons}
    rows = queries.identifiers_of(view, persons)
    keys: dict[int, list[int]] = defaultdict(list)
    for key, owner in zip(
        queries.column(rows, "key"), queries.column(rows, "person_id"), strict=True
    ):
        keys[owner].append(key)
    known = vault.names([key for found in keys.values() for key in found])
    users = {
        owner: known[key].value
        for owner, found in keys.items()
        for key in found
        if key in known and known[key].kind == "user_id"
    }
    return {
        person_id: name_of(person_id, personal_fields(vault, keys[person_id]), users.get(person_id))
        for person_id in persons
    }
