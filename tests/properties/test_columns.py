"""A CSV read as columns and read as rows makes the same records, sums, reasons and facts."""

import tempfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from onefold.collect import imports
from onefold.collect.blocks import read_blocks
from onefold.collect.imported import RecordsFold
from onefold.model.errors import BadInput
from onefold.store.facts_duckdb import DuckFacts
from onefold.store.log_sqlite import SqliteLog

NOW = 1_795_000_000_000_000
KEY = bytes(32)
SPEND = """\
import: ads
table: spend
file: a.csv
columns:
  spend_id: id
  account_id: account
  campaign_id: campaign
  spend_date: day
  amount_micros: {from: amount, currency: {from: currency}}
"""
TICKETS = """\
import: desk
table: tickets
file: a.csv
delimiter: ;
zone: Europe/Berlin
priority: 2
columns:
  ticket_id: id
  account_id: account
  subject: campaign
  status: kind
  opened_time: {from: day, format: "%d.%m.%Y"}
  closed_time: closed
  waits_on: {value: us}
"""
INTERACTIONS = """\
import: calls
table: interactions
file: a.csv
columns:
  interaction_id: id
  account_id: account
  kind: kind
  title: campaign
  start_time: closed
  minutes: amount
"""

words = st.sampled_from(
    [
        "",
        " ",
        "acme",
        " Müller ",
        "a b",
        'say "hi"',
        "two\nlines",
        "nul\x00",
        "x\x1fy",
        "\u2003wide ",
        "y" * 2100,
        "null",
        "NaN",
        "-",
        "a,b",
        "a;b",
        "'",
        "\ufeff",
    ]
)
rows = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["k1", "k2", "k3", "k4", "k5", " k1", ""])
        | st.text("abcdef", max_size=3),
        "account": words,
        "campaign": words,
        "day": st.sampled_from(
            [
                "2026-11-01",
                "2026-02-29",
                "01.02.2026",
                "31.02.2026",
                "",
                "20261101",
                "2026-11-01T10:00:00",
            ]
        ),
        "amount": st.sampled_from(
            [
                "1",
                "10.10",
                "-3.5",
                "+2",
                "1_000",
                "1e3",
                "0.0000005",
                "12.1234567",
                "much",
                "",
                " 7 ",
                "9000000000001",
                "١٢",
                "1.",
                ".5",
                "00012",
                "999999999999.999999",
                "-0",
            ]
        ),
        "currency": st.sampled_from(["EUR", "eur", " usd ", "EURO", ""]),
        "kind": st.sampled_from(["open", "Closed", "call", "CALL", "nothing", ""]),
        "closed": st.sampled_from(
            [
                "2026-07-02T10:00:00Z",
                "2026-07-02",
                "2026-07-02 10:00:00+02:00",
                "soon",
                "",
                "2025-01-01",
            ]
        ),
    }
)


def quoted(text: str, delimiter: str) -> str:
    if set(text) & {'"', "\n", "\r", delimiter}:
        return '"' + text.replace('"', '""') + '"'
    return text


def written(found, delimiter, end) -> str:
    lines = [delimiter.join(HEAD)]
    lines += [delimiter.join(quoted(row[name], delimiter) for name in HEAD) for row in found]
    return end.join(lines) + end


HEAD = ["id", "account", "campaign", "day", "amount", "currency", "kind", "closed"]


def outcome(mapping, text, *, columns_from, block_bytes, twice=None, repeats=False, batch=1000):
    """Return what an import told, or refused, and the checksums of its facts."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        log = SqliteLog(place / "log.sqlite")
        keeper = SimpleNamespace(log=log, clock=lambda: NOW, identity_key=KEY)
        (place / "a.csv").write_text(text, encoding="utf-8", newline="")
        (place / "a.yaml").write_text(mapping, encoding="utf-8")
        told: object = None
        with pytest.MonkeyPatch.context() as patch:
            blocks = partial(read_blocks, block_bytes=block_bytes)
            patch.setattr("onefold.collect.import_run.read_blocks", blocks)
            for start in (columns_from, twice):
                if start is None:
                    continue
                try:
                    answer = imports.run(keeper, place / "a.yaml", columns_from=start)
                    notes = [note for note in answer.notes if not note.startswith("Run ")]
                    told = (answer.rows, notes)
                except BadInput as error:
                    told = error.message
        facts = DuckFacts(None)
        facts.create({})
        fold = RecordsFold(log, KEY)
        kept = log.read(0)
        if repeats:
            kept = [one for row in kept for one in (row, row)] + kept
        for start in range(0, len(kept), batch):
            with facts.transaction() as writer:
                fold.write(fold.read(kept[start : start + batch]), writer)
        sums = facts.checksums()
        facts.close()
        log.close()
        return told, sums


NEVER = 1 << 40
ways = given(
    found=st.lists(rows, max_size=14),
    mapping=st.sampled_from([SPEND, TICKETS, INTERACTIONS]),
    end=st.sampled_from(["\n", "\r\n"]),
    junk=st.sampled_from(["", "\n", 'a"b', "x,y\n", '"open', "\r", ",,,,,,,\n"]),
    block=st.sampled_from([30, 100, 10_000]),
)


@settings(max_examples=20, deadline=None)
@ways
def test_columns_and_rows_tell_the_same(found, mapping, end, junk, block) -> None:
    delimiter = ";" if mapping is TICKETS else ","
    text = written(found, delimiter, end) + junk
    as_rows = outcome(mapping, text, columns_from=NEVER, block_bytes=block)
    assert outcome(mapping, text, columns_from=0, block_bytes=block) == as_rows


@settings(max_examples=6, deadline=None)
@ways
def test_a_file_read_both_ways_counts_once(found, mapping, end, junk, block) -> None:
    delimiter = ";" if mapping is TICKETS else ","
    text = written(found, delimiter, end) + junk
    once = outcome(mapping, text, columns_from=NEVER, block_bytes=block)
    both = outcome(mapping, text, columns_from=0, block_bytes=block, twice=NEVER)
    assert both[1] == once[1]


@settings(max_examples=6, deadline=None)
@ways
def test_a_log_that_repeats_its_rows_counts_them_once(found, mapping, end, junk, block) -> None:
    delimiter = ";" if mapping is TICKETS else ","
    text = written(found, delimiter, end) + junk
    once = outcome(mapping, text, columns_from=0, block_bytes=block)
    for batch in (1, 3, 1000):
        again = outcome(mapping, text, columns_from=0, block_bytes=block, repeats=True, batch=batch)
        assert again[1] == once[1]
