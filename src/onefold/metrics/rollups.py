"""Rollups: how many events came, and what they paid, by second of the last hour and by minute.

They hold what can be taken back alone, counts and sums, for every kind of event by campaign,
surface and creator; no distinct count, and nothing of a person. A window's rows are parts to be
added up: each batch of the fold adds its own, and so does what comes late; those of a minute are
made one from time to time. What an erasure takes out of a window is counted anew from the events
that stay. Whom a question may not use (who withdrew, who is marked, now and as persons are merged
now) a View takes out as it asks: see `runtime.view_rolled`.
"""

import time
from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect import Batch
from onefold.metrics.compile import Span, currency_of_row, dimension_of, instant
from onefold.model.facts import TABLES
from onefold.model.time import HOUR, MINUTE, SECOND, Clock
from onefold.store import FactsWriter, View

if TYPE_CHECKING:
    import ibis.expr.types as ir

SECONDS, MINUTES = "rolled_seconds", "rolled_minutes"
TABLE = {"s": SECONDS, "m": MINUTES}
KEPT = HOUR
"""So long seconds are kept, microseconds."""

_SUMS = ("events", "revenue_micros")
BY = tuple(name for name in TABLES[MINUTES].columns if name not in _SUMS)
"""What rows are told apart by."""
COLUMNS = (*BY, *_SUMS)
_TIDY_SECONDS = 60.0
_FEW_PARTS = 4
"""A minute of no more parts stays as it is."""


def rolled(events: "ir.Table", every: str) -> "ir.Table":
    """Return counts and sums of events, with the columns of a rollup.

    Args:
        events: Columns as those of `events`.
        every: `s` or `m`: the length of a window.
    """
    import ibis

    campaign = _said(events, "campaign_id")
    whose = campaign.notnull().ifelse(_said(events, "account_id"), ibis.null("string"))
    pays = revenue_of(events)
    nothing = ibis.null("string")
    found: Any = events.select(
        "environment",
        "event",
        "traffic",
        "purposes",
        "sample_rate",
        start_time=events.event_time.truncate("s" if every == "s" else "m"),
        campaign_id=campaign,
        surface=_said(events, "surface"),
        creator_id=_said(events, "creator_id"),
        account_id=whose,
        currency=nothing if pays is None else currency_of_row(events),
        revenue_micros=ibis.literal(0, "int64") if pays is None else pays,
    )
    sums = {"events": found.count(), "revenue_micros": found.revenue_micros.sum().cast("int64")}
    return found.group_by(*BY).aggregate(**sums).select(*COLUMNS)


def counts(view: "View", span: Span, every: str) -> Any:
    """Return rows of a rollup of a View's events in a span (whole windows), to be added up."""
    if view.rolled is not None:
        return view.rolled(span, every)
    return rolled(within(view.events, span, "event_time"), every)


def revenue_of(events: Any) -> Any:
    """Return what an event paid, micros; None where no property of that kind is described."""
    if "p_revenue" in events.columns and events.p_revenue.type().is_integer():
        return events.p_revenue.fill_null(0)
    return None


def within(table: Any, span: Span, column: str = "start_time") -> Any:
    """Return the rows of a span (from, to; microseconds)."""
    return table.filter(table[column] >= instant(span[0]), table[column] < instant(span[1]))


def taken_back(parts: "ir.Table") -> "ir.Table":
    """Return rows of a rollup that take away what those given add."""
    return parts.mutate(**{name: -parts[name] for name in _SUMS}).select(*COLUMNS)


def _said(events: Any, name: str) -> Any:
    """Return a property as `dimension_of` does; a document that cannot hold it is not read."""
    import ibis

    found = dimension_of(events, name)
    if f"p_{name}" in events.columns:
        return found
    # A name may be written with escapes.
    may = events.properties.contains(name) | events.properties.contains("\\")
    return may.ifelse(found, ibis.null("string"))


def _seconds_of_batch(tables: Mapping[str, Any]) -> "ir.Table":
    return rolled(tables["staged"], "s")


def _minutes_of_parts(tables: Mapping[str, Any]) -> "ir.Table":
    """Return the parts of each minute as one row."""
    parts = tables["staged"]
    named = parts.mutate(start_time=parts.start_time.truncate("m"))
    sums = {name: named[name].sum().cast("int64") for name in _SUMS}
    return named.group_by(*BY).aggregate(**sums).select(*COLUMNS)


def _minutes_of_batch(tables: Mapping[str, Any]) -> "ir.Table":
    return rolled(tables["staged"], "m")


def _windows_of(tables: Mapping[str, Any]) -> "ir.Table":
    """Return the minutes in which somebody (`staged.key`) did anything."""
    events, keys = tables["events"], tables["staged"]
    mine = events.semi_join(keys, events.identifier == keys.key)
    return mine.select(start_time=mine.event_time.truncate("m")).distinct()


def _seconds_of_others(tables: Mapping[str, Any]) -> "ir.Table":
    """Return the seconds of those minutes without them."""
    events, keys, windows = tables["events"], tables["staged"], _windows_of(tables).view()
    events = events.mutate(minute=events.event_time.truncate("m"))
    others = events.semi_join(windows, events.minute == windows.start_time)
    keys = keys.view()
    return rolled(others.anti_join(keys, others.identifier == keys.key), "s")


class RollupsFold:
    """Keeps `rolled_seconds` and `rolled_minutes`, in which nothing of a person stands."""

    def __init__(self, clock: Clock) -> None:
        """Keep seconds for an hour by this clock."""
        self._clock = clock
        self._parts: Counter[int] = Counter()
        self._tidied = time.monotonic()

    def fold(self, batch: Batch, writer: FactsWriter) -> None:
        """Add what a micro-batch adds."""
        if not batch.events.num_rows:
            return
        since = self._clock() - KEPT
        newest = pc.max(batch.events.column("event_time")).cast(pa.int64()).as_py()
        if newest < since:
            minutes = writer.asked(_minutes_of_batch, batch.events)
        else:
            seconds = writer.asked(_seconds_of_batch, batch.events)
            writer.insert(SECONDS, _from(seconds, since))
            minutes = writer.asked(_minutes_of_parts, seconds)
        writer.insert(MINUTES, minutes)
        starts = pc.unique(minutes.column("start_time").cast(pa.int64()))
        self._parts.update(starts.to_pylist())
        if time.monotonic() - self._tidied >= _TIDY_SECONDS:
            self.tidy(writer)

    def tidy(self, writer: FactsWriter) -> None:
        """Let go of seconds that are too old; make one part of those of each former minute."""
        self._tidied, now = time.monotonic(), self._clock()
        standing = pa.array(writer.distinct(SECONDS, "start_time"), pa.timestamp("us"))
        old = pc.less(standing.cast(pa.int64()), now - KEPT)
        writer.delete(SECONDS, pa.table({"start_time": standing.filter(old)}), ["start_time"])
        # The minute in progress and the one before go on to get parts.
        ended = [one for one in self._parts if one < now - 2 * MINUTE]
        several = [one for one in ended if self._parts[one] > _FEW_PARTS]
        for one in ended:
            del self._parts[one]
        if several:
            windows = _starts(several)
            parts = writer.matching(MINUTES, windows, ["start_time"])
            writer.delete(MINUTES, windows, ["start_time"])
            writer.insert(MINUTES, writer.asked(_minutes_of_parts, parts))

    def forget(self, keys: Collection[int], writer: FactsWriter) -> None:
        """Count the minutes of persons anew without them; their events have to stand yet."""
        wanted = pa.table({"key": pa.array(sorted(keys), pa.int64())})
        windows = writer.asked(_windows_of, wanted)
        if not windows.num_rows:
            return
        left = writer.asked(_seconds_of_others, wanted)
        since = self._clock() - KEPT
        young = [at for at in _micros(windows) if at + MINUTE > since]
        seconds = [at + place * SECOND for at in young for place in range(60)]
        writer.delete(SECONDS, _starts(seconds), ["start_time"])
        writer.delete(MINUTES, windows, ["start_time"])
        writer.insert(SECONDS, _from(left, since // MINUTE * MINUTE))
        writer.insert(MINUTES, writer.asked(_minutes_of_parts, left))


def _from(seconds: pa.Table, since: int) -> pa.Table:
    return seconds.filter(
        pc.greater_equal(seconds.column("start_time").cast(pa.int64()), since // SECOND * SECOND)
    )


def _starts(micros: Collection[int]) -> pa.Table:
    return pa.table({"start_time": pa.array(micros, pa.int64()).cast(pa.timestamp("us"))})


def _micros(windows: pa.Table) -> list[int]:
    found: list[int] = windows.column("start_time").cast(pa.int64()).to_pylist()
    return found
