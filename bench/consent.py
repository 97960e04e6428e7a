"""What consent costs a question: over time and withdrawn, beside the mask of each event alone.

`python bench/consent.py [events]` writes events of many persons straight into the facts and asks
events by day and name, and persons by day, of a View: with nothing stated, with one person in a
hundred withdrawn, and with a yes or a no stated by everybody. The peer is the same question with
the event's own mask for consent and nothing else, in the same run.
"""

import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from figures import Figure, quantile, report
from filling import DAYS, fill
from onefold.model.facts import TABLES
from onefold.model.records import OWNER, Question
from onefold.model.time import DAY, now
from onefold.runtime.view_consent import stated_in
from onefold.runtime.views import Terms, make_view
from onefold.store import View
from onefold.store.facts_duckdb import DuckFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

PURPOSE = "advertising"
BIT = 4
RUNS = 5


def main() -> None:
    """Fill the facts, ask, report."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 5_000_000
    persons = max(events // 40, 100)
    facts = DuckFacts(None)
    facts.create({})
    start = now() - DAYS * DAY
    fill(facts, events, persons, start)
    figures = []
    for said, share in (("nothing stated", 0.0), ("1 % withdrawn", 0.01), ("all stated", 1.0)):
        if share:
            _state(facts, persons, share, start)
        for name, asked in (("events by day and name", _by_day), ("persons by day", _persons)):
            figures.append(_figure(facts, f"{name}, {said}", asked))
    report("consent", figures)


def _figure(facts: DuckFacts, name: str, asked: "Callable[[ir.Table], ir.Table]") -> Figure:
    view = _view(facts)
    tables = facts.tables()
    events = tables["events"]
    known = events.filter(
        events.environment == "production", (events.purposes.cast("int64") & BIT) > 0
    )
    keys = tables["identifiers"].select("key", "person_id")
    bare = known.inner_join(keys, known.identifier == keys.key)
    ours, theirs = [], []
    for _ in range(RUNS):
        ours.append(_seconds(facts, asked(view.person_events)))
        theirs.append(_seconds(facts, asked(bare)))
    return Figure(
        name, quantile(ours, 0.5), "s", peer=quantile(theirs, 0.5), peer_name="the mask alone"
    )


def _seconds(facts: DuckFacts, question: "ir.Table") -> float:
    facts.sql(question)
    began = time.perf_counter()
    facts.ask(question)
    return time.perf_counter() - began


def _by_day(events: "ir.Table") -> "ir.Table":
    day = events.event_time.truncate("D")
    return events.group_by(events.event, day=day).aggregate(events=events.count())


def _persons(events: "ir.Table") -> "ir.Table":
    day = events.event_time.truncate("D")
    return events.group_by(day=day).aggregate(persons=events.person_id.nunique())


def _view(facts: DuckFacts) -> View:
    rows = facts.ask(stated_in(facts.tables())).to_pylist()
    stated = frozenset((row["purpose"], row["granted"], row["by_event"]) for row in rows)
    return make_view(
        facts,
        Question(OWNER, purpose=PURPOSE),
        now=now(),
        zone="UTC",
        fresh_time=now(),
        terms=Terms(marked=False, sampled=False, stated=stated),
    )


def _state(facts: DuckFacts, persons: int, share: float, start: int) -> None:
    """Let a share of the persons say no, or everybody say something, in place of what was said."""
    rng = np.random.default_rng(5)
    some = np.sort(rng.choice(persons, max(1, int(persons * share)), replace=False))
    count = len(some)
    yes = rng.random(count) < (0.7 if share == 1.0 else 0.0)
    times = pa.array(rng.integers(start, start + DAYS * DAY, count)).cast(pa.timestamp("us"))
    columns: dict[str, Any] = {
        "key": some.astype(np.int64) * 7919,
        "environment": pa.array([""] * count),
        "purpose": pa.array([PURPOSE] * count),
        "granted": pa.array(yes),
        "from_time": times,
        "last_time": times,
        "means": pa.array(["api"] * count),
        "source": pa.array(["bench"] * count),
        "region": pa.array([""] * count),
        "basis": pa.array(["consent"] * count),
        "clocked": pa.array([False] * count),
        "log_offset": np.zeros(count, np.int64),
        "place": np.zeros(count, np.int32),
    }
    told = {name: columns[name] for name in TABLES["consents"].columns}
    with facts.transaction() as writer:
        writer.delete("consents", pa.table({"purpose": [PURPOSE]}), ["purpose"])
        writer.insert("consents", pa.table(told))


if __name__ == "__main__":
    main()
