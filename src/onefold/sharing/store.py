"""Statements over what leaves the house; the only file of sharing that asks the state."""

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from onefold.sharing.records import (
    DeadLetter,
    Destination,
    Spent,
    Standing,
    Transfer,
    TransferBasis,
)
from onefold.store import tables

if TYPE_CHECKING:
    from onefold.store import State

Connection = Any
"""What `State.change` yields; only the store knows its engine."""

_destinations, _sent = tables.destinations, tables.sent
_dead, _bases, _transfers = tables.dead_letters, tables.transfer_bases, tables.transfers
_groups, _disclosures = tables.disclosed_groups, tables.disclosures
_secrets = tables.blind_secrets
_AT_ONCE = 500


def destinations(state: "State") -> tuple[Destination, ...]:
    """Return all destinations by name."""
    return tuple(map(_destination, state.rows(_destinations.select().order_by("name"))))


def put_destination(connection: Connection, one: Destination) -> None:
    """Add a destination."""
    connection.execute(_destinations.insert().values(**_columns(one)))


def set_destination(connection: Connection, name: str, changes: Mapping[str, Any]) -> None:
    """Change columns of a destination."""
    connection.execute(_changed(name, changes))


def note(state: "State", name: str, **changes: Any) -> None:
    """Keep how a destination does; no change worth an audit entry."""
    state.touch(_changed(name, changes))


def drop_destination(connection: Connection, name: str) -> None:
    """Remove a destination with its ledger and its dead letters; its transfers stay."""
    for table, column in (
        (_sent, _sent.c.destination),
        (_dead, _dead.c.destination),
        (_destinations, _destinations.c.name),
    ):
        connection.execute(table.delete().where(column == name))


def _changed(name: str, changes: Mapping[str, Any]) -> Any:
    values = dict(changes)
    if "settings" in values:
        values["settings"] = json.dumps(values["settings"], ensure_ascii=False)
    return _destinations.update().where(_destinations.c.name == name).values(**values)


def _columns(one: Destination) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in Destination.__slots__}
    return values | {"settings": json.dumps(dict(one.settings), ensure_ascii=False)}


def _destination(row: Any) -> Destination:
    values = {name: row[name] for name in Destination.__slots__}
    return Destination(**(values | {"settings": json.loads(row["settings"])}))


# ---------------------------------------------------------------- the ledger


def ledger(state: "State", name: str) -> dict[int, Standing]:
    """Return what stands at a receiver, by the key of the identifier."""
    rows = state.rows(_sent.select().where(_sent.c.destination == name))
    return {row["key"]: Standing(row["events"], row["mark"]) for row in rows}


def sent_of(keys: Iterable[int], connection: Connection) -> list[dict[str, Any]]:
    """Return how many events of some identifiers stand where: destination, events."""
    found: dict[str, int] = {}
    for piece in _pieces(sorted(keys)):
        for row in connection.execute(_sent.select().where(_sent.c.key.in_(piece))).mappings():
            found[row["destination"]] = found.get(row["destination"], 0) + row["events"]
    return [{"destination": name, "events": events} for name, events in sorted(found.items())]


def add_to_ledger(
    connection: Connection, name: str, added: Mapping[int, Standing], *, anew: bool = False
) -> None:
    """Add what was delivered to the ledger; `anew` where nothing of those keys stood before."""
    keys = sorted(added)
    stood: dict[int, Standing] = {}
    for piece in _pieces([] if anew else keys):
        mine = (_sent.c.destination == name) & _sent.c.key.in_(piece)
        for row in connection.execute(_sent.select().where(mine)).mappings():
            stood[row["key"]] = Standing(row["events"], row["mark"])
    take_from_ledger(connection, name, stood)
    rows = [
        {
            "destination": name,
            "key": key,
            "events": added[key].events + (stood[key].events if key in stood else 0),
            "mark": added[key].mark ^ (stood[key].mark if key in stood else 0),
        }
        for key in keys
    ]
    if rows:
        connection.execute(_sent.insert(), rows)


def intend(state: "State", name: str, keys: Iterable[int], to: int) -> None:
    """Keep of whom something is about to go, before it goes.

    Where the process dies between a delivery and its note, the ledger knows all the same whose
    data may stand at the receiver.
    """
    for piece in _pieces(sorted(set(keys))):
        mine = (_sent.c.destination == name) & _sent.c.key.in_(piece)
        stood = {row["key"] for row in state.rows(_sent.select().where(mine))}
        rows = [
            {"destination": name, "key": key, "events": 0, "mark": 0}
            for key in piece
            if key not in stood
        ]
        if rows:
            state.touch(_sent.insert().values(rows))
    note(state, name, pending_to=to)


def take_from_ledger(connection: Connection, name: str, keys: Iterable[int]) -> None:
    """Remove keys from the ledger."""
    for piece in _pieces(sorted(keys)):
        mine = (_sent.c.destination == name) & _sent.c.key.in_(piece)
        connection.execute(_sent.delete().where(mine))


def clear_ledger(connection: Connection, name: str) -> None:
    """Remove all that stands at a destination from the ledger, dead letters too."""
    connection.execute(_sent.delete().where(_sent.c.destination == name))
    connection.execute(_dead.delete().where(_dead.c.destination == name))


def _pieces(keys: Sequence[int]) -> Iterable[Sequence[int]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))


# ---------------------------------------------------------------- dead letters


def dead_letters(state: "State", name: str | None = None) -> tuple[DeadLetter, ...]:
    """Return the stretches that were given up, the oldest first."""
    query = _dead.select().order_by(_dead.c.id)
    if name is not None:
        query = query.where(_dead.c.destination == name)
    return tuple(DeadLetter(**row) for row in state.rows(query))


def put_dead_letter(connection: Connection, one: Mapping[str, Any]) -> None:
    """Keep a stretch that was given up."""
    connection.execute(_dead.insert().values(**one))


def drop_dead_letter(connection: Connection, number: int) -> None:
    """Remove a dead letter: it was delivered, or is not wanted any more."""
    connection.execute(_dead.delete().where(_dead.c.id == number))


def note_dead_letter(state: "State", number: int, tries: int, reason: str) -> None:
    """Keep that a replay failed."""
    mine = _dead.c.id == number
    state.touch(_dead.update().where(mine).values(tries=tries, reason=reason))


# ---------------------------------------------------------------- across borders


def bases(state: "State") -> tuple[TransferBasis, ...]:
    """Return the register of bases, the oldest first."""
    return tuple(TransferBasis(**row) for row in state.rows(_bases.select().order_by("id")))


def put_basis(connection: Connection, one: Mapping[str, Any]) -> None:
    """Add a basis to the register."""
    connection.execute(_bases.insert().values(**one))


def revoke_basis(connection: Connection, number: int, now: int) -> None:
    """Let a basis end."""
    connection.execute(_bases.update().where(_bases.c.id == number).values(revoked_time=now))


def transfers(state: "State", *, most: int) -> tuple[Transfer, ...]:
    """Return the transfers that happened, the latest first."""
    query = _transfers.select().order_by(_transfers.c.id.desc()).limit(most)
    names = Transfer.__slots__
    return tuple(Transfer(**{name: row[name] for name in names}) for row in state.rows(query))


def put_transfers(connection: Connection, made: Sequence[Transfer]) -> None:
    """Keep transfers that happened."""
    rows = [{name: getattr(one, name) for name in Transfer.__slots__} for one in made]
    if rows:
        connection.execute(_transfers.insert(), rows)


# ---------------------------------------------------------------- answers to joins


def forget_groups(keys: Iterable[int], connection: Connection) -> None:
    """Take persons out of the groups that answers were about."""
    gone = set(keys)
    for row in connection.execute(_groups.select()).mappings().all():
        held = keys_in(row["keys"])
        kept = [key for key in held if key not in gone]
        if len(kept) != len(held):
            mine = _groups.c.id == row["id"]
            connection.execute(_groups.update().where(mine).values(keys=keys_as_bytes(kept)))


def keys_as_bytes(keys: Iterable[int]) -> bytes:
    """Return keys as they are kept: sorted, eight bytes each."""
    return array("q", sorted(keys)).tobytes()


def keys_in(kept: bytes) -> "array[int]":
    """Return the keys that were kept."""
    found = array("q")
    found.frombytes(kept)
    return found


def spent(connection: Connection, of: str | None, since: int) -> tuple[Spent, ...]:
    """Return what was taken out of the budget since a time; of one data set, or of all."""
    query = _disclosures.select().where(_disclosures.c.time > since)
    if of is not None:
        query = query.where(_disclosures.c.data_set == of)
    names = Spent.__slots__
    rows = connection.execute(query.order_by(_disclosures.c.id)).mappings()
    return tuple(Spent(**{name: row[name] for name in names}) for row in rows)


def put_disclosure(connection: Connection, values: Mapping[str, Any]) -> int:
    """Keep an answer; return its number."""
    done = connection.execute(_disclosures.insert().values(**values))
    return int(done.inserted_primary_key[0])


def told_groups(connection: Connection, of: str, since: int) -> Iterator["array[int]"]:
    """Yield the sets of persons that answers since a time were about."""
    query = (
        _groups.select()
        .join(_disclosures, _groups.c.disclosure == _disclosures.c.id)
        .where((_disclosures.c.data_set == of) & (_disclosures.c.time > since))
    )
    for row in connection.execute(query).mappings():
        yield keys_in(row["keys"])


def put_groups(connection: Connection, number: int, groups: Sequence[Iterable[int]]) -> None:
    """Keep the sets of persons that an answer was about."""
    rows = []
    for group in groups:
        kept = keys_as_bytes(group)
        rows.append({"disclosure": number, "people": len(kept) // 8, "keys": kept})
    if rows:
        connection.execute(_groups.insert(), rows)


# ---------------------------------------------------------------- blind intersections


def put_secret(connection: Connection, name: str, secret: bytes, now: int) -> None:
    """Keep the secret of a request until its answer comes."""
    connection.execute(_secrets.insert().values(id=name, secret=secret, made_time=now))


def secret_of(state: "State", name: str) -> bytes | None:
    """Return the secret of a request; None where there is none, or it was used."""
    for row in state.rows(_secrets.select().where(_secrets.c.id == name)):
        return bytes(row["secret"])
    return None


def drop_secret(connection: Connection, name: str) -> None:
    """Let go of the secret of a request."""
    connection.execute(_secrets.delete().where(_secrets.c.id == name))
