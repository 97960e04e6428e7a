"""The facts: columns to ask. Folds write them in one transaction a micro-batch."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from threading import Event

    import ibis.expr.types as ir
    import pyarrow as pa

    from onefold.store.within import Limits, Told, Written


class FactsWriter(Protocol):
    """One open transaction of a fold."""

    def insert(self, table: str, rows: "pa.Table") -> None:
        """Add rows; columns by name, missing ones become null."""
        ...

    def matching(
        self,
        table: str,
        rows: "pa.Table",
        on: Sequence[str],
        *,
        since: tuple[str, Any] | None = None,
        columns: Sequence[str] = ("*",),
    ) -> "pa.Table":
        """Return the rows of a table whose `on` columns equal those of any given row.

        `columns` are those wanted, all unless told otherwise. `since` (column, value) says that
        older rows cannot match, so that they are not read.
        """
        ...

    def delete(
        self,
        table: str,
        rows: "pa.Table",
        on: Sequence[str],
        *,
        since: tuple[str, Any] | None = None,
    ) -> None:
        """Remove the rows of a table whose `on` columns equal those of any given row."""
        ...

    def asked(
        self, question: "Callable[[Mapping[str, ir.Table]], ir.Table]", rows: "pa.Table"
    ) -> "pa.Table":
        """Return the answer of a question as the facts stand within the transaction.

        It is made, once for each shape of rows, of the raw tables and `staged`: the rows given.
        """
        ...

    def distinct(self, table: str, column: str, *, where_null: str = "") -> list[Any]:
        """Return the values of a column, each once; null is none.

        `where_null` names another column that has to be null.
        """
        ...


class Readable(Protocol):
    """Facts that can be asked."""

    def tables(self) -> Mapping[str, "ir.Table"]:
        """Return the raw tables as unbound ibis tables; only folds and views may ask them."""
        ...

    def sql(self, expression: "ir.Expr") -> str:
        """Return the query of an expression in the engine's dialect."""
        ...

    def ask(self, expression: "ir.Expr") -> "pa.Table":
        """Return the whole answer of an expression.

        Raises:
            MachineFailed: The engine could not answer.
        """
        ...

    def ask_within(self, written: "Written", limits: "Limits", stop: "Event") -> "Told":
        """Return what a question answers that somebody wrote, within limits, until it is stopped.

        Raises:
            BadInput: It cannot be answered, or wants more than it may have.
            Conflict: It was stopped.
        """
        ...


class Facts(Readable, Protocol):
    """What every engine offers: the facts of one generation."""

    def create(self, promoted: Mapping[str, str]) -> None:
        """Make all tables; `promoted` names the columns that described properties get."""
        ...

    def promoted(self) -> dict[str, str]:
        """Return the promoted columns of `events`: name -> type."""
        ...

    def on_cores(self, count: int) -> AbstractContextManager[None]:
        """Let the engine use so many threads meanwhile, for writing whole columns at a time."""
        ...

    def transaction(self) -> AbstractContextManager[FactsWriter]:
        """Open the one writing transaction; it is kept whole or not at all."""
        ...

    def checksums(self) -> list[tuple[str, int, str]]:
        """Return table, rows and hash over natural keys in any order, for every table."""
        ...

    def write_parquet(self, folder: Path) -> None:
        """Write every table to a Parquet file of its name.

        Raises:
            DiskFull: There is no room.
        """
        ...

    def snapshot(self) -> AbstractContextManager[Any]:
        """Open DuckDB's cursor over all tables as they stand at one offset; folds go on meanwhile.

        Raises:
            DiskFull: There is no room for what has to be written beside the facts.
        """
        ...

    def copy_to(self, folder: Path) -> None:
        """Write all rows to the generation of a new folder, without what was deleted.

        Raises:
            DiskFull: There is no room.
        """
        ...

    def checkpoint(self) -> None:
        """Bring what was written to where it is kept."""
        ...

    def drop(self) -> None:
        """Remove what stands outside the folder of the generation."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...
