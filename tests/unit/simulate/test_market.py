"""The market: the same every time, valid but for its dirt, as its parameters say."""

import json
from collections import Counter
from hashlib import blake2b
from math import sqrt

import numpy as np
import pytest

from onefold.collect import Source, receive
from onefold.model.time import parse_time
from onefold.simulate import MarketPlan, make_market
from onefold.simulate.behaviour import BOARD, CLICK, EXPOSURE, OPEN, SAVE
from onefold.simulate.load import market_catalogue
from onefold.simulate.people import BOARD_SHARE, REFUSED_SHARE, RETURN_SHARE, SAVE_SHARE
from onefold.simulate.records import DAY, LIFT

pytestmark = pytest.mark.long

END = parse_time("2026-11-22T09:13:20Z")


def fair(experiment, key):
    """A coin of the test's own, so that it needs no other room."""
    return "treatment" if blake2b((experiment + key).encode()).digest()[0] & 1 else "control"


def market_of(**sizes):
    plan = MarketPlan(end_time=END, **{"people": 600, "days": 60, "seed": 7} | sizes)
    return make_market(plan, assign=fair)


@pytest.fixture(scope="module")
def market():
    return market_of()


@pytest.fixture(scope="module")
def sent(market):
    """Every event as sent: (received time, event)."""
    found = []
    for request in market.requests():
        found += [(request.received_time, item) for item in json.loads(request.body)["batch"]]
    return found


def within(seen, share, n):
    """Say whether a share is within four standard errors of its parameter."""
    return abs(seen - share) < 4 * sqrt(share * (1 - share) / n)


def test_the_same_plan_gives_the_same_bytes(market):
    again = market_of()
    assert [r.body for r in market.requests()] == [r.body for r in again.requests()]
    assert market.truth == again.truth


def test_another_seed_gives_another_market(market):
    other = market_of(seed=8)
    assert next(iter(other.requests())).body != next(iter(market.requests())).body


def test_requests_arrive_in_order_in_the_days_of_the_market(market):
    times = [request.received_time for request in market.requests()]
    assert times == sorted(times)
    assert times[0] >= market.plan.start_time
    assert times[-1] <= market.plan.end_time


def test_requests_are_within_the_limits_of_the_protocol(market):
    for request in market.requests():
        batch = json.loads(request.body)
        assert len(request.body) < 500_000
        assert 0 < len(batch["batch"]) == request.events <= 400
        assert 0 <= request.received_time - parse_time(batch["sentAt"]) < 60_000_000


def test_every_event_fits_the_catalogue_but_the_planted_dirt(market):
    catalogue = market_catalogue(market)
    source = Source(name="pinmarket", write_key="k")
    reasons = Counter()
    misspelt = 0
    for request in market.requests():
        receipt = receive(
            source,
            dialect="segment",
            route="batch",
            body=request.body,
            received_time=request.received_time,
            catalogue=catalogue,
        )
        assert not receipt.refused
        reasons.update(one.reason for one in receipt.quarantined)
        misspelt += request.body.count(b"pin_svaed")
    assert misspelt >= market.counts["misspelt"] >= 3
    assert market.counts["broken"] <= sum(reasons.values()) <= market.counts["broken"] + 2
    assert len(reasons) >= 2


def test_some_events_are_sent_twice_late_or_from_a_wrong_clock(market, sent):
    ids = Counter(event["messageId"] for _, event in sent)
    assert sum(count - 1 for count in ids.values()) == market.counts["sent_twice"] > 0
    lags = [received - parse_time(event["timestamp"]) for received, event in sent]
    assert sum(lag < -DAY for lag in lags) >= market.counts["dated_ahead"] > 0
    assert market.counts["late"] > 0


def test_a_second_copy_has_the_same_content(sent):
    first = {}
    for _, event in sent:
        assert first.setdefault(event["messageId"], event) == event


def test_refusals_are_said_on_every_event_of_those_who_refuse(market, sent):
    refused = {
        event["anonymousId"].removesuffix("b")
        for _, event in sent
        if not event["context"]["consent"]["categoryPreferences"]["analytics"]
    }
    people = market.people
    assert refused <= {f"a{person}" for person in np.flatnonzero(~people.analytics).tolist()}
    assert within((~people.analytics).mean(), REFUSED_SHARE, len(people.analytics))


def test_contacts_look_around_before_they_join_their_account(market, sent):
    first_page, joined = {}, {}
    for _, event in sent:
        if event["anonymousId"][1:].isdigit() and int(event["anonymousId"][1:]) >= 600:
            who = event["anonymousId"]
            if event["type"] == "page" and "userId" not in event:
                first_page.setdefault(who, event["timestamp"])
            if event["type"] == "group":
                joined[who] = event["timestamp"]
                assert event["traits"]["industry"]
    assert first_page
    assert joined
    assert all(first_page[who] < joined[who] for who in first_page if who in joined)


def test_every_device_is_identified_at_most_once_per_message(sent):
    traits = [event["traits"] for _, event in sent if event["type"] == "identify"]
    assert traits
    assert all("@" in one["email"] and one["name"] and one["country"] for one in traits)


def outcomes(market):
    """Return for everyone exposed to `larger-first-pins`: saved in 7 days, came in days 22-28."""
    events = market.sent.events
    everyone = market.plan.people + len(market.contacts.account)
    person = events.device % everyone
    exposed = (events.kind == EXPOSURE) & (events.item < 2)
    start = np.full(everyone, END * 2, np.int64)
    np.minimum.at(start, person[exposed], events.time[exposed])
    saved, back = np.zeros(everyone, bool), np.zeros(everyone, bool)
    since = events.time - start[person]
    hit = (events.kind == SAVE) & (since >= 0) & (since < 7 * DAY)
    saved[person[hit]] = True
    # Clocks that are ahead only ever date searches and links.
    acts = np.isin(events.kind, (OPEN, SAVE, BOARD, CLICK))
    back[person[(since >= 21 * DAY) & (since < 28 * DAY) & acts]] = True
    return start < END, saved, back


def test_outcomes_of_the_experiment_are_as_drawn(market):
    exposed, saved, back = outcomes(market)
    people = market.people
    who = np.flatnonzero(exposed)
    sample = people.arrival[who] < market.plan.started_day + market.plan.planned_days
    who = who[sample]
    assert len(who) > 200
    assert (saved[who] == people.saves[who]).all()
    assert (back[who] == people.returns[who]).all()


def test_nobody_is_exposed_who_came_before(market):
    exposed, _, _ = outcomes(market)
    people = market.people
    early = people.existing | (people.arrival < market.plan.started_day)
    assert not exposed[: len(early)][early].any()


def test_shares_are_near_their_parameters():
    people = market_of(people=20_000).people
    for arm in (0, 1):
        rows = people.lift_arm == arm
        assert within(people.saves[rows].mean(), SAVE_SHARE[arm], rows.sum())
        assert within(people.returns[rows].mean(), RETURN_SHARE[arm], rows.sum())
        rows = people.null_arm == arm
        assert within(people.boards[rows].mean(), BOARD_SHARE[arm], rows.sum())
        assert within(rows.mean(), 0.5, len(rows))


def test_boards_follow_the_draw_of_the_null(market):
    events = market.sent.events
    everyone = market.plan.people + len(market.contacts.account)
    person = events.device % everyone
    exposed = (events.kind == EXPOSURE) & (events.item >= 2)
    start = np.full(everyone, END * 2, np.int64)
    np.minimum.at(start, person[exposed], events.time[exposed])
    since = events.time - start[person]
    made = np.zeros(everyone, bool)
    made[person[(events.kind == BOARD) & (since >= 0) & (since < 7 * DAY)]] = True
    sample = np.flatnonzero(start < END - 8 * DAY)
    assert len(sample) > 200
    assert (made[sample] == market.people.boards[sample]).all()


def test_exposures_carry_the_arm_of_the_key_as_sent(sent):
    seen = 0
    for _, event in sent:
        if event.get("event") == "Experiment Viewed":
            shown = event["properties"]
            assert shown["variation_id"] == fair(shown["experiment_id"], event["anonymousId"])
            seen += shown["experiment_id"] == LIFT
    assert seen > 200


@pytest.mark.parametrize(("people", "days"), [(1, 1), (3, 12), (40, 30), (30, 200)])
def test_any_size_makes_a_market(people, days):
    market = market_of(people=people, days=days)
    times = [request.received_time for request in market.requests()]
    assert times == sorted(times)
    assert times[-1] <= END
    assert len(market.truth["effects"]) == 7


def test_counts_tell_of_what_is_sent(market, sent):
    assert len(sent) == market.counts["events"] + market.counts["sent_twice"]
    assert len({event["messageId"] for _, event in sent}) == market.counts["events"]
