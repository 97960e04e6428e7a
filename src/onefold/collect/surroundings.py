"""The table `contexts`: what surrounds events, each combination once."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect.enrich import Context
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
