"""Who keeps anything of persons: every fold that writes keys, and every room whose state does.

A test of the house fails where a table has a column of persons and nobody here keeps it: what is
not told here would survive an erasure and be missing in what a person is told.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from onefold import consent, sharing
from onefold.collect import CollectFold
from onefold.identity import IdentityFold
from onefold.metrics import folding
from onefold.store import FactsWriter

Rows = dict[str, list[dict[str, Any]]]
"""Table -> its rows."""


class InFacts(Protocol):
    """A fold that writes keys of persons into the facts.

    `forget` lets go of all that is kept of persons whose every identifier is named, in the
    transaction of the writer; `tell` returns it, table -> rows.
    """

    KEEPS: ClassVar[Mapping[str, Sequence[str]]]

    def forget(self, keys: Collection[int], writer: FactsWriter) -> None:
        """Let go of persons."""
        ...

    def tell(self, keys: Collection[int], writer: FactsWriter) -> Rows:
        """Return what is kept of persons."""
        ...


class InState(Protocol):
    """A room's door name `persons`, a file `rights.py`: what its state keeps of persons.

    `KEEPS` says table -> columns; `forget(keys, connection)` lets go within the one transaction of
    an erasure, `tell(keys, connection)` returns table -> rows.
    """

    KEEPS: Mapping[str, Sequence[str]]

    def forget(self, keys: Collection[int], connection: Any) -> None:
        """Let go of persons."""
        ...

    def tell(self, keys: Collection[int], connection: Any) -> Rows:
        """Return what is kept of persons."""
        ...


FOLDS: tuple[type[InFacts], ...] = (CollectFold, IdentityFold, folding.SessionsFold)
"""Every fold that keeps anything of persons."""

STATES: tuple[InState, ...] = (consent.persons, sharing.persons)
"""Every room whose state keeps anything of persons: `import sharing`, then `sharing.persons`."""
