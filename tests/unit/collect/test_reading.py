"""Where records come from: Parquet, databases, sources of dlt; each judged as a file is."""

import json
import sqlite3
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import msgspec
import psycopg
import pyarrow as pa
import pymysql
import pytest
from pyarrow import parquet

from mysql import Mysql
from onefold.collect import imports
from onefold.collect.records import Record
from onefold.model.errors import BadInput, MachineFailed
from onefold.model.money import Money
from onefold.model.time import parse_time
from onefold.store.log_sqlite import SqliteLog
from postgres import Postgres

pytestmark = pytest.mark.long

NOW = 1_795_000_000_000_000
COLUMNS = """\
columns:
  spend_id: id
  account_id: account
  spend_date: day
  amount_micros: {from: amount, currency: {value: EUR}}
"""
ROWS = [
    {"id": "s1", "account": "acme", "day": date(2026, 11, 1), "amount": Decimal("10.10")},
    {"id": "s2", "account": "zeta", "day": date(2026, 11, 2), "amount": Decimal("0.05")},
    {"id": "s3", "account": None, "day": date(2026, 11, 2), "amount": Decimal("1.00")},
]


@pytest.fixture
def place(tmp_path):
    log = SqliteLog(tmp_path / "log.sqlite")
    yield SimpleNamespace(log=log, clock=lambda: NOW, identity_key=bytes(32), folder=tmp_path)
    log.close()


def bring(place, mapping, **more):
    path = place.folder / "mapping.yaml"
    path.write_text(mapping, encoding="utf-8")
    return imports.run(place, path, **more)


def records(place):
    return [
        record
        for row in place.log.read(0)
        if row.dialect == "records"
        for record in msgspec.json.decode(row.body, type=list[Record])
    ]


def plain(rows):
    """Return rows as JSON has them."""
    return [
        {name: str(value) if value is not None else None for name, value in row.items()}
        for row in rows
    ]


def database(folder):
    path = folder / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE invoices (id TEXT, account TEXT, day DATE, amount TEXT)")
        connection.executemany(
            "INSERT INTO invoices VALUES (?, ?, ?, ?)", [tuple(r.values()) for r in plain(ROWS)]
        )
    connection.close()
    return path


def check(place, report, unit, *, last=False):
    assert report.rows == (
        ("spend", 3, 2, 0, 1, Money(10_150_000, "EUR"), Money(1_000_000, "EUR")),
    )
    first, second, third = records(place)[-3:] if last else records(place)
    assert (first.key, first.fields["spend_date"]) == ("s1", "2026-11-01")
    assert second.fields["amount_micros"] == 50_000
    assert third.reason == f"{unit} 3: `account` is empty."


def test_parquet(place):
    parquet.write_table(pa.Table.from_pylist(ROWS), place.folder / "spend.parquet")
    told = []
    report = bring(
        place,
        f"table: spend\nfile: spend.parquet\n{COLUMNS}",
        progress=lambda *said: told.append(said),
    )
    check(place, report, "spend.parquet row")
    assert told[-1] == ("Reading spend.parquet", 3, 3)


def test_times_that_come_as_times_need_no_format(place):
    rows = [
        {
            "id": "t1",
            "account": "acme",
            "opened": datetime(2026, 7, 1, 10, tzinfo=UTC),
            "closed": date(2026, 7, 3),
        }
    ]
    parquet.write_table(pa.Table.from_pylist(rows), place.folder / "t.parquet")
    mapping = """\
table: tickets
file: t.parquet
zone: Europe/Berlin
columns:
  ticket_id: id
  account_id: account
  opened_time: {from: opened, format: "%d.%m.%Y"}
  closed_time: closed
"""
    bring(place, mapping)
    (record,) = records(place)
    assert record.fields["opened_time"] == parse_time("2026-07-01T10:00:00Z")
    assert record.fields["closed_time"] == parse_time("2026-07-02T22:00:00Z")


def test_a_file_that_is_no_parquet_is_told(place):
    (place.folder / "spend.parquet").write_text("id,account\n")
    with pytest.raises(BadInput, match="is no Parquet file"):
        bring(place, f"table: spend\nfile: spend.parquet\n{COLUMNS}")


@pytest.mark.parametrize("rows", ["rows_of: invoices", "query: SELECT * FROM invoices ORDER BY id"])
def test_a_table_or_a_query_of_a_database(place, rows):
    database(place.folder)
    report = bring(place, f"table: spend\ndatabase: sqlite:///shop.db\n{rows}\n{COLUMNS}")
    check(place, report, "invoices row" if "rows_of" in rows else "query row")


@pytest.fixture(scope="module")
def server():
    made = Postgres.start()
    yield made
    made.stop()


def test_a_table_of_postgresql_with_types_of_its_own(place, server):
    url = server.new_database()
    with psycopg.connect(url, autocommit=True) as line:
        line.execute("CREATE SCHEMA billing")
        kinds = "id text, account text, day date, amount numeric(12, 2)"
        line.execute(f"CREATE TABLE billing.invoices ({kinds})")
        for row in ROWS:
            given = tuple(row.values())
            line.execute("INSERT INTO billing.invoices VALUES (%s, %s, %s, %s)", given)
    mapping = f"table: spend\ndatabase: {url}\nrows_of: billing.invoices\n{COLUMNS}"
    check(place, bring(place, mapping), "billing.invoices row")


@pytest.fixture(scope="module")
def mysql():
    made = Mysql.start()
    yield made
    made.stop()


def test_a_table_of_mysql_with_types_of_its_own(place, mysql):
    name, url = mysql.new_database()
    with pymysql.connect(unix_socket=str(mysql.socket), user="root", database=name) as line:
        cursor = line.cursor()
        kinds = "id varchar(9), account varchar(9), day date, amount decimal(12, 2), said datetime"
        cursor.execute(f"CREATE TABLE invoices ({kinds})")
        for row in ROWS:
            given = (*row.values(), datetime.fromisoformat("2026-07-01 10:00"))
            cursor.execute("INSERT INTO invoices VALUES (%s, %s, %s, %s, %s)", given)
        line.commit()
    for rows in ("rows_of: invoices", "query: SELECT * FROM invoices ORDER BY id"):
        report = bring(place, f"table: spend\ndatabase: {url}\n{rows}\n{COLUMNS}")
        check(place, report, "invoices row" if "rows_of" in rows else "query row", last=True)
    mapping = (
        f"table: tickets\ndatabase: {url}\nrows_of: invoices\nzone: Europe/Berlin\n"
        "columns: {ticket_id: id, account_id: account, opened_time: said}\n"
    )
    bring(place, mapping)
    assert records(place)[-3].fields["opened_time"] == parse_time("2026-07-01T08:00:00Z")


def test_the_address_of_a_database_may_stand_in_a_variable(place, monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE", f"sqlite:///{database(place.folder)}")
    mapping = f"table: spend\ndatabase: {{env: SHOP_DATABASE}}\nrows_of: invoices\n{COLUMNS}"
    check(place, bring(place, mapping), "invoices row")
    monkeypatch.delenv("SHOP_DATABASE")
    with pytest.raises(BadInput, match="SHOP_DATABASE is not set"):
        bring(place, mapping)


@pytest.mark.parametrize(
    ("mapping", "word"),
    [
        ("database: sqlite:///shop.db\n", "needs `rows_of` or `query`"),
        ("database: sqlite:///shop.db\nrows_of: invoice\n", "has no table `invoice`"),
        ("database: sqlite:///shop.db\nquery: SELEC 1\n", "refuses the query"),
        ("database: sqlite:///shop.db\nquery: SELECT 1 AS one\n", "has no column `id`"),
        ("database: oracle://me:secret@there/x\nrows_of: t\n", "no driver for `oracle`"),
        ("database: nothing\nrows_of: t\n", "address of the database is none"),
        ("database: sqlite:///shop.db\nfile: a.csv\n", "cannot both be"),
        ("dlt: {source: os.system}\n", "is no source of dlt"),
        ("dlt: {source: dlt.sources.nothing.at_all}\n", "is not here"),
    ],
)
def test_a_source_that_cannot_be_read_is_told(place, mapping, word):
    database(place.folder)
    with pytest.raises(BadInput, match=word) as caught:
        bring(place, f"table: spend\n{mapping}{COLUMNS}")
    assert "secret" not in str(caught.value)
    assert records(place) == []


def test_a_database_that_does_not_answer_is_told_without_its_password(place):
    pytest.importorskip("pymysql")
    mapping = "table: spend\ndatabase: mysql://me:secret@127.0.0.1:1/x\nrows_of: t\n"
    with pytest.raises(MachineFailed, match=r"mysql\+pymysql://me:\*\*\*@") as caught:
        bring(place, mapping + COLUMNS)
    assert "secret" not in str(caught.value)


class _Api(BaseHTTPRequestHandler):
    """Two pages of invoices, the customer nested."""

    def do_GET(self) -> None:
        second = "page=2" in self.path
        found = [
            {
                "id": r["id"],
                "customer": {"id": r["account"]},
                "day": r["day"],
                "amount": r["amount"],
            }
            for r in plain(ROWS[2:] if second else ROWS[:2])
        ]
        page = {"invoices": found, "next": None if second else self.server.address + "?page=2"}
        body = json.dumps(page).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said) -> None:
        return


@pytest.fixture
def api():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Api) as server:
        server.address = f"http://127.0.0.1:{server.server_port}/invoices"
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.filterwarnings("ignore")
class TestDlt:
    """Three sources of dlt, as it ships them."""

    def test_a_rest_api_page_by_page(self, place, api):
        pytest.importorskip("dlt")
        mapping = f"""\
table: spend
dlt:
  source: dlt.sources.rest_api.rest_api_source
  resource: invoices
  with:
    config:
      client:
        base_url: http://127.0.0.1:{api.server_port}/
        paginator: {{type: json_link, next_url_path: next}}
      resources:
        - name: invoices
          endpoint: {{path: invoices, data_selector: invoices}}
{COLUMNS.replace("account_id: account", "account_id: customer.id")}"""
        report = bring(place, mapping)
        assert report.rows[0][:5] == ("spend", 3, 2, 0, 1)
        assert [record.fields.get("account_id") for record in records(place)][:2] == [
            "acme",
            "zeta",
        ]

    def test_a_database(self, place):
        pytest.importorskip("dlt")
        path = database(place.folder)
        mapping = f"""\
table: spend
dlt:
  source: dlt.sources.sql_database.sql_table
  with: {{credentials: "sqlite:///{path}", table: invoices}}
{COLUMNS}"""
        assert bring(place, mapping).rows[0][:5] == ("spend", 3, 2, 0, 1)

    def test_a_file_system(self, place):
        pytest.importorskip("dlt")
        text = "".join(json.dumps(row) + "\n" for row in plain(ROWS))
        (place.folder / "lake").mkdir()
        (place.folder / "lake" / "a.jsonl").write_text(text)
        mapping = f"""\
table: spend
dlt:
  source: dlt.sources.filesystem.readers
  resource: read_jsonl
  with: {{bucket_url: "file://{place.folder}/lake", file_glob: "*.jsonl"}}
{COLUMNS}"""
        assert bring(place, mapping).rows[0][:5] == ("spend", 3, 2, 0, 1)
