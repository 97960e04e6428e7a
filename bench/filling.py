"""Events of many persons, written straight into the facts for questions to be measured over."""

import numpy as np
import pyarrow as pa

from onefold.model.time import DAY
from onefold.store.facts_duckdb import DuckFacts

DAYS = 56
NAMES = 30
_AT_ONCE = 1_000_000
_STRIDE = 7919


def event_name(number: int) -> str:
    """Return the name of the event of a number below `NAMES`."""
    return f"event_{number:02d}"


def fill(facts: DuckFacts, events: int, persons: int, start: int) -> None:
    """Write so many events of so many persons, evenly over `DAYS` days from a time on."""
    rng = np.random.default_rng(4)
    keys = np.arange(persons, dtype=np.int64) * _STRIDE
    names = np.array([event_name(number) for number in range(NAMES)])
    with facts.transaction() as writer:
        told = {"key": keys, "kind": ["user_id"] * persons, "person_id": keys}
        writer.insert("identifiers", pa.table(told))
    for first in range(0, events, _AT_ONCE):
        count = min(_AT_ONCE, events - first)
        # Time goes on from one stretch to the next, as it does in a log.
        begin, end = (start + DAYS * DAY * at // events for at in (first, first + count))
        moments = pa.array(np.sort(rng.integers(begin, end, count))).cast(pa.timestamp("us"))
        columns = {
            "message_hi": rng.integers(0, 1 << 62, count),
            "message_lo": rng.integers(0, 1 << 62, count),
            "log_offset": np.full(count, first, np.int64),
            "kind": pa.array(["track"] * count),
            "event": pa.array(names[rng.integers(0, NAMES, count)]),
            "source": pa.array(["web"] * count),
            "environment": pa.array(["production"] * count),
            "event_time": moments,
            "received_time": moments,
            "identifier": keys[rng.integers(0, persons, count)],
            "purposes": rng.choice(np.array([15, 15, 15, 3], np.int16), count),
        }
        with facts.transaction() as writer:
            writer.insert("events", pa.table(columns))
