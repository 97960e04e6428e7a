"""Imports: mapping, encodings, bad rows, reconciliation, running twice."""

from types import SimpleNamespace

import msgspec
import pytest

from onefold.collect import imports
from onefold.collect.records import Code, Record
from onefold.model.errors import BadInput, NotFound
from onefold.model.money import Money
from onefold.model.time import parse_time
from onefold.store.log_sqlite import SqliteLog

NOW = 1_795_000_000_000_000
SPEND = """\
import: ads
table: spend
file: spend.csv
columns:
  spend_id: id
  account_id: account
  spend_date: day
  amount_micros: {from: amount, type: money, currency: {from: currency}}
"""
SPEND_CSV = """\
id,account,day,amount,currency
s1,acme,2026-11-01,10.10,eur
s2,acme,2026-11-02,0.05,EUR
s3,zeta,2026-11-02,7,USD
"""


@pytest.fixture
def place(tmp_path):
    log = SqliteLog(tmp_path / "log.sqlite")
    yield SimpleNamespace(log=log, clock=lambda: NOW, identity_key=bytes(32), folder=tmp_path)
    log.close()


def bring(place, mapping, content, *, name="spend.csv", **more):
    data = content if isinstance(content, bytes) else content.encode()
    (place.folder / name).write_bytes(data)
    path = place.folder / "mapping.yaml"
    path.write_text(mapping, encoding="utf-8")
    return imports.run(place, path, **more)


def rows(place):
    return [row for row in place.log.read(0) if row.dialect == "records"]


def records(place):
    return [
        (record, verdict)
        for row in rows(place)
        for record, verdict in zip(
            msgspec.json.decode(row.body, type=list[Record]), row.verdicts, strict=True
        )
    ]


def test_rows_become_records_and_the_sums_agree_to_the_cent(place):
    report = bring(place, SPEND, SPEND_CSV)
    assert report.rows == (
        ("spend", 3, 3, 0, 0, Money(10_150_000, "EUR"), Money(0, "EUR")),
        ("spend", 3, 3, 0, 0, Money(7_000_000, "USD"), Money(0, "USD")),
    )
    (row,) = rows(place)
    assert (row.source, row.dialect, row.route, row.received_time) == (
        "import:ads",
        "records",
        "import",
        NOW,
    )
    first, verdict = records(place)[0]
    assert verdict >> 4 == Code.ACCEPTED
    assert (first.entity, first.key, first.where) == ("spend", "s1", "spend.csv line 2")
    assert first.fields == {
        "account_id": "acme",
        "spend_date": "2026-11-01",
        "amount_micros": 10_100_000,
        "currency": "EUR",
        "kind": "ad_spend",
    }


def test_a_second_run_brings_the_same_messages(place):
    bring(place, SPEND, SPEND_CSV)
    once = {record.message_id for record, _ in records(place)}
    bring(place, SPEND, SPEND_CSV)
    assert {record.message_id for record, _ in records(place)} == once
    bring(place, SPEND, SPEND_CSV.replace("10.10", "10.11"))
    assert len({record.message_id for record, _ in records(place)}) == len(once) + 1


def test_a_dry_run_keeps_nothing_and_shows_the_first_rows(place):
    report = bring(place, SPEND, SPEND_CSV, dry_run=True)
    assert place.log.read(0) == []
    assert report.rows[0][:5] == ("spend", 3, 3, 0, 0)
    assert report.notes[0].startswith("Nothing was kept")
    assert "spend.csv line 2: key=s1" in report.notes[1]
    assert "amount=10.10" in report.notes[1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("s9,acme,2026-11-31,1,EUR", "`day` is not a day."),
        ("s9,acme,2026-11-30,much,EUR", "`amount` is not an amount."),
        ('s9,acme,2026-11-30,"1,5",EUR', "`amount` is not an amount."),
        ("s9,acme,2026-11-30,1,EURO", "`currency` is not a currency, such as EUR."),
        ("s9,,2026-11-30,1,EUR", "`account` is empty."),
        ("s9,acme,2026-11-30,1", "It has 4 cells where the head has 5."),
        ("s1,acme,2026-11-01,99,EUR", "Its key stands in line 2 already, with other values."),
    ],
)
def test_a_bad_row_waits_with_file_line_and_reason(place, line, reason):
    report = bring(place, SPEND, f"{SPEND_CSV}{line}\n")
    assert [row[1:5] for row in report.rows] == [(4, 3, 0, 1)] * len(report.rows)
    assert f"spend.csv line 5: {reason}" in report.notes
    record, verdict = records(place)[-1]
    assert verdict >> 4 == Code.SCHEMA
    assert record.reason == f"spend.csv line 5: {reason}"


def test_a_row_that_stands_in_the_file_twice_counts_once(place):
    report = bring(place, SPEND, f"{SPEND_CSV}s1,acme,2026-11-01,10.10,EUR\n")
    assert report.rows[0] == ("spend", 4, 3, 1, 0, Money(10_150_000, "EUR"), Money(0, "EUR"))


def test_the_log_says_what_a_run_brought_and_no_two_runs_share_a_time(place):
    bring(place, SPEND, f"{SPEND_CSV}s9,,2026-11-30,2.50,EUR\n")
    first = imports.latest(place.log)
    assert (first.file, first.entity, first.read, first.kept, first.waiting) == (
        "spend.csv",
        "spend",
        4,
        3,
        1,
    )
    assert first.done_time is not None
    bring(place, SPEND, SPEND_CSV)
    second = imports.latest(place.log)
    assert (first.run_time, second.run_time) == (NOW, NOW + 1)
    assert first.run != second.run


def test_the_sum_of_what_waits_is_told(place):
    report = bring(place, SPEND, SPEND_CSV + "s9,,2026-11-30,2.50,EUR\ns8,,2026-11-30,x,EUR\n")
    assert report.rows[0] == (
        "spend",
        5,
        3,
        0,
        2,
        Money(10_150_000, "EUR"),
        Money(2_500_000, "EUR"),
    )
    assert "Of 1 waiting rows the amount cannot be read." in report.notes


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        ("id,name\na1,Müller\n".encode(), "utf-8"),
        ("id,name\na1,Müller\n".encode("utf-8-sig"), "utf-8"),
        ("id,name\r\na1,Müller\r\n".encode("latin-1"), "latin-1"),
        ("id,name\na1,Müller\n".encode("utf-16"), "utf-8"),
    ],
)
def test_encodings(place, body, encoding):
    columns = "columns: {account_id: id, name: name}\n"
    mapping = f"table: accounts\nfile: a.csv\nencoding: {encoding}\n{columns}"
    bring(place, mapping, body, name="a.csv")
    assert records(place)[0][0].fields == {"name": "Müller"}


def test_a_wrong_encoding_is_told_with_its_line(place):
    mapping = "table: accounts\nfile: a.csv\ncolumns: {account_id: id, name: name}\n"
    with pytest.raises(BadInput, match=r"a\.csv, line 3: byte 0xFC is not utf-8") as caught:
        bring(place, mapping, "id,name\na1,Ma\na2,Müller\n".encode("latin-1"), name="a.csv")
    assert "latin-1" in caught.value.fix
    assert place.log.read(0) == []


def test_times_of_the_files_zone_and_of_other_forms(place):
    mapping = """\
table: tickets
file: t.csv
zone: Europe/Berlin
delimiter: ;
columns:
  ticket_id: id
  account_id: account
  subject: about
  opened_time: {from: opened, format: "%d.%m.%Y %H:%M"}
  closed_time: closed
  waits_on: waits
"""
    content = (
        "id;account;about;opened;closed;waits\n"
        "1;acme;Tag; 01.07.2026 10:00;2026-07-02T10:00:00Z;\n"
        "2;acme;Tag;01.12.2026 10:00;;US\n"
        "3;acme;Tag;01.12.2026 10:00;2026-07-02;us\n"
        "4;acme;Tag;01.12.2026 10:00;;nobody\n"
    )
    bring(place, mapping, content, name="t.csv")
    first, second, third, fourth = (record for record, _ in records(place))
    assert first.fields["opened_time"] == parse_time("2026-07-01T08:00:00Z")
    assert (first.fields["status"], first.fields["waits_on"]) == ("closed", "none")
    assert second.fields["opened_time"] == parse_time("2026-12-01T09:00:00Z")
    assert (second.fields["status"], second.fields["waits_on"]) == ("open", "us")
    assert third.reason == "t.csv line 4: It is closed before it is opened."
    assert fourth.reason == "t.csv line 5: `waits_on` is not one of us, customer, none."


def test_amounts_of_other_countries(place):
    mapping = SPEND.replace("type: money,", 'decimal: ",", thousands: ".",').replace(
        "{from: currency}", "{value: eur}"
    )
    report = bring(place, mapping, 'id,account,day,amount\ns1,acme,2026-11-01,"1.234,56"\n')
    assert report.rows[0][5] == Money(1_234_560_000, "EUR")


def test_rows_without_key_are_named_by_their_content(place):
    mapping = SPEND.replace("  spend_id: id\n", "")
    content = (
        "account,day,amount,currency\n" + "acme,2026-11-01,1,EUR\n" * 2 + "acme,2026-11-01,2,EUR\n"
    )
    bring(place, mapping, content)
    keys = [record.key for record, _ in records(place)]
    assert len(set(keys)) == 3
    bring(place, mapping, content)
    assert [record.key for record, _ in records(place)] == keys * 2


def test_json_lines_and_free_properties(place):
    mapping = """\
table: accounts
file: a.jsonl
columns: {account_id: id, name: name, created_time: since, properties.tier: tier}
"""
    content = '{"id": 7, "name": "Acme", "since": "2026-01-01", "tier": 2}\nnothing\n\n{"id": 8}\n'
    report = bring(place, mapping, content, name="a.jsonl")
    assert report.rows == (("accounts", 3, 2, 0, 1),)
    first = records(place)[0][0]
    assert (first.key, first.fields["properties"]) == ("7", {"tier": "2"})
    assert "a.jsonl line 2: It is not a JSON object." in report.notes


@pytest.mark.parametrize(
    ("mapping", "word"),
    [
        ("table: accouns\nfile: spend.csv\n", "Did you mean `accounts`?"),
        (SPEND.replace("spend_date: day", "spend_dat: day"), "Did you mean `spend_date`?"),
        (SPEND.replace("  account_id: account\n", ""), "needs `account_id`"),
        (SPEND.replace("spend_date: day", "spend_date: {type: date}"), "needs `from` or `value`"),
        (SPEND.replace("type: money", "type: integer"), "is money, not integer"),
        (SPEND.replace(", currency: {from: currency}", ""), "`currency` is missing"),
        (SPEND + "zone: Mars\n", "time zone"),
        (SPEND.replace("file: spend.csv", "file: other.csv"), "no file other.csv"),
        (SPEND.replace("spend_date: day", "spend_date: dy"), "has no column `dy`"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_told(place, mapping, word):
    with pytest.raises(BadInput) as caught:
        bring(place, mapping, SPEND_CSV)
    assert word in str(caught.value)
    assert place.log.read(0) == []


def test_a_mapping_that_is_not_there(place):
    with pytest.raises(NotFound):
        imports.run(place, place.folder / "none.yaml")


def test_broken_quotes_are_told_with_their_line(place):
    with pytest.raises(BadInput, match=r"spend\.csv, line 2"):
        bring(place, SPEND, 'id,account,day,amount,currency\ns1,"ac"me,x\n')


def test_many_rows_are_grouped_and_progress_is_told(place):
    told = []
    body = "id,account,day,amount,currency\n" + "".join(
        f"s{n},acme,2026-11-01,0.01,EUR\n" for n in range(1_234)
    )
    report = bring(place, SPEND, body, progress=lambda *said: told.append(said))
    assert report.rows[0][5] == Money(12_340_000, "EUR")
    assert [len(row.verdicts) for row in rows(place)] == [500, 500, 234]
    assert told[-1][1] == 1_234
