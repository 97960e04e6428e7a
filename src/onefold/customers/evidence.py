"""How we know of a customer: what hangs together by which evidence, and who told what when."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onefold import identity
from onefold.collect import questions
from onefold.consent import people, rules
from onefold.customers import queries
from onefold.customers.hierarchy import family
from onefold.governance import may
from onefold.model.time import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onefold.store import Log, Vault, View

__all__ = ["Attribute", "Knot", "Picture", "Thread", "attributes_of", "picture_of"]

MOST_KNOTS = 24
"""Of a picture; the table beside it tells all."""


@dataclass(frozen=True, slots=True)
class Knot:
    """Something in a picture: an identifier, an account, a person.

    Attributes:
        id: What threads call it by.
        label: What to call it.
        kind: What it is.
        x, y: Where it stands, from 0 to 100.
    """

    id: str
    label: str
    kind: str
    x: float = 50.0
    y: float = 50.0


@dataclass(frozen=True, slots=True)
class Thread:
    """What joins two, or keeps them apart.

    Attributes:
        one, other: Ids of both.
        evidence: What says so.
        source: Who told it.
        confidence: How sure it is, from 0 to 1; None where somebody decided.
        time: When it was told first, microseconds; None where nobody said.
    """

    one: str
    other: str
    evidence: str
    source: str = ""
    confidence: float | None = None
    time: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """What hangs together; `left_out` knots stand in no place of the drawing."""

    knots: tuple[Knot, ...]
    threads: tuple[Thread, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field of a customer.

    Attributes:
        field: Its name.
        value: What it says, as text.
        source: Who told it.
        time: When it was told last, microseconds.
        consent: What it may be used for, in words.
        others: What other sources say of it: (source, value).
    """

    field: str
    value: str
    source: str
    time: int | None
    consent: str
    others: tuple[tuple[str, str], ...] = ()


def picture_of(view: "View", vault: "Vault", kind: str, customer_id: str) -> Picture:
    """Return what hangs together with a `person` (its number) or an `account` (its id)."""
    if kind == "account":
        return _of_account(view, customer_id)
    node = identity.node_at(view, int(customer_id))
    if node is None:
        return Picture((), ())
    nodes, edges, links = identity.graph(view, node)
    shown = may(view.question.asker, "see_personal_fields")
    names = vault.names([one.key for one in nodes]) if shown else {}
    knots = [
        Knot(
            str(one.key),
            names[one.key].value if one.key in names else f"key …{str(one.key)[-4:]}",
            one.kind.replace("_", " ") + (f", {one.state}" if one.state else ""),
        )
        for one in nodes
    ]
    threads = [
        Thread(
            str(one.from_key), str(one.to_key), one.kind, one.source, one.confidence, one.event_time
        )
        for one in edges
    ]
    threads += [
        Thread(
            str(one.from_key),
            str(one.to_key),
            f"{one.kind} by hand",
            one.made_by,
            None,
            one.made_time or None,
        )
        for one in links
    ]
    return _placed(knots, threads)


def _of_account(view: "View", account_id: str) -> Picture:
    found = family(view, account_id)
    mine = {one.account_id: one for one in found.accounts}
    near = {account_id} | {i for i, one in mine.items() if one.parent_id == account_id}
    parent = mine[account_id].parent_id if account_id in mine else None
    if parent is not None and parent in mine:
        near.add(parent)
    knots = [
        Knot(one, mine[one].name if one in mine else one, "account")
        for one in sorted(near, key=lambda each: (each != account_id, each))
    ]
    threads = [
        Thread(one, str(mine[one].parent_id), "stands below")
        for one in sorted(near)
        if one in mine and mine[one].parent_id in near
    ]
    for row in queries.linked_records(view, account_id).to_pylist():
        knots += [
            Knot(f"record {row[side]}", str(row[side]), "record")
            for side in ("left_id", "right_id")
        ]
        time = parse_time(row["decided_time"].isoformat())
        one, other = (f"record {row[side]}" for side in ("left_id", "right_id"))
        threads.append(Thread(one, other, "said to be the same", "a person", None, time))
    if any(one.kind == "record" for one in knots):
        threads.append(Thread(f"record {account_id}", account_id, "gives the common id"))
    unique = list({one.id: one for one in knots}.values())
    return _placed(unique, threads)


def _placed(knots: "Sequence[Knot]", threads: "Sequence[Thread]") -> Picture:
    """Return a picture with the first knot in the middle and the others round it."""
    shown = list(knots[:MOST_KNOTS])
    around = max(len(shown) - 1, 1)
    placed = [
        Knot(
            one.id,
            one.label,
            one.kind,
            round(50 + 36 * math.cos(2 * math.pi * (place - 1) / around), 2) if place else 50.0,
            round(50 + 38 * math.sin(2 * math.pi * (place - 1) / around), 2) if place else 50.0,
        )
        for place, one in enumerate(shown)
    ]
    return Picture(tuple(placed), tuple(threads), len(knots) - len(shown))


def attributes_of(
    view: "View",
    vault: "Vault",
    log: "Log",
    identity_key: bytes,
    kind: str,
    customer_id: str,
    *,
    laid_down: "rules.ConsentRules | None" = None,
) -> tuple[Attribute, ...]:
    """Return every attribute of a customer: its source, its freshness, its consent.

    Personal fields only where the asker may see them. What the vault keeps is the latest value: as
    of an earlier time a field that was told since is left out.
    """
    if kind == "account":
        ids = queries.one_with(view, customer_id)
        told = questions.told_fields(view, log, identity_key, "account", ids)
        # What a policy hides of the row is null there, and is told of no version of it either.
        seen = queries.columns_shown(view, "accounts", customer_id)
        words = "no person's: a record of the company"
        return tuple(_attribute(one, words) for one in told if _column(one.field) in seen)
    keys = queries.column(queries.identifiers_of(view, [int(customer_id)]), "key")
    consent = _consent(view, keys, laid_down)
    found = []
    if may(view.question.asker, "see_personal_fields"):
        until = queries.asked(view).time
        kept = [one for one in vault.fields(keys) if one.event_time <= until]
        sources = queries.sources_at(view, {(one.key, one.event_time) for one in kept})
        for one in sorted(kept, key=lambda each: each.field):
            source = sources.get((one.key, one.event_time), "")
            found.append(Attribute(one.field, one.value, source, one.event_time, consent))
    for contact_id in queries.contacts_of(view, keys):
        told = questions.told_fields(view, log, identity_key, "contact", [contact_id])
        seen = queries.columns_shown(view, "contacts", contact_id)
        plain = [one for one in told if one.field in seen and not one.field.endswith("_key")]
        found += [_attribute(one, consent) for one in plain]
    return tuple(found)


def _column(field: str) -> str:
    return "properties" if field.startswith("properties.") else field


def _attribute(one: Any, consent: str) -> Attribute:
    name = one.field.removeprefix("properties.").replace("_", " ")
    others = tuple((_import(source), str(value)) for source, value in one.others)
    return Attribute(name, _text(one), _import(one.source), one.known_time, consent, others)


def _text(one: Any) -> str:
    if one.field.endswith("_time") and isinstance(one.value, int):
        return format_time(one.value)
    return str(one.value)


def _import(source: str) -> str:
    return source.removeprefix("import:")


def _consent(view: "View", keys: "Sequence[int]", laid_down: "rules.ConsentRules | None") -> str:
    """Return where somebody stands with each purpose, in words."""
    now = queries.asked(view).time
    said = {one for key in keys for one in people.said_of(view, key) if one.from_time <= now}
    known = (laid_down or rules.shipped_consent()).known
    ordered = tuple(sorted(said, key=lambda one: (one.from_time, one.log_offset, one.place)))
    stands = people.standing(ordered, known, now=now)
    words = [f"{one.purpose} {one.state}" for one in stands if one.state != people.UNKNOWN]
    return ", ".join(words) or "each event decides for itself"
