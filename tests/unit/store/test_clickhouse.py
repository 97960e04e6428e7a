"""Facts in ClickHouse, by its own engine in this process: kept whole, and equal to DuckDB's."""

import shutil
from datetime import UTC, datetime
from uuid import uuid4

import pyarrow as pa
import pytest

from click_http import served
from market_worlds import END, open_world
from onefold.model.errors import BadInput, MachineFailed
from onefold.runtime import Workspace, checksum
from onefold.runtime.rebuilding import migrate
from onefold.store import facts_clickhouse as module
from onefold.store.click_server import Server, place_of
from onefold.store.facts_clickhouse import ClickFacts
from same_answers import ask, difference, questions
from worlds import AGREED, World, iso, track


def memory():
    """Return the URL of a database of its own."""
    return f"chdb:///:memory:?database=t{uuid4().hex[:12]}"


@pytest.fixture
def facts():
    made = ClickFacts(memory(), "gen-1")
    made.create({"p_price": "float64"})
    yield made
    made.close()


def edges(*rows):
    """Return rows of `memberships`: identifier, account."""
    return pa.table(
        {
            "identifier": pa.array([row[0] for row in rows], pa.int64()),
            "account_id": pa.array([row[1] for row in rows], pa.string()),
            "from_time": pa.array([1_767_225_600_000_000] * len(rows), pa.timestamp("us")),
        }
    )


def accounts(facts):
    table = facts.tables()["memberships"]
    found = facts.ask(table.select("identifier", "account_id")).to_pylist()
    return sorted((row["identifier"], row["account_id"]) for row in found)


def test_what_a_transaction_writes_is_seen_after_it_and_by_itself(facts):
    with facts.transaction() as writer:
        writer.insert("memberships", edges((1, "a"), (2, "b")))
        assert accounts(facts) == []
        mine = writer.matching("memberships", edges((2, "")), ["identifier"])
        assert mine["account_id"].to_pylist() == ["b"]
    assert accounts(facts) == [(1, "a"), (2, "b")]


def test_what_a_transaction_takes_away_is_seen_until_it_ends(facts):
    with facts.transaction() as writer:
        writer.insert("memberships", edges((1, "a"), (2, "b")))
    with facts.transaction() as writer:
        writer.delete("memberships", edges((1, "")), ["identifier"])
        writer.insert("memberships", edges((1, "c")))
        assert accounts(facts) == [(1, "a"), (2, "b")]
        assert writer.distinct("memberships", "account_id") in (["b", "c"], ["c", "b"])
    assert accounts(facts) == [(1, "c"), (2, "b")]


def failing(facts):
    with facts.transaction() as writer:
        writer.delete("memberships", edges((1, "")), ["identifier"])
        writer.insert("memberships", edges((9, "z")))
        raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_nothing(facts):
    with facts.transaction() as writer:
        writer.insert("memberships", edges((1, "a")))
    with pytest.raises(ZeroDivisionError):
        failing(facts)
    assert accounts(facts) == [(1, "a")]
    with facts.transaction() as writer:
        writer.insert("memberships", edges((2, "b")))
    assert accounts(facts) == [(1, "a"), (2, "b")]


def among(tables):
    """Return what stands in `memberships` of the accounts that are staged."""
    held = tables["memberships"]
    return held.semi_join(tables["staged"], "account_id").select("identifier")


def test_a_question_within_a_transaction_sees_what_it_wrote(facts):
    staged = pa.table({"account_id": pa.array(["a", "c"], pa.string())})
    with facts.transaction() as writer:
        writer.insert("memberships", edges((1, "a"), (2, "b")))
        assert writer.asked(among, staged)["identifier"].to_pylist() == [1]
        writer.delete("memberships", edges((1, "")), ["identifier"])
        assert writer.asked(among, staged).num_rows == 0


def test_what_was_deleted_goes_for_good_once_it_is_much(facts, monkeypatch):
    monkeypatch.setattr(module, "GONE_MOST", 2)
    with facts.transaction() as writer:
        writer.insert("memberships", edges(*((n, "a") for n in range(5))))
    with facts.transaction() as writer:
        writer.delete("memberships", edges(*((n, "") for n in range(4))), ["identifier"])
    assert accounts(facts) == [(4, "a")]
    assert facts._held.gone == {}
    left = facts._server.rows(f"SELECT count() FROM {facts._held.named('memberships')}")
    assert left == [(1,)]


def test_texts_that_look_like_statements_stay_texts(facts):
    hostile = "'; DROP TABLE x; -- {bound:UInt64} %(a)s \\ \x00 é"
    with facts.transaction() as writer:
        writer.insert("memberships", edges((1, hostile)))
    table = facts.tables()["memberships"]
    found = facts.ask(table.filter(table.account_id == hostile))
    assert found["account_id"].to_pylist() == [hostile]


def test_times_and_days_far_away_come_back_as_they_were(facts):
    told = (datetime(1969, 7, 20, 20, 17, 40, 123456, UTC), datetime(2150, 1, 1, tzinfo=UTC))
    times = [*(moment.replace(tzinfo=None) for moment in told), None]
    rows = pa.table({"account_id": ["a", "b", "c"], "created_time": times})
    with facts.transaction() as writer:
        writer.insert("accounts", rows)
    table = facts.tables()["accounts"]
    told = facts.ask(table.select("account_id", "created_time", day=table.created_time.date()))
    assert sorted(told.to_pylist(), key=lambda row: row["account_id"]) == [
        {"account_id": a, "created_time": t, "day": t and t.date()}
        for a, t in zip("abc", times, strict=True)
    ]


def test_two_generations_stand_beside_each_other():
    url = memory()
    first, second = ClickFacts(url, "gen-1"), ClickFacts(url, "gen-2")
    first.create({})
    second.create({})
    with first.transaction() as writer:
        writer.insert("memberships", edges((1, "a")))
    assert accounts(second) == []
    second.drop()
    assert accounts(first) == [(1, "a")]


@pytest.mark.parametrize(
    "url",
    [
        "clickhouse://",
        "clickhouse://host:port/a",
        "clickhouse://host/a;b",
        "mysql://host/a",
        "chdb://?database=a",
    ],
)
def test_a_url_that_names_no_place_says_how_one_is_written(url):
    with pytest.raises(BadInput) as refused:
        place_of(url)
    assert "//" in refused.value.fix


def test_a_server_that_does_not_answer_is_named_without_its_password():
    with pytest.raises(MachineFailed) as failed:
        ClickFacts("clickhouse://ann:verysecret@127.0.0.1:1/a", "gen-1")
    told = f"{failed.value.message} {failed.value.fix}"
    assert "127.0.0.1:1" in told
    assert "verysecret" not in told


class Killed(BaseException):
    """The process ends here."""


def dying(monkeypatch, at):
    """Let the write of that number, counted from now, end everything; 0 lets all happen."""
    counted = {"writes": 0}

    def through(name):
        real = getattr(Server, name)

        def told(self, *given, **named):
            counted["writes"] += 1
            if counted["writes"] == at:
                raise Killed
            return real(self, *given, **named)

        monkeypatch.setattr(Server, name, told)

    through("insert")
    through("run")
    return counted


def tried(world, monkeypatch, at):
    """Fold one step and die at a write; return whether it got through before that."""
    with monkeypatch.context() as patched:
        counted = dying(patched, at)
        try:
            world.workspace.step()
        except Killed:
            return False
    return counted["writes"] < at


def busy(world):
    """Send what makes folds write, move and take away rows."""
    for day in range(2):
        at = day * 7_200
        for who in range(2):
            world.send(
                track("pin_viewed", id=f"v{day}-{who}", user=f"p{who}", at=at, price=who / 3),
                track("pin_viewed", id=f"w{day}-{who}", user=f"p{who}", at=at + 60),
            )
        world.send(
            {
                "type": "identify",
                "messageId": f"i{day}",
                "userId": f"p{day}",
                "anonymousId": "one-device",
                "traits": {"email": "ann@example.com"},
                "timestamp": iso(at),
                "context": AGREED,
            }
        )
        world.send(track("pin_viewed", id="v0-0", user="p0", price=0.0))


def test_a_fold_that_dies_between_any_two_writes_ends_as_if_it_had_not(tmp_path, monkeypatch):
    whole = World(tmp_path / "whole")
    busy(whole)
    whole.fold()
    broken, url = World(tmp_path / "broken"), memory()
    # The engine in memory ends with its last client.
    stays = Server(place_of(url))
    migrate(broken.workspace, url)
    busy(broken)
    died = 0
    while broken.workspace.facts_offset < broken.workspace.log.last_offset():
        at = 1
        while not tried(broken, monkeypatch, at):
            broken.workspace.close()
            broken.open()
            at, died = at + 1, died + 1
    assert died > 20
    assert checksum(broken.workspace).rows == checksum(whole.workspace).rows
    whole.close()
    broken.close()
    stays.close()


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    folder = tmp_path_factory.mktemp("market") / "world"
    workspace, _ = open_world(7, folder)
    workspace.close()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.long
def test_every_question_has_the_same_answer_in_both_engines(market):
    workspace = Workspace(market, clock=lambda: END)
    asked = questions(workspace)
    first = [ask(workspace, name, params) for name, params in asked]
    heard = []
    migrate(workspace, memory(), lambda *told: heard.append(told))
    apart = {
        f"{name} {params}": found
        for (name, params), former in zip(asked, first, strict=True)
        if (found := difference(former, ask(workspace, name, params)))
    }
    assert apart == {}
    assert heard
    assert heard[-1][1] == heard[-1][2]
    migrate(workspace, "")
    back = [ask(workspace, *one) for one in asked[:3]]
    assert [difference(*pair) for pair in zip(first, back, strict=False)] == ["", "", ""]
    workspace.close()


def test_a_server_is_spoken_to_over_http(tmp_path):
    with served() as (place, asked):
        url = f"clickhouse://ann:secret@{place}/over_http"
        world = World(tmp_path / "world")
        busy(world)
        world.fold()
        before = checksum(world.workspace).rows
        migrate(world.workspace, url)
        assert checksum(world.workspace).rows == before
        assert (tmp_path / "world" / "onefold.toml").stat().st_mode & 0o077 == 0
        world.send(track("pin_viewed", id="later", user="p0", at=99_999))
        world.fold()
        assert len(world.raw("events")) == {n: r for n, r, _ in before}["events"] + 1
        world.close()
        assert {"max_execution_time", "query_id"} <= set().union(*asked)
