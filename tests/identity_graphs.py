"""Identifiers and links that a test writes down, folded without a log: many graphs a second."""

from dataclasses import dataclass, field

import msgspec
import pyarrow as pa

from onefold.collect import Batch
from onefold.identity.fold import IdentityFold
from onefold.identity.records import ROUTE, Decision, Link
from onefold.identity.whole import disagreeing
from onefold.model.facts import TABLES
from onefold.model.ids import identifier_key
from onefold.model.kinds import DEFAULT
from onefold.store import LogRow
from onefold.store.facts_duckdb import DuckFacts

KEY = bytes(32)


def key(name: str) -> int:
    """Return the key of an identifier written as `kind:value`."""
    kind, _, value = name.partition(":")
    return identifier_key(KEY, kind, value)


def kind(name: str) -> str:
    return name.partition(":")[0]


@dataclass
class Told:
    """What one batch says.

    Attributes:
        seen: Identifiers under which events came.
        edges: (from, to, evidence, time).
        made: Links by hand: (id, kind, from, to).
        gone: Ids of links taken back.
        contacts: Contact -> its identifiers; None takes it out.
        blocked: Identifiers that the rules block.
    """

    seen: list = field(default_factory=list)
    edges: list = field(default_factory=list)
    made: list = field(default_factory=list)
    gone: list = field(default_factory=list)
    contacts: dict = field(default_factory=dict)
    blocked: list = field(default_factory=list)


class Graphs:
    """Facts in memory with the identity fold alone."""

    def __init__(self, rules=DEFAULT) -> None:
        self.facts = DuckFacts(None)
        self.facts.create({})
        self.rules = rules
        self.offset = 0
        self.restart()

    def restart(self) -> None:
        """Let the fold forget all that it remembers."""
        self.fold_of = IdentityFold(self.rules, KEY)

    def fold(self, told: Told) -> None:
        self.offset += 1
        seen = [key(one) for one in told.seen]
        users = [k if kind(n) == "user_id" else None for k, n in zip(seen, told.seen, strict=True)]
        others = [k if u is None else None for k, u in zip(seen, users, strict=True)]
        events = {
            "user_key": pa.array(users, pa.int64()),
            "anonymous_key": pa.array(others, pa.int64()),
            "identifier": pa.array(seen, pa.int64()),
            "account_id": pa.array([None] * len(seen), pa.string()),
            "event_time": pa.array([0] * len(seen), pa.timestamp("us")),
        }
        entry = Decision(
            made=tuple(
                Link(n, k, key(a), kind(a), key(b), kind(b), made_time=5)
                for n, k, a, b in told.made
            ),
            gone=tuple(told.gone),
        )
        row = LogRow(
            received_time=0,
            source="",
            environment="",
            dialect="control",
            route=ROUTE,
            body=msgspec.json.encode(entry),
            verdicts=b"",
            offset=self.offset,
        )
        with self.facts.transaction() as writer:
            writer.insert("events", pa.table(events))
            self._contacts(told.contacts, writer)
            batch = Batch(
                offset=self.offset,
                received_time=0,
                events=pa.table(events),
                edges=edges_of(told.edges, self.offset),
                blocked=[key(one) for one in told.blocked],
                contacts=frozenset(told.contacts),
                controls=[row],
            )
            self.fold_of.fold(batch, writer)

    def _contacts(self, contacts, writer) -> None:
        ids = pa.table({"contact_id": pa.array(list(contacts), pa.string())})
        writer.delete("contacts", ids, ["contact_id"])
        rows = []
        for name, known in contacts.items():
            if known is not None:
                columns = {"user_id": "user_key", "email": "email_key", "phone": "phone_key"}
                row = {columns[kind(one)]: key(one) for one in known}
                rows.append(row | {"contact_id": name, "sources": '{"*":"import:crm"}'})
        if rows:
            names = ("contact_id", "user_key", "email_key", "phone_key", "sources")
            kinds = [(n, pa.int64() if n.endswith("_key") else pa.string()) for n in names]
            table = pa.Table.from_pylist(rows, schema=pa.schema(kinds))
            time = pa.array([1] * len(rows), pa.timestamp("us"))
            writer.insert("contacts", table.append_column("known_time", time))

    def table(self, name: str) -> pa.Table:
        return self.facts.ask(self.facts.tables()[name])

    def persons(self) -> set[frozenset[int]]:
        """Return who is who, as sets of keys."""
        found: dict[int, set[int]] = {}
        for row in self.table("identifiers").to_pylist():
            if row["person_id"] is not None:
                found.setdefault(row["person_id"], set()).add(row["key"])
        return {frozenset(one) for one in found.values()}

    def same(self, one: str, other: str) -> bool:
        """Return whether two identifiers are one person's."""
        return any({key(one), key(other)} <= person for person in self.persons())

    def sums(self) -> dict[str, tuple[int, str]]:
        names = ("identifiers", "edges", "links", "persons")
        return {name: (rows, sum_) for name, rows, sum_ in self.facts.checksums() if name in names}

    def agrees(self) -> bool:
        """Return whether all links at one go say the same."""
        tables = (self.table(name) for name in ("identifiers", "edges", "links"))
        return disagreeing(*tables, self.rules) == 0


def edges_of(told, offset: int) -> pa.Table:
    """Return links of a batch, each once, as collect tells them."""
    firsts: dict = {}
    for one, other, evidence, time in told:
        name = (one, other, evidence)
        firsts[name] = min(time, firsts.get(name, time))
    rows = [
        {
            "from_key": key(one),
            "from_kind": kind(one),
            "to_key": key(other),
            "to_kind": kind(other),
            "kind": evidence,
            "source": "app",
            "event_time": time,
            "told_time": time,
            "log_offset": offset,
        }
        for (one, other, evidence), time in firsts.items()
    ]
    kinds = {"int64": pa.int64(), "string": pa.string(), "timestamp": pa.timestamp("us")}
    columns = {n: t for n, t in TABLES["edges"].columns.items() if n != "confidence"}
    table = {
        n: pa.array([r[n] for r in rows], pa.int64() if t == "timestamp" else kinds[t])
        for n, t in columns.items()
    }
    for name, what in columns.items():
        if what == "timestamp":
            table[name] = table[name].cast(pa.timestamp("us"))
    return pa.table(table)
