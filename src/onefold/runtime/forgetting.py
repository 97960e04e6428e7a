"""What an erasure does to the planes once the folds have read its entry: log first, then facts.

Each step may be repeated. Rows of the log are rewritten where they stand, so what was read of them
before a crash is found there no more; the facts let go in one transaction, which notes the rules
they stand by. Facts without that note are brought to it at the next start.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from onefold.collect import Batch, CollectFold, FoldRules, catalogues
from onefold.runtime.generation import Generation
from onefold.store import FactsWriter, Log, LogRow, Vault

if TYPE_CHECKING:
    from onefold.identity import IdentityFold
    from onefold.metrics import folding

_ROWS_AT_A_TIME = 500
_ERASED = 11 << 4
"""Verdict bytes from here on are of what was erased."""
_SHORTEST = 5
"""Bytes of a word that is looked for in what waits and cannot be read."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What an erasure works with.

    Attributes:
        log: To be rewritten.
        vault: Knows the words of keys until they are gone.
        go_by: Lets the folds go by other rules.
        folds: Returns the folds, which are other ones after that.
        rollups: Likewise the one that counts what the others keep.
    """

    log: Log
    vault: Vault
    go_by: Callable[[FoldRules], None]
    folds: "Callable[[], tuple[CollectFold, IdentityFold, folding.SessionsFold]]"
    rollups: "Callable[[], folding.RollupsFold]"


def forget(hands: Hands, generation: Generation, rules: FoldRules) -> bool:
    """Let log and facts go of whom further erasures name; return whether that was all there was.

    What is left is what a rebuild would make: nothing of them, and everything else as it was.
    """
    former = generation.rules
    known = {(one.id, one.offset) for one in former.erasures}
    further = [one for one in rules.erasures if (one.id, one.offset) not in known]
    if not further or replace(rules, erasures=former.erasures) != former:
        return False
    keys = {key for one in further for key in one.keys}
    facts = generation.facts
    with facts.transaction() as writer:
        events, records = hands.folds()[0].where(keys, writer)
    hands.go_by(rules)
    collect = hands.folds()[0]
    words = _words(hands.vault, keys)
    empty = _rewritten(hands.log, collect, events, words)
    empty |= _rewritten(hands.log, collect, records, words, sought=words)
    # Folds remember what stands: none of them may remember somebody.
    hands.go_by(rules)
    with facts.transaction() as writer:
        # Counted anew while it can still be told in which minutes they did anything.
        hands.rollups().forget(keys, writer)
        for fold in hands.folds():
            fold.forget(keys, writer)
        hands.folds()[0].vacate(empty, writer)
        batch = _nothing_but(hands.log, further, generation)
        hands.folds()[1].fold(batch, writer)
        unname(rules.erasures, batch, writer)
        generation.note_rules(rules, writer)
    hands.go_by(rules)
    return True


def unname(erasures: Sequence[catalogues.Erasure], batch: Batch, writer: FactsWriter) -> None:
    """Let nobody be known by a key that is erased, whatever is told of it by others or by entries.

    Links of others to it stay, and so do decisions on who is who: both name keys alone.
    """
    if not erasures or not (batch.edges.num_rows or batch.controls or batch.stated):
        return
    keys = pa.array(sorted({key for one in erasures for key in one.keys}), pa.int64())
    for table in ("identifiers", "consents"):
        writer.delete(table, pa.table({"key": keys}), ["key"])


def _words(vault: Vault, keys: Collection[int]) -> tuple[bytes, ...]:
    """Return what the keys stand for, as a log may have it; short ones stand everywhere."""
    said = {name.value for name in vault.names(keys).values()}
    return tuple(msgspec.json.encode(one)[1:-1] for one in said if len(one.encode()) >= _SHORTEST)


def _rewritten(
    log: Log,
    collect: CollectFold,
    offsets: Collection[int],
    words: Sequence[bytes],
    sought: Sequence[bytes] = (),
) -> set[tuple[int, int]]:
    """Let rows of the log go of whoever is erased; return the places that are empty.

    Args:
        log: To be rewritten.
        collect: The fold, by the rules that name them.
        offsets: The rows that may name them.
        words: For what waits and cannot be read.
        sought: Only rows with one of these in them are looked at closely; all where there is none.
    """
    lower = [word.lower() for word in sought]
    empty: set[tuple[int, int]] = set()
    waiting = iter(sorted(offsets))
    while some := list(islice(waiting, _ROWS_AT_A_TIME)):
        rows = log.rows(some)
        if lower:
            rows = [row for row in rows if _holds(row, lower)]
        left = collect.without_erased(rows, words)
        changed = [one for one, row in zip(left, rows, strict=True) if one is not row]
        if changed:
            log.rewrite(changed)
        for row in left:
            empty |= set(_empty(row))
    return empty


def _holds(row: LogRow, lower: Sequence[bytes]) -> bool:
    """Return whether a row holds a word, or had some of it erased already."""
    if max(row.verdicts, default=0) >= _ERASED:
        return True
    body = row.body.lower()
    return any(word in body for word in lower)


def _empty(row: LogRow) -> Iterator[tuple[int, int]]:
    return ((row.offset, place) for place, one in enumerate(row.verdicts) if one >= _ERASED)


def _nothing_but(log: Log, erasures: Sequence[catalogues.Erasure], generation: Generation) -> Batch:
    """Return a batch that tells of nothing but the links to what others share, which stay."""
    events = generation.facts.ask(generation.facts.tables()["events"].limit(0))
    links = catalogues.links_in(log.rows([one.offset for one in erasures]))
    return Batch(generation.offset, generation.received_time or 0, events, links)
