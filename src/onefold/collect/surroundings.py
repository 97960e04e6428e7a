"""The tables `contexts` and `marked`: what surrounds events, and who is no customer."""

from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect.enrich import Context
from onefold.collect.traffic import Marks
from onefold.model.facts import CONTEXT
from onefold.store import FactsWriter

_MOST_KNOWN = 200_000


class ContextsFold:
    """Writes `contexts`; remembers what stands there."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def write(self, events: pa.Table, contexts: Mapping[int, Context], writer: FactsWriter) -> None:
        """Write the contexts that events have and that do not stand yet.

        Args:
            events: New rows of `events`.
            contexts: Key -> row, of all of them at the least.
            writer: The open transaction.
        """
        keys = set(pc.unique(events.column("context_key")).to_pylist())
        fresh = keys - self._known - {None}
        if not fresh:
            return
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known |= fresh
        asked = pa.table({"key": pa.array(sorted(fresh), pa.int64())})
        standing = writer.matching("contexts", asked, ["key"]).column("key").to_pylist()
        writer.insert("contexts", _table({k: contexts[k] for k in fresh.difference(standing)}))


def _table(contexts: Mapping[int, Context]) -> pa.Table:
    arrays = {
        name: pa.array([getattr(one, name) for one in contexts.values()], pa.string())
        for name in CONTEXT
    }
    return pa.table({"key": pa.array(list(contexts), pa.int64())} | arrays)


class MarksFold:
    """Writes `marked`: identifiers that the rules mark, and how; remembers what stands there."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._known: set[tuple[int, str]] = set()
        self._begun = False

    def write(
        self,
        told: Mapping[int | None, str],
        memberships: Iterable[tuple[int, str]],
        writer: FactsWriter,
    ) -> bool:
        """Write the marks that do not stand yet; return whether there were any.

        Args:
            told: Identifier -> mark, by the traits that events tell.
            memberships: (identifier, account) that events tell.
            writer: The open transaction.
        """
        found = {(key, mark) for key, mark in told.items() if key is not None}
        found |= {
            (key, mark)
            for key, account_id in memberships
            if (mark := self._marks.of_account(account_id)) is not None
        }
        if not self._begun:
            found |= set(self._marks.listed)
            self._begun = True
        fresh = found - self._known
        if not fresh:
            return False
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known |= fresh
        asked = pa.table({"key": pa.array({key for key, _ in fresh}, pa.int64())})
        standing = writer.matching("marked", asked, ["key"]).to_pylist()
        rows = sorted(fresh - {(row["key"], row["traffic"]) for row in standing})
        columns = {
            "key": pa.array([key for key, _ in rows], pa.int64()),
            "traffic": pa.array([mark for _, mark in rows], pa.string()),
        }
        writer.insert("marked", pa.table(columns))
        return True
