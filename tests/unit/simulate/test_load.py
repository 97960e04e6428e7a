"""History through the intake: the same rows beside this process as in it."""

import pytest

from onefold.collect import Source
from onefold.model.time import parse_time
from onefold.simulate import MarketPlan, load_history, make_market

END = parse_time("2026-11-22T09:13:20Z")
SOURCE = Source(name="app", write_key="wk", basis="opt-in")


@pytest.fixture(scope="module")
def market():
    return make_market(MarketPlan(end_time=END, people=120, days=40, seed=5))


def taken(market, **how):
    rows, told = [], []
    loaded = load_history(
        market,
        source=SOURCE,
        append=rows.extend,
        progress=lambda what, done, total: told.append((done, total)),
        **how,
    )
    return rows, told, loaded


@pytest.fixture(scope="module")
def here(market):
    return taken(market, aside=False)


def test_nothing_is_refused_and_only_dirt_waits(market, here):
    _, _, loaded = here
    assert loaded.refused == 0
    assert loaded.events == len(market.sent.place)
    assert loaded.accepted + loaded.waiting == loaded.events
    assert 0 < loaded.waiting <= market.counts["broken"] + 2


def test_rows_carry_the_time_of_their_day(market, here):
    rows, _, loaded = here
    times = [row.received_time for row in rows]
    assert len(rows) == loaded.requests
    assert times == sorted(times)
    assert times[0] < END - 38 * 86_400_000_000
    assert times[-1] <= END


def test_progress_ends_at_the_whole(here):
    _, told, _ = here
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_who_refuses_leaves_no_identifier_in_the_log(market, here):
    rows, _, _ = here
    people = market.people
    bodies = b"".join(row.body for row in rows)
    refused = [n for n, granted in enumerate(people.analytics.tolist()) if not granted]
    assert refused
    for person in refused:
        assert f'"a{person}"'.encode() not in bodies
        assert f'"u{person}"'.encode() not in bodies
    assert b'"a1"' in bodies


@pytest.mark.long
def test_a_process_beside_gives_the_same_rows(market, here):
    rows, _, loaded = taken(market)
    assert (rows, loaded) == (here[0], here[2])


@pytest.mark.long
def test_an_end_in_between_ends_the_process_beside(market):
    class Enough(Exception):
        """Raised by the one who takes the rows."""

    def append(rows):
        raise Enough

    with pytest.raises(Enough):
        load_history(market, source=SOURCE, append=append)
