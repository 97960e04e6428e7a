"""The SQL door: what it answers, whom it answers, and everything that must not come through it."""

import json
import threading
import time
from datetime import datetime

import pytest

import onefold.runtime.sql_reading as reading
from guarded_worlds import HIDDEN, SHOWN, guarded, named
from onefold.model.errors import (
    BadInput,
    Conflict,
    NotAllowed,
    NotFound,
    OnefoldError,
    TooMany,
)
from onefold.model.records import OWNER, Asker
from onefold.runtime import call
from onefold.runtime.sql_under_way import MOST, UnderWay
from sql_examples import EXAMPLES, whole
from worlds import START, World, track

pytestmark = pytest.mark.long

DAY = 86_400
NOW = datetime(2026, 11, 1)  # noqa: DTZ001 - as the facts keep times
ENDLESS = "select count(*) from events a, events b, events c, events d, events e where {}"
SLOW = ENDLESS.format("a.place + b.place + c.place + d.place + e.place = 1000")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("sql") / "w")
    for person in range(30):
        for hour, event in enumerate(("seen", "opened", "paid")):
            found.send(
                track(event, id=f"{person}-{hour}", user=f"u{person}", at=hour * 60, price=hour)
            )
    found.clock.now += DAY * 1_000_000
    found.send(track("seen", id="late", user="u1", at=DAY))
    found.fold()
    yield found
    found.close()


def asked(world, text, asker=OWNER, **more):
    return call(world.workspace, asker, "sql", {"query": text, **more}).body


def rows(world, text, **more):
    return asked(world, text, **more)["rows"]


def test_it_answers_with_types_terms_and_its_query(world):
    body = asked(
        world,
        "select event, count(*) as n, count(distinct person_id) as people, "
        "max(event_time) as latest, max(event_time)::date as day, avg(place) "
        "from person_events group by event order by n desc, event limit 2",
    )
    kinds = {column["name"]: column["type"] for column in body["columns"]}
    assert kinds == {
        "event": "text",
        "n": "integer",
        "people": "integer",
        "latest": "time",
        "day": "date",
        "avg(place)": "number",
    }
    late = "2025-10-10T08:53:20Z"
    assert body["rows"][0] == ["seen", 31, 30, late, late[:10], 0.0]
    assert body["excluded_by_consent"] == 0
    assert "person_events, for analytics, of production" in body["definition"]
    assert body["query"].startswith('WITH "v:person_events" AS (')


def test_the_time_of_asking_is_that_of_the_view(world):
    asked_ = "select now(), current_timestamp, current_date, count(*) from events"
    assert rows(world, asked_) == [["2025-10-10T08:53:20Z"] * 2 + ["2025-10-10", 91]]
    before = rows(world, asked_, as_of="2025-10-09")
    assert before == [["2025-10-09T23:59:59Z"] * 2 + ["2025-10-09", 90]]
    assert rows(world, asked_, as_of="2025-10-09T08:53:20Z")[0][3] == 30
    for wrong in ("2026-01-01", "soon", "2026-01-01T00:00:00Z"):
        with pytest.raises(BadInput):
            asked(world, "select 1", as_of=wrong)


def test_purpose_environment_and_consent_are_terms_of_it(world):
    assert rows(world, "select count(*) from events", environment="staging") == [[0]]
    with pytest.raises(NotFound, match="purpose"):
        asked(world, "select 1", purpose="nothing")


def test_whom_consent_leaves_out_is_in_no_answer_and_counted(tmp_path):
    world = World(tmp_path / "w")
    try:
        for person in ("ann", "bob"):
            world.send(track(f"did_{person}", id=person, user=person, secret=f"{person}'s"))
        world.fold()
        call(world.workspace, OWNER, "consent withdraw", {"id": "user_id:bob"})
        body = asked(world, "select event, properties from events")
        assert [row[0] for row in body["rows"]] == ["did_ann"]
        assert body["excluded_by_consent"] == 1
        # Neither a WITH of the name that the consent term reads, nor an error, brings them back.
        shadow = "with consents as (select 1 as key), identifiers_ as (select 2) {}"
        assert rows(world, shadow.format("select count(*) from events, consents")) == [[1]]
        assert rows(world, "select sum(length(properties)) from events")[0][0] < 40
        with pytest.raises(BadInput, match="ann") as failed:
            asked(world, "select * from events where cast(event as int) > 0")
        assert "bob" not in failed.value.message
        quiet = (
            "select count(*) from events where case when event = 'did_bob' then {} else 1 end > 0"
        )
        for one in ("sqrt(-1)", "cast(event as int)", "9223372036854775807 + length(event)"):
            assert rows(world, quiet.format(one)) == [[1]]
    finally:
        world.close()


@pytest.mark.parametrize("role", ["viewer", "marketer"])
def test_policies_and_roles_hold(two_accounts, role):
    found = two_accounts
    asker = Asker(named(role), role)
    if role == "viewer":
        with pytest.raises(NotAllowed, match="see persons"):
            asked(found, "select 1", asker)
        return
    every = call(found.workspace, asker, "sql tables", {}).body["rows"]
    names = sorted({name for name, _, _ in every})
    assert {"events", "accounts", "contacts", "orders"} <= set(names)
    told = {name: json.dumps(asked(found, f"select * from {name}", asker)) for name in names}
    assert [name for name, text in told.items() if HIDDEN in text] == []
    assert SHOWN in told["events"]
    assert SHOWN in told["accounts"]
    assert "Policies let you see some rows alone" in told["events"]
    with pytest.raises(BadInput) as failed:
        asked(found, "select cast(account_id as int) from events", asker)
    assert HIDDEN not in failed.value.message


@pytest.fixture(scope="module")
def two_accounts(tmp_path_factory):
    found = guarded(tmp_path_factory.mktemp("sql-guarded") / "w")
    yield found
    found.close()


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_may_be_written_is_answered(world, example):
    assert asked(world, whole(example))["columns"]


@pytest.mark.parametrize(
    "text",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        'select * from "/etc/passwd"',
        "select * from 'https://example.com/x.parquet'",
        "select * from glob('*')",
        "select read_text('/etc/passwd')",
        "select * from range(10)",
        "select * from generate_series(1, 2)",
        "select * from duckdb_settings()",
        "select * from duckdb_tables",
        "select * from duckdb_secrets()",
        "select * from pragma_table_info('events')",
        "select * from information_schema.tables",
        "select * from pg_catalog.pg_tables",
        "select * from sqlite_master",
        "select * from main.events",
        'select * from "main"."events"',
        "select * from facts.main.events",
        "select main.events.event from events",
        "select * from query('select 1')",
        "select * from query_table('events')",
        "select * from json_execute_serialized_sql('x')",
        "select getenv('HOME'), 1",
        "select getvariable('x')",
        "select current_setting('home_directory')",
        "select \"getenv\"('HOME')",
        "select system.main.getenv('HOME')",
        "select 'x'.getenv()",
        "select sniff_csv('x')",
        "select nextval('x')",
        "select random()",
        "select error('x')",
        "select sleep_ms(9)",
        "select write_log('x')",
        "select repeat('x', 1000000000)",
        "select lpad('x', 1000000000, 'y')",
        "select event from progress",
        "select * from marked",
        "select * from consents",
        "select * from account_heads",
        'select * from "v:events"',
        'select * from "q:x"',
        "with events as (select 1) select * from events",
        "with EVENTS as (select 1) select * from events",
        "with x as (select 1), x as (select 2) select * from x",
        "with recursive x as (select 1 as n union all select n + 1 from x) select * from x",
        "with recursive x as (select 1) select * from x",
        "select * from events, lateral (select 1)",
        "select unnest([1, 2])",
        "select * from unnest([1, 2])",
        "select {'a': 1}",
        "select struct_pack(a := 1)",
        "select list_transform([1], x -> x)",
        "select [x for x in [1]]",
        "select columns('.*') from events",
        "select columns(*) from events",
        "select * replace (1 as event) from events",
        "select * from events positional join sessions",
        "select * from events asof join sessions using (identifier)",
        "select * from events tablesample 10%",
        "select * from events using sample 10",
        "pivot events on event",
        "select * from (pivot events on event)",
        "select event from events group by cube (event, place)",
        "select event from events group by rollup (event)",
        "select event from events group by grouping sets ((event), ())",
        "select * from (values (1)) as v(x)",
        "values (1)",
        "select ?",
        "select $1",
        "select :x",
        "select 1; drop table events",
        "select 1; select 2",
        "drop table events",
        "delete from events",
        "insert into events values (1)",
        "update events set event = 'x'",
        "create table x as select 1",
        "create view x as select 1",
        "create macro x() as 1",
        "attach 'x' as y",
        "copy events to 'x'",
        "copy (select 1) to 'x'",
        "export database 'x'",
        "import database 'x'",
        "install httpfs",
        "load httpfs",
        "set memory_limit = '1TB'",
        "reset all",
        "pragma database_list",
        "call duckdb_settings()",
        "explain select 1",
        "explain analyze select 1",
        "describe events",
        "show tables",
        "summarize events",
        "use main",
        "begin",
        "checkpoint",
        "vacuum",
        "prepare x as select 1",
        "execute x",
        "select 1 into x",
        "select * from events for update",
        "from events select event limit 10%",
        "select properties ->> '$.\"x''\"' from events",
        "select 1 /* */ from read_csv(/* x */ 'y')",
        "select 1 -- \n from duckdb_tables()",
        "select cast(1 as uuid)",
        "select cast(1 as int[])",
        "select 1::mytype",
        "select replace(event, 'e', properties) from events",
        "select replace(event, 'e', '" + "x" * 40 + "') from events",
        "select " + " || ".join(["properties"] * 60) + " from events",
        "select " + "(" * 60 + "1" + ")" * 60,
        "select " + "not " * 3_000 + "true",
        "select " + "- " * 1_500 + "1",
        "select " + "case when " * 200 + "true" + " then 1 end" * 200,
        "select " + "abs(" * 80 + "1" + ")" * 80,
        "select " + " + ".join(["1"] * 2_500),
        "select '" + "x" * 20_000 + "'",
        "select 1 where " + "1 in (select 1 where " * 30 + "true" + ")" * 30,
        "with a as (select 1 as n)"
        + "".join(
            f", {b} as (select x.n from {a} x, {a} y)"
            for a, b in zip("abcdefghi", "bcdefghij", strict=True)
        )
        + " select * from j",
        "select 1 from " + ", ".join(f"events e{n}" for n in range(60)),
        "select \0 1",
        "",
        "  -- nothing",
        ";",
        "select",
        "select from where",
        "hello",
        "select 'open",
        "select * from (select 1",
        "\ud7ff\u202e",
    ],
)
def test_what_may_not_be_asked_is_refused_in_words(world, known, text):
    begun_ = time.monotonic()
    with pytest.raises((BadInput, NotFound)) as refused:
        reading.read(text, known, now=NOW, today=NOW.date())
    assert refused.value.message
    assert refused.value.fix
    assert "\n" not in refused.value.message
    assert time.monotonic() - begun_ < 3


@pytest.mark.parametrize(
    "text",
    [
        "with x as (with consents as (select 1) select 2) select * from consents",
        "with x as (with duckdb_tables as (select 1) select 2) select * from duckdb_tables",
        "select nothing from events",
        "select event from events group by place",
        "select e.event from events e, events e",
        "select date_trunc('soon', event_time) from events",
        "select regexp_matches(event, '(') from events",
        "select 1 order by 9",
        "with x as (select * from x) select * from x",
        "select event from events union select 1, 2",
        "select sum(sum(place)) from events",
        "select (select event from events)",
    ],
)
def test_what_the_engine_refuses_is_told_in_its_words(world, text):
    with pytest.raises(BadInput) as refused:
        asked(world, text)
    assert "\n" not in refused.value.message
    assert "q:" not in refused.value.message


@pytest.fixture(scope="module")
def known(world):
    every = call(world.workspace, OWNER, "sql tables", {}).body["rows"]
    return frozenset(name for name, _, _ in every)


def test_names_are_taken_as_they_are_meant(world):
    text = 'with "a b" as (select "EVENT" as "q:x" from EVENTS) select "q:x" from "A B" limit 1'
    assert len(rows(world, text)) == 1
    hostile = "it''s; drop table events -- \" /* "
    assert rows(world, f'select \'{hostile}\' as "x""; --"') == [[hostile.replace("''", "'")]]
    assert rows(world, "select count(*) from events as consents") == [[91]]
    assert rows(world, "with consents as (select 1 as key) select key from consents") == [[1]]
    nested = "select (with inner_ as (select 2 as n) select n from inner_), n from (select 3 as n)"
    assert rows(world, nested) == [[2, 3]]
    lateral = (
        "select count(*) from events e where exists "
        "(select 1 from sessions s where s.identifier = e.identifier)"
    )
    assert rows(world, lateral) == [[91]]


def test_odd_values_are_plain_json(world):
    odd = (
        "select 'nan'::double, 'inf'::double, 170141183460469231731687303715884105727, "
        "date '0001-01-01' - interval '3000 years', interval '3 days', 0.1::decimal(5, 2), true, "
        "null, chr_ from (select 'x' as chr_) as t"
    )
    body = asked(world, odd)
    assert body["rows"][0][:2] == [None, None]
    assert body["rows"][0][2] == "170141183460469231731687303715884105727"
    assert body["rows"][0][5:] == [0.1, True, None, "x"]
    assert json.loads(json.dumps(body)) == body


def test_rows_are_cut_and_said_to_be(world):
    body = asked(world, "select event from events", rows=5)
    assert len(body["rows"]) == 5
    assert "Only the first 5 rows are told; there are more." in body["notes"]
    for text in ("select event from events limit 5", "select 1 union all select 2"):
        assert not asked(world, text, rows=5)["notes"]
    assert len(rows(world, "select 1 as n union all select 2 order by n desc", rows=1)) == 1
    for wrong in (0, -1, 10**7, "many"):
        with pytest.raises(BadInput):
            asked(world, "select 1", rows=wrong)


def test_a_long_question_is_ended_in_time(world):
    begun = time.monotonic()
    with pytest.raises(BadInput, match="ended after 1 second"):
        asked(world, SLOW, seconds=1)
    assert time.monotonic() - begun < 4
    assert not call(world.workspace, OWNER, "sql running", {}).body["rows"]


def test_a_large_answer_and_a_large_question_are_ended(world, monkeypatch):
    from onefold.store import planes

    small = planes.Limits(memory_bytes=30_000_000, answer_bytes=1_000)
    monkeypatch.setattr(planes, "Limits", lambda **_: small)
    with pytest.raises(BadInput, match="answer is over"):
        asked(world, "select properties, event from events")
    grows = (
        "select count(*) from (select distinct a.message_hi * 1.0 + b.message_lo as x, c.place, "
        "a.place as y, b.event as z, c.message_lo as w from events a, events b, events c)"
    )
    with pytest.raises(BadInput, match="of memory"):
        asked(world, grows)


def begun(world, name, asker=OWNER):
    """Ask the slow question in a thread; return what it ends with once it runs."""
    said = []

    def run():
        try:
            asked(world, SLOW, asker, name=name, seconds=60)
        except OnefoldError as error:
            said.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while name not in [one.id for one in world.workspace.sql_under_way.of(OWNER)]:
        assert thread.is_alive()
    return thread, said


def test_a_question_is_cancelled_by_who_asked_or_an_owner_alone(world):
    ines, tom = Asker("Ines", "analyst"), Asker("Tom", "analyst")
    thread, said = begun(world, "mine", ines)
    listed = call(world.workspace, ines, "sql running", {}).body["rows"]
    assert [(row[0], row[1]) for row in listed] == [("mine", "Ines")]
    assert not call(world.workspace, tom, "sql running", {}).body["rows"]
    with pytest.raises(NotFound):
        call(world.workspace, tom, "sql cancel", {"name": "mine"})
    with pytest.raises(Conflict, match="runs already"):
        asked(world, "select 1", ines, name="mine")
    assert call(world.workspace, OWNER, "sql cancel", {"name": "mine"}).body["cancelled"]
    thread.join(10)
    assert isinstance(said[0], Conflict)
    assert "cancelled" in said[0].message
    assert rows(world, "select 1", name="mine") == [[1]]


def test_only_so_many_run_at_once_and_others_are_told_when(world):
    running = [begun(world, f"n{place}") for place in range(MOST)]
    with pytest.raises(TooMany, match="run already"):
        asked(world, "select 1")
    for place in range(MOST):
        call(world.workspace, OWNER, "sql cancel", {"name": f"n{place}"})
    for thread, said in running:
        thread.join(10)
        assert isinstance(said[0], Conflict)
    assert rows(world, "select 1") == [[1]]


def test_all_are_ended_when_the_workspace_closes():
    under_way = UnderWay()
    with under_way.running("x", OWNER, "select 1", now=START) as one:
        under_way.cancel_all()
        assert one.stop.is_set()
    assert under_way.of(OWNER) == ()


def test_every_function_that_is_listed_is_among_the_examples(world):
    listed = [row[0] for row in call(world.workspace, OWNER, "sql functions", {}).body["rows"]]
    assert {"count", "date_trunc", "median"} <= set(listed)
    from sqlglot import parse_one

    written = {
        type(node).__name__
        for each in EXAMPLES
        for node in parse_one(whole(each), dialect="duckdb").walk()
    }
    assert written | {"Anonymous"} >= reading._FUNCTIONS | reading._OPERATORS
