"""What a question found: a table with proper types that explains itself."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from onefold.found import columns, page
from onefold.model.errors import BadInput
from onefold.model.records import Column
from onefold.model.time import parse_time, to_datetime

if TYPE_CHECKING:
    import pyarrow as pa


class Found:
    """What a question found. Looks like a chart and a table in a notebook.

    Attributes:
        asked: What was asked, in words: the call and what it was given.
        definition: What was counted and how.
        query: The query in the engine's dialect; empty for what asks no facts.
        excluded_by_consent: How many events consent left out.
        notes: What a reader has to know beside the figures.
        body: The answer as the API gives it.
    """

    def __init__(self, asked: str, body: Mapping[str, Any]) -> None:
        self.asked = asked
        self.body = body
        self.definition = str(body.get("definition", ""))
        self.query = str(body.get("query", ""))
        self.excluded_by_consent = int(body.get("excluded_by_consent", 0))
        self.notes = tuple(body.get("notes", ()))

    @property
    def as_of(self) -> datetime | None:
        """When the last event it rests on was received, in UTC; None where it rests on none."""
        told = self.body.get("as_of")
        return to_datetime(parse_time(told)) if told else None

    @cached_property
    def arrow(self) -> "pa.Table":
        """The rows as an Arrow table.

        Money is decimal128(38, 6) in units of its currency, which stands in a column `currency`
        beside it (`NAME_currency` where one row holds several); times are timestamps in UTC, to
        the microsecond; days are date32; whole numbers int64, or decimal128(38, 0) where one is
        longer; an estimate within a cell becomes `NAME`, `NAME_low`, `NAME_high`, `NAME_level`
        and `NAME_n`. A column whose values do not fit its type is one of texts. Two columns of
        one name are told apart by `_2`. Each field's metadata tells `type` and `unit`; the
        schema's, under `onefold`, everything but the rows.
        """
        return columns.arrow_of(self.asked, self.body, columns.spread(self.body))

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Name, type and unit of each column of `arrow`."""
        return tuple(each.column for each in columns.spread(self.body))

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of `arrow` by column name, as Python's values: Decimal, datetime, date."""
        told: list[dict[str, Any]] = self.arrow.to_pylist()
        return told

    def to_pandas(self) -> Any:
        """Return the rows as a pandas frame; whole numbers stay whole where some are missing.

        Raises:
            BadInput: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as missing:
            raise _not_there("pandas") from missing
        import pyarrow as pa

        kinds = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
        return self.arrow.to_pandas(types_mapper=kinds.get)

    def to_polars(self) -> Any:
        """Return the rows as a Polars frame.

        Raises:
            BadInput: Polars is not installed.
        """
        try:
            import polars as pl
        except ImportError as missing:
            raise _not_there("polars") from missing
        return pl.from_arrow(self.arrow)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the rows to whoever reads Arrow's C stream: DuckDB, Polars, pandas."""
        return self.arrow.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return len(self.body["rows"])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __repr__(self) -> str:
        names = ", ".join(column.name for column in self.columns)
        return f"<Found: {self.asked}; {len(self)} rows of {names}>"

    def _repr_html_(self) -> str:
        return page.html_of(self.asked, self.body, self.columns, self.rows)


def _not_there(name: str) -> BadInput:
    message = f"{name} is not installed, and Onefold needs it only here."
    return BadInput(message, f"Install it with `pip install {name}`, or use `.arrow` or `.rows`.")
