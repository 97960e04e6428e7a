"""What a question costs beside the SQL that somebody who knows the tables would write by hand.

`python bench/questions.py [events ...]` (20,000,000 unless told) writes events of many persons into
the facts and asks, through a View for analytics: events by day and name, weekly retention, a
funnel of four steps within seven days, people with a session by week, and one person's timeline.
The peer of each is hand-written SQL over the same tables with the same consent and person joins,
in the same engine and run; that of the funnel is `windowFunnel` of ClickHouse's own engine over
the same rows. With several numbers of events it prints how the cost of each question grows:
the slope of its logarithm over that of the events (1 is proportional).
"""

import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chdb
import pyarrow as pa

from figures import Figure, quantile, report
from filling import DAYS, event_name, fill
from onefold.metrics import load_metrics, measure, questions
from onefold.model.records import OWNER, Question
from onefold.model.time import DAY, HOUR
from onefold.runtime.views import Terms, make_view
from onefold.store import View
from onefold.store.facts_duckdb import FILE, DuckFacts

START = 1_767_571_200_000_000
"""A Monday, microseconds."""
END = START + DAYS * DAY
SPAN = (START, END)
STEPS = tuple(event_name(number) for number in range(4))
RUNS = 5
_HELD = """
    FROM events JOIN identifiers ON events.identifier = identifiers.key
    WHERE environment = 'production' AND (purposes & 1) > 0 AND person_id IS NOT NULL
      AND event_time >= make_timestamp({}) AND event_time < make_timestamp({})
""".format(*SPAN)
_BY_DAY = f"SELECT event, date_trunc('day', event_time) AS day, count(*) {_HELD} GROUP BY ALL"
_CAME_BACK = f"""
    WITH held AS (SELECT person_id, event, date_trunc('week', event_time) AS week {_HELD}),
    first AS (
        SELECT person_id, min(week) AS cohort FROM held WHERE event = '{STEPS[0]}' GROUP BY 1
    ),
    back AS (SELECT DISTINCT person_id, week FROM held WHERE event = '{STEPS[1]}')
    SELECT cohort, cohort AS week, count(*) FROM first GROUP BY ALL UNION ALL
    SELECT cohort, week, count(*) FROM first JOIN back USING (person_id)
    WHERE week > cohort GROUP BY ALL
"""


def main() -> None:
    """Fill, ask, report; once for each number of events."""
    sizes = [int(told) for told in sys.argv[1:] if told.isdigit()] or [20_000_000]
    figures: list[Figure] = []
    took: dict[str, list[float]] = {}
    for events in sizes:
        with tempfile.TemporaryDirectory(prefix="onefold-bench-") as folder:
            facts = DuckFacts(Path(folder) / FILE, memory="6GB")
            facts.create({})
            fill(facts, events, max(events // 40, 100), START)
            _sessions(facts)
            for found in _figures(facts, Path(folder)):
                took.setdefault(found.name, []).append(found.value)
                figures.append(_named(found, events))
            facts.close()
    if len(sizes) > 1:
        figures += [_slope(name, sizes, seconds) for name, seconds in took.items()]
    report("questions", figures)


def _figures(facts: DuckFacts, folder: Path) -> list[Figure]:
    view = _view(facts)
    metrics = load_metrics()
    active = metrics["weekly_active_people"]
    returning = questions.Returning(STEPS[0], STEPS[1], "week", SPAN)
    steps = questions.Steps(STEPS, 7 * DAY, SPAN)
    inside = view.person_events.filter(
        view.person_events.event_time >= pa.scalar(START, pa.timestamp("us")).as_py(),
        view.person_events.event_time < pa.scalar(END, pa.timestamp("us")).as_py(),
    )
    by_day = inside.group_by(inside.event, day=inside.event_time.truncate("D")).aggregate(
        events=inside.count()
    )
    one = facts.ask(view.person_events.select("person_id").limit(1)).column(0)[0].as_py()
    theirs = view.person_events.filter(view.person_events.person_id == one)
    timeline = theirs.order_by("event_time").select("event_time", "event")
    own = _beside(facts)
    return [
        _figure("events by day and name", lambda: view.ask(by_day), own(_BY_DAY), bar=1.1),
        _figure(
            "weekly retention",
            lambda: questions.retention(view, returning),
            own(_CAME_BACK),
            bar=1.1,
        ),
        _figure(
            "funnel of four steps",
            lambda: questions.funnel(view, steps),
            _window_funnel(facts, folder),
            bar=3.0,
            peer_name="windowFunnel",
        ),
        _absolute(
            "active people by week",
            lambda: measure(view, active, from_time=START, to_time=END, every="week"),
            0.5,
        ),
        _absolute("timeline of one person", lambda: view.ask(timeline), 0.02),
    ]


def _figure(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    bar: float,
    peer_name: str = "SQL by hand",
) -> Figure:
    """Return our seconds beside theirs, asked in turn; the bar is a multiple of theirs."""
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(RUNS)]
    mine, peer = (quantile([pair[at] for pair in pairs], 0.5) for at in (0, 1))
    return Figure(name, mine, "s", bar=bar * peer, peer=peer, peer_name=peer_name)


def _absolute(name: str, ours: Callable[[], object], bar: float) -> Figure:
    return Figure(name, quantile([_seconds(ours) for _ in range(RUNS)], 0.5), "s", bar=bar)


def _seconds(work: Callable[[], object]) -> float:
    _forget()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


_kept: list[DuckFacts] = []


def _forget() -> None:
    """Let no answer be told twice."""
    for facts in _kept:
        with facts.transaction() as writer:
            writer.insert("meta", pa.table({"key": ["bench"], "value": [""]}))


def _beside(facts: DuckFacts) -> Callable[[str], Callable[[], object]]:
    """Return what asks SQL that was written by hand, of the same file and with as many cores."""
    _kept[:] = [facts]

    def asking(query: str) -> Callable[[], object]:
        def asked() -> object:
            with facts.snapshot() as cursor:
                return cursor.execute(query).to_arrow_table()

        return asked

    return asking


def _window_funnel(facts: DuckFacts, folder: Path) -> Callable[[], object]:
    """Return what asks ClickHouse's engine for the funnel over the rows that a View lets in."""
    place = folder / "held.parquet"
    with facts.snapshot() as cursor:
        cursor.sql(f"SELECT person_id, event_time, event {_HELD}").write_parquet(str(place))
    opened: Any = chdb.connect
    session = opened(str(folder / "clickhouse"))
    session.query(
        "CREATE TABLE held ENGINE = MergeTree ORDER BY (event, moment) SETTINGS "
        "allow_nullable_key = 1 AS SELECT assumeNotNull(person_id) AS person_id, "
        "toUInt64(toUnixTimestamp64Milli(assumeNotNull(event_time))) AS moment, "
        "assumeNotNull(event) AS event "
        f"FROM file('{place}', Parquet)"
    )
    steps = ", ".join(f"event = '{step}'" for step in STEPS)
    names = ", ".join(f"'{step}'" for step in STEPS)
    query = (
        "SELECT level, count() FROM (SELECT person_id, "
        f"windowFunnel({7 * DAY // 1_000})(moment, {steps}) AS level "
        f"FROM held WHERE event IN ({names}) GROUP BY person_id) GROUP BY level "
        "SETTINGS max_threads = 1"
    )
    return lambda: session.query(query, "CSV")


def _sessions(facts: DuckFacts) -> None:
    """Let every event that is an hour or more from the one before of its identifier begin one."""
    with facts.snapshot() as cursor:
        spans = cursor.execute(
            "SELECT identifier, 'production' AS environment, min(event_time) AS start_time, "
            "max(event_time) AS end_time, count(*) AS events, count(*) AS actions, "
            "0::BIGINT AS discoveries, 15::SMALLINT AS purposes, false AS clocked "
            f"FROM events GROUP BY identifier, epoch_us(event_time) // {HOUR}"
        ).to_arrow_table()
    with facts.transaction() as writer:
        writer.insert("sessions", spans)


def _view(facts: DuckFacts) -> View:
    return make_view(
        facts,
        Question(OWNER),
        now=END,
        zone="UTC",
        fresh_time=END,
        terms=Terms(marked=False, sampled=False),
    )


def _named(found: Figure, events: int) -> Figure:
    told: dict[str, Any] = {
        "bar": found.bar,
        "peer": found.peer,
        "peer_name": found.peer_name,
    }
    return Figure(f"{found.name}, {events / 1e6:g} M events", found.value, found.unit, **told)


def _slope(name: str, sizes: list[int], seconds: list[float]) -> Figure:
    """Return the slope of cost over size, both as logarithms, by least squares."""
    across = [math.log(size) for size in sizes]
    up = [math.log(one) for one in seconds]
    middle, level = sum(across) / len(across), sum(up) / len(up)
    over = sum((x - middle) * (y - level) for x, y in zip(across, up, strict=True))
    return Figure(f"{name}, slope", over / sum((x - middle) ** 2 for x in across), "")


if __name__ == "__main__":
    main()
