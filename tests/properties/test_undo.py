"""What stands is what the standing runs tell, whatever came, and was undone, in between."""

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import msgspec
from hypothesis import given, settings

from onefold.collect.imported import RecordsFold
from onefold.collect.records import Code, Record
from onefold.collect.runs import RUN, UNDO, RunEntry, run_id
from onefold.store import NewRow
from onefold.store.facts_duckdb import DuckFacts
from onefold.store.log_sqlite import SqliteLog

START = 1_795_000_000_000_000

rows = st.tuples(
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from([None, "Acme", "Zeta"]),
    st.sampled_from([None, "de", "fr"]),
    st.sampled_from([{}, {"tier": "1"}, {"tier": "2", "size": "big"}]),
    st.booleans(),
)
runs = st.lists(
    st.tuples(
        st.sampled_from([("crm", 0), ("billing", 0), ("desk", 5)]),
        st.lists(rows, max_size=5),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=6,
)


def record(source, priority, known, row) -> Record:
    key, name, country, properties, good = row
    fields = {"name": name, "country": country, "properties": properties}
    content = msgspec.json.encode([source, key, fields, good], order="sorted").decode()
    return Record(
        entity="account",
        key=key if good else "",
        message_id=content,
        event_time=known,
        fields=fields,
        where="a.csv line 2",
        reason="" if good else f"It is bad: {content}",
        priority=priority,
    )


def log_rows(place, run) -> list[NewRow]:
    (source, priority), told, size = run
    now = START + place
    # One set of values a key: what differs in one file waits, before it comes to the log.
    records = [record(source, priority, now, row) for row in told]
    seen: dict[str, Record] = {}
    records = [r for r in records if r.reason or seen.setdefault(r.key, r).fields == r.fields]
    entry = RunEntry(run_id(source, now), source, now, environment="production", entity="account")
    found = [control(RUN, entry)]
    for start in range(0, len(records), size):
        part = records[start : start + size]
        found.append(
            NewRow(
                received_time=now,
                source=source,
                environment="production",
                dialect="records",
                route="import",
                body=msgspec.json.encode(part),
                verdicts=bytes(Code.SCHEMA << 4 if one.reason else 15 for one in part),
            )
        )
    return found


def control(route, entry) -> NewRow:
    body = msgspec.json.encode(entry)
    return NewRow(entry.run_time, "", "", "control", route, body, b"")


def undoing(place, run) -> NewRow:
    source, now = run[0][0], START + place
    return control(UNDO, RunEntry(run_id(source, now), source, now, undone_time=now))


def sums(log_of_rows, sizes) -> list[tuple[str, int, str]]:
    """Return the checksums after folding in batches of the sizes."""
    with tempfile.TemporaryDirectory() as folder:
        log = SqliteLog(Path(folder) / "log.sqlite")
        if log_of_rows:
            log.append(log_of_rows)
        facts = DuckFacts(None)
        facts.create({})
        fold = RecordsFold(log, bytes(32))
        left, place = log.read(0), 0
        while left:
            size = sizes[place % len(sizes)]
            with facts.transaction() as writer:
                fold.write(fold.read(left[:size]), writer)
            left, place = left[size:], place + 1
        found = facts.checksums()
        facts.close()
        log.close()
        return found


sizes = st.lists(st.integers(1, 6), min_size=1, max_size=4)


@settings(max_examples=15, deadline=None)
@given(runs=runs, taken=st.data(), cut=sizes, other=sizes)
def test_a_run_that_was_undone_has_never_been(runs, taken, cut, other) -> None:
    places = range(len(runs))
    undone = taken.draw(st.lists(st.sampled_from(places), unique=True))
    written = [log_rows(place, run) for place, run in enumerate(runs)]
    entries = [row for rows in written for row in rows]
    for place in undone:
        # An undo may come while the run goes on; and twice.
        first = sum(len(rows) for rows in written[:place]) + 1
        at = taken.draw(st.integers(first, len(entries)))
        entries.insert(at, undoing(place, runs[place]))
        written[place] = [*written[place], entries[at]]
    entries += [undoing(place, runs[place]) for place in undone]
    never = [row for place in places if place not in undone for row in log_rows(place, runs[place])]
    assert sums(entries, cut) == sums(never, other)


@settings(max_examples=8, deadline=None)
@given(runs=runs, cut=sizes, other=sizes)
def test_what_came_twice_in_the_log_counts_once(runs, cut, other) -> None:
    written = [log_rows(place, run) for place, run in enumerate(runs)]
    once = [row for rows in written for row in rows]
    twice = [row for rows in written for row in [*rows, *rows]]
    assert sums(twice, cut) == sums(once, other)
    assert sums([*once, *once], cut) == sums(once, other)
