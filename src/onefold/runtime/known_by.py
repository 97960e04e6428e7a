"""What a person is known by, in every plane: what an erasure takes out and an export tells."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from onefold.collect import catalogues
from onefold.model.errors import NotFound
from onefold.model.facts import RECORD_TABLES
from onefold.model.ids import identifier_key
from onefold.model.kinds import normal_value
from onefold.runtime.workspace import Workspace

if TYPE_CHECKING:
    from onefold.store import FactsWriter

KINDS = ("user_id", "anonymous_id", "email", "phone", "contact_id", "creator_id")
"""Kinds of what somebody may be called by, in the order they are tried."""
_WHOLE = ("contact", "creator")
_OF_ROWS = ("user_key", "email_key", "phone_key")
_MOST_ROUNDS = 5


@dataclass(slots=True)
class KnownBy:
    """A person by keys.

    Attributes:
        person_id: The number that pages call it by.
        keys: Of everything it is known by, and nobody else.
        named: Keys of words beside that the vault keeps for it alone, such as its name.
        shared: Keys of an e-mail address or a number that others have too: it is theirs as well.
    """

    person_id: int
    keys: set[int] = field(default_factory=set)
    named: set[int] = field(default_factory=set)
    shared: set[int] = field(default_factory=set)


def known_by(workspace: Workspace, text: str) -> KnownBy:
    """Return who a text stands for: an identifier (`kind:value` or bare), or `person:NUMBER`.

    Raises:
        NotFound: It stands for nobody.
    """
    with workspace.folds.generation.facts.transaction() as writer:
        for key in _meant(workspace, text.strip()):
            found = _person_of(key, writer)
            if found is not None:
                _gather(found, workspace, writer)
                return found
    raise NotFound(
        f"No person `{text}`.", "Give a user id, or `user_id:...`, `email:...`, `person:...`."
    )


def _meant(workspace: Workspace, text: str) -> Iterable[int]:
    kind, _, value = text.partition(":")
    if kind == "person" and value.lstrip("-").isdigit():
        yield _signed(int(value))
        return
    tried = [(kind, value)] if kind in KINDS and value else [(one, text) for one in KINDS]
    for one, said in tried:
        for form in dict.fromkeys((said, normal_value(one, said) or said)):
            yield identifier_key(workspace.identity_key, one, form)
    if text.lstrip("-").isdigit():
        yield _signed(int(text))


def _signed(number: int) -> int:
    return number if abs(number) < 1 << 63 else 0


def _person_of(key: int, writer: "FactsWriter") -> KnownBy | None:
    """Return the person of a key: by the graph, else by imported rows alone."""
    import pyarrow as pa

    rows = writer.matching("identifiers", pa.table({"key": pa.array([key], pa.int64())}), ["key"])
    if rows.num_rows:
        # What is shared by many, or blocked, stands for nobody.
        if rows["person_id"][0].as_py() is None:
            return None
        return KnownBy(rows["person_id"][0].as_py(), {key})
    for entity in _WHOLE:
        table, _ = RECORD_TABLES[entity]
        if any(True for _ in _rows_by(table, {key}, writer)):
            return KnownBy(key, {key})
    return None


def _gather(found: KnownBy, workspace: Workspace, writer: "FactsWriter") -> None:
    """Add all that the person is known by, until nothing more is found."""
    for _ in range(_MOST_ROUNDS):
        before = len(found.keys) + len(found.named)
        found.keys |= _identifiers_of(found, writer)
        _add_words(found, workspace)
        for entity in _WHOLE:
            _add_rows(found, entity, workspace, writer)
        if len(found.keys) + len(found.named) == before:
            return


def _identifiers_of(found: KnownBy, writer: "FactsWriter") -> set[int]:
    import pyarrow as pa

    persons = pa.table({"person_id": pa.array([found.person_id], pa.int64())})
    return set(writer.matching("identifiers", persons, ["person_id"])["key"].to_pylist())


def _add_words(found: KnownBy, workspace: Workspace) -> None:
    """Add e-mail addresses and numbers that personal fields tell, unless others have them too."""
    words: dict[str, set[str]] = defaultdict(set)
    for told in workspace.vault.fields(found.keys):
        kind = catalogues.address_kind(told.field, told.value)
        if kind:
            words[told.value].add(kind)
    held = workspace.vault.holders(words)
    for value, kinds in words.items():
        mine = {
            identifier_key(workspace.identity_key, kind, form)
            for kind in kinds
            for form in {value, normal_value(kind, value) or value}
        }
        (found.shared if held[value] - found.keys - mine else found.keys).update(mine)


def _add_rows(found: KnownBy, entity: str, workspace: Workspace, writer: "FactsWriter") -> None:
    """Add what imported rows of the person tell; a row that names another user is not its own."""
    table, key_field = RECORD_TABLES[entity]
    for row in _rows_by(table, found.keys, writer):
        user = row.get("user_key")
        if user is not None and user not in found.keys and _is_another(user, found, writer):
            continue
        found.keys |= {row[name] for name in _OF_ROWS if row.get(name) is not None}
        found.keys -= found.shared
        found.keys.add(identifier_key(workspace.identity_key, key_field, row[key_field]))
        name_key = row.get("name_key")
        if name_key is not None and _is_own(table, name_key, row[key_field], key_field, writer):
            found.named.add(name_key)


def _is_another(user: int, found: KnownBy, writer: "FactsWriter") -> bool:
    other = _person_of(user, writer)
    return other is not None and other.person_id != found.person_id


def _is_own(table: str, name_key: int, key: str, key_field: str, writer: "FactsWriter") -> bool:
    rows = _rows(table, "name_key", {name_key}, writer)
    return all(row[key_field] == key for row in rows)


def _rows_by(table: str, keys: Collection[int], writer: "FactsWriter") -> Iterable[dict[str, Any]]:
    from onefold.model.facts import TABLES

    for column in _OF_ROWS:
        if column in TABLES[table].columns:
            yield from _rows(table, column, keys, writer)


def _rows(
    table: str, column: str, keys: Collection[int], writer: "FactsWriter"
) -> list[dict[str, Any]]:
    import pyarrow as pa

    wanted = pa.table({column: pa.array(sorted(keys), pa.int64())})
    return list(writer.matching(table, wanted, [column]).to_pylist())
