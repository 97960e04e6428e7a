"""Records that share no key: found, put before people, decided, and learnt from.

The records are those that imports told, each for itself, whatever was decided before; what is
decided goes to the log, so that every question sees it, and is undone by another decision.
"""

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from onefold.customers import queries, store
from onefold.customers.alike import HOW, prepare
from onefold.customers.linkable import KINDS, linkable, read_one
from onefold.customers.pairs import LATER, Pair, Quality
from onefold.governance import require
from onefold.identity import same
from onefold.model.decided import DIFFERENT, LINKED, OPEN, SAME
from onefold.model.errors import BadInput, Conflict, NotFound, did_you_mean
from onefold.stats import wilson
from onefold.store import planes

if TYPE_CHECKING:
    from onefold.model.records import Asker
    from onefold.store import State, Vault, View

__all__ = [
    "DECISIONS",
    "accept_above",
    "decide",
    "decided",
    "degree",
    "quality",
    "queue",
    "run",
    "side_by_side",
]

DECISIONS = (SAME, DIFFERENT, LATER, OPEN)
FLOOR = 0.01
"""Pairs less likely than this are not put before anybody."""
LIKELY = 0.9
"""From here on a pair counts as the same, until somebody says otherwise."""
MOST_WAITING = 50_000
"""Pairs that wait at the most; of more the likeliest do."""
_MOST_AT_ONCE = 20_000


def degree(field: str, level: int) -> str:
    """Return in words how alike two values of a field are, at a level of its comparison."""
    if level < 0:
        return "not known of both"
    return planes.LEVELS[HOW.get(field, "exact")][level]


def run(
    view: "View",
    vault: "Vault",
    state: "State",
    asker: "Asker",
    entity: str,
    *,
    apart: bool,
    backend: str = "",
) -> dict[str, Any]:
    """Look for records that may be the same, and put them into the queue.

    Pairs that were decided stay decided, and teach: what people called the same moves how much
    each field counts. Open pairs of a former run make place.

    Args:
        view: Tells the records.
        vault: Tells their names.
        state: Keeps the pairs.
        asker: Who lets it run; the trail names them.
        entity: `account` or `contact`.
        apart: Only records of different imports are compared.
        backend: Which engine compares, `spark://HOST:PORT`; one in memory here when empty.

    Returns:
        How many records were compared, by which fields, how many pairs were found and wait.

    Raises:
        BadInput: There is no such entity, or the extra `link` is not installed.
        MachineFailed: The comparison ended before it could say.
    """
    require(asker, "import")
    _prove(entity)
    records = linkable(view, vault, entity)
    known = store.decided(state, entity)
    labels = [
        (each.decision == SAME, {name: level for name, (level, _) in each.parts.items()})
        for each in known
        if each.parts
    ]
    engine = backend or "duckdb"
    ready = prepare(records, KINDS[entity], apart=apart, floor=FLOOR, labels=labels, backend=engine)
    found = planes.scored(ready.records, ready.plan)
    pairs = _pairs(entity, found, [each.field for each in ready.plan.compared])
    told = {(each.left_id, each.right_id) for each in known}
    put_off = store.waiting(state, entity, most=MOST_WAITING)
    told |= {(each.left_id, each.right_id) for each in put_off if each.decision == LATER}
    heads = same.heads_of((each.left_id, each.right_id) for each in known if each.decision == SAME)
    fresh = [
        pair
        for pair in store.undecided_of(pairs, told)
        if heads.get(pair.left_id, pair.left_id) != heads.get(pair.right_id, pair.right_id)
    ]
    kept = fresh[:MOST_WAITING]
    # A queue in an order drawn at random is a sample at every point of it.
    drawn = random.Random(len(kept))  # noqa: S311 - an order, no secret
    detail = {"records": records.num_rows, "pairs": len(kept), "labels": len(labels)}
    with state.change(asker, "link.run", entity, detail=detail) as connection:
        placed = [(pair, drawn.random()) for pair in kept]
        store.replace_open(connection, entity, placed, state.now())
    return {
        "entity": entity,
        **detail,
        "likely": sum(pair.probability >= LIKELY for pair in kept),
        "fields": [each.field for each in ready.plan.compared],
        "left_out": len(fresh) - len(kept),
    }


def queue(
    state: "State", asker: "Asker", entity: str, *, most: int = 50, doubtful: bool = False
) -> tuple[Pair, ...]:
    """Return the pairs that wait for a decision.

    Raises:
        NotAllowed: The asker may not decide.
    """
    require(asker, "decide")
    _prove(entity)
    return store.waiting(state, entity, most=most, doubtful=doubtful)


def side_by_side(
    view: "View", vault: "Vault", pair: Pair
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return field -> text of both records of a pair.

    Raises:
        NotAllowed: A contact's fields are personal, and the asker may not see them.
    """
    if pair.entity == "contact":
        require(view.question.asker, "see_personal_fields")
    left, right = (
        read_one(view, vault, pair.entity, each) for each in (pair.left_id, pair.right_id)
    )
    return left, right


def decide(
    view: "View",
    state: "State",
    asker: "Asker",
    entity: str,
    *,
    left_id: str,
    right_id: str,
    decision: str,
) -> Pair:
    """Keep a decision on a pair, found or not, with its audit entry and its entry in the log.

    `open` undoes any other; `later` only puts the pair off.

    Raises:
        NotAllowed: The asker may not decide.
        BadInput: There is no such decision or entity, or the two are one record.
        NotFound: There is no such record.
        Conflict: It contradicts what was decided of others.
    """
    require(asker, "decide")
    _prove(entity)
    if decision not in DECISIONS:
        near = did_you_mean(decision, DECISIONS)
        raise BadInput(f"No decision `{decision}`.{near}", f"Use one of: {', '.join(DECISIONS)}.")
    low, high = sorted((left_id, right_id))
    if low == high:
        raise BadInput("A record cannot be compared with itself.", "Name two records.")
    there = queries.told_ids(view, entity, [low, high])
    for each in (low, high):
        if each not in there:
            raise NotFound(f"No {entity} `{each}`.", "Name records that imports told.")
    pair = store.pair_of(state, entity, low, high) or Pair(entity, low, high, 0.0, 0.0)
    if decision in {SAME, DIFFERENT}:
        _agree(store.decided(state, entity), [pair], decision)
    _keep(state, asker, [pair], decision, subject=f"{entity} {low} {high}")
    return store.pair_of(state, entity, low, high) or pair


def accept_above(state: "State", asker: "Asker", entity: str, probability: float) -> int:
    """Say of all open pairs at least so likely that they are the same; return how many that is.

    Pairs that would contradict a decision stay open.

    Raises:
        NotAllowed: The asker may not decide.
        BadInput: The probability is none, or below a half.
    """
    require(asker, "decide")
    _prove(entity)
    if not 0.5 <= probability <= 1:
        raise BadInput(f"{probability:g} is too little to accept by.", "Name 0.5 to 1.")
    known = list(store.decided(state, entity))
    taken = _without_contradiction(known, store.above(state, entity, probability))[:_MOST_AT_ONCE]
    if taken:
        _keep(state, asker, taken, SAME, subject=f"{entity} from {probability:g} on")
    return len(taken)


def decided(state: "State", entity: str) -> tuple[Pair, ...]:
    """Return the pairs that people decided, the last ones first."""
    _prove(entity)
    return store.decided(state, entity)


def quality(state: "State", entity: str, *, above: float = LIKELY) -> Quality:
    """Return precision and recall on the pairs that people decided, with Wilson's intervals.

    Pairs that were decided without being found say nothing of what was found, and count only as
    missed where they are the same.
    """
    _prove(entity)
    known = store.decided(state, entity)
    likely = [each for each in known if each.probability >= above and each.parts]
    called_same = [each for each in known if each.decision == SAME]
    right = sum(each.decision == SAME for each in likely)
    return Quality(
        entity=entity,
        above=above,
        precision=wilson(right, len(likely)),
        recall=wilson(right, len(called_same)),
        reviewed=len(known),
        waiting=store.count_waiting(state, entity),
    )


def _prove(entity: str) -> None:
    if entity not in KINDS:
        raise BadInput(f"No records `{entity}` to link.", f"Use one of: {', '.join(KINDS)}.")


def _pairs(entity: str, found: Any, fields: Sequence[str]) -> list[Pair]:
    pairs = []
    for row in found.to_pylist():
        low, high = sorted((row["left"], row["right"]))
        parts = {
            name: (int(row[f"level_{name}"]), float(row[f"weight_{name}"]))
            for name in fields
            if math.isfinite(row[f"weight_{name}"])
        }
        pairs.append(Pair(entity, low, high, row["probability"], row["weight"], parts))
    return pairs


def _agree(known: Sequence[Pair], pairs: Sequence[Pair], decision: str) -> None:
    """Pass when a decision fits what was decided of other pairs.

    Raises:
        Conflict: It does not.
    """
    mine = {(each.left_id, each.right_id) for each in pairs}
    others = [each for each in known if (each.left_id, each.right_id) not in mine]
    links = [(each.left_id, each.right_id) for each in others if each.decision == SAME]
    links += mine if decision == SAME else set()
    heads = same.heads_of(links)
    parted = [each for each in others if each.decision == DIFFERENT]
    parted += pairs if decision == DIFFERENT else ()
    for each in parted:
        left, right = each.left_id, each.right_id
        if heads.get(left, left) == heads.get(right, right):
            message = f"`{left}` and `{right}` would be one by way of others, and two by decision."
            raise Conflict(message, "Open one of those decisions first.")


def _without_contradiction(known: Sequence[Pair], pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs that can all be the same, taken in their order."""
    links = [(each.left_id, each.right_id) for each in known if each.decision == SAME]
    heads = same.heads_of(links)
    members: dict[str, set[str]] = defaultdict(set)
    for one, head in heads.items():
        members[head].add(one)
    parted = [(each.left_id, each.right_id) for each in known if each.decision == DIFFERENT]
    taken = []
    for pair in pairs:
        left, right = (heads.get(each, each) for each in (pair.left_id, pair.right_id))
        ends = {frozenset((heads.get(a, a), heads.get(b, b))) for a, b in parted}
        if frozenset((left, right)) in ends:
            continue
        taken.append(pair)
        for one in members.pop(right, {right}) | {left}:
            heads[one] = left
            members[left].add(one)
    return taken


def _keep(
    state: "State", asker: "Asker", pairs: Sequence[Pair], decision: str, *, subject: str
) -> None:
    now = state.now()
    body = {
        "entity": pairs[0].entity,
        "decision": decision,
        "decided_time": now,
        "pairs": [[each.left_id, each.right_id] for each in pairs],
    }
    entry = None if decision == LATER else (LINKED, body)
    with state.change(
        asker, f"link.{decision}", subject[:300], detail={"pairs": len(pairs)}, entry=entry
    ) as connection:
        store.decide(connection, pairs, decision, by=asker.name, now=now)
