"""Whatever happens, a rollup adds up to the events that a question may see."""

import json
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import UTC
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, given, settings

from imported import bring
from onefold.metrics import folding
from onefold.model.errors import OnefoldError
from onefold.model.facts import TABLES
from onefold.model.records import MARKS, OWNER, Question
from onefold.runtime import call, rebuild
from worlds import AGREED, START, Clock, World, track

rollups = folding.rollups
MINUTE = 60_000_000
NOW = START // MINUTE * MINUTE + 70 * MINUTE
HOUR = (NOW - 60 * MINUTE, NOW + MINUTE)
EVER = (NOW - 90 * 1440 * MINUTE, NOW + 1440 * MINUTE)
SAID = ("campaign_id", "surface", "creator_id", "account_id")
DEFINITIONS = {
    "events/ad_clicked.yaml": """
event: ad_clicked
version: 1
owner: Ads
description: A person clicked an ad.
kind: action
purpose: analytics
properties:
  campaign_id: {type: string, required: false, description: Of which campaign.}
  surface: {type: string, required: false, description: Where.}
  revenue: {type: money, required: false, description: What it paid.}
  currency: {type: string, required: false, description: In which currency.}
""",
    "metrics/clicks.yaml": """
metric: clicks
title: Clicks
version: 1
description: Clicks that paid.
owner: Ads
kind: count
format: money
numerator: {sum: revenue, events: [ad_clicked]}
dimensions: [campaign_id, surface]
minimum_people: 2
""",
}

people = st.sampled_from(["u0", "u1", "u2", "u3"])
sends = st.tuples(
    st.just("send"),
    people,
    st.tuples(
        st.sampled_from(["ad_clicked", "ad_viewed", "pin_opened"]),
        st.sampled_from([None, "c1", "c2"]),
        st.sampled_from([None, "home", "search"]),
        st.sampled_from([0.5, 3, 59, 61, 1500, 3500, 3700, 4100, 90_000]),
        st.sampled_from([{}, {"traffic": "internal"}, {"traffic": "test"}]),
        st.sampled_from([True, True, True, False]),
    ),
)
decisions = st.tuples(
    st.sampled_from(
        [
            "person merge",
            "person unmerge",
            "consent withdraw",
            "person erase",
            "no in a file",
            "undo",
            "rebuild",
            "a minute passes",
            "tidy",
            "open again",
        ]
    ),
    people,
    people,
)
HAPPENINGS = [
    ("person merge", "u1", "u2"),
    ("tidy", "", ""),
    ("consent withdraw", "u1", ""),
    ("person unmerge", "u1", "u2"),
    ("no in a file", "u0", ""),
    ("undo", "", ""),
    ("person erase", "u0", ""),
    ("rebuild", "", ""),
]
ways = given(first=st.lists(sends, min_size=1, max_size=8), after=st.lists(sends | decisions))


def happen(world: World, place: int, one: tuple) -> None:
    """Let one thing happen; what is refused has not happened."""
    what, who, other = one
    if what == "send":
        send(world, place, who, *other)
    elif what == "rebuild":
        rebuild(world.workspace)
    elif what == "a minute passes":
        world.clock.now += MINUTE
    elif what == "tidy":
        folds = world.workspace.folds
        with folds.generation.facts.transaction() as writer:
            folds._rollups.tidy(writer)
    elif what == "open again":
        world.close()
        world.open()
    else:
        decide(world, place, what, who, other)


def send(world, place, who, event, campaign, surface, ago, around, agreed) -> None:
    """Send an event of so many seconds ago, twice."""
    told = {"campaign_id": campaign, "surface": surface, "creator_id": f"m{place % 2}"}
    told = {name: value for name, value in told.items() if value is not None}
    if event == "ad_clicked":
        told |= {"revenue": "0.25", "currency": "USD", "account_id": "a1"}
    at = (world.clock() - START) / 1e6 - ago
    one = track(event, id=f"e{place}", at=at, user=who, anonymous=f"d{place % 3}", **told)
    said = AGREED if agreed else {"consent": {"categoryPreferences": {"analytics": False}}}
    for _ in range(2):
        world.send({**one, "context": {**said, **around}})
    world.fold()


def decide(world: World, place: int, what: str, who: str, other: str) -> None:
    params = {"id": who} if what in {"consent withdraw", "person erase"} else {}
    params |= {"purpose": "analytics"} if what == "consent withdraw" else {}
    params |= {"one": who, "other": other} if "merge" in what else {}
    world.clock.now += 1_000_000
    if what == "no in a file":
        columns = ("consent_id", "user_id", "purpose", "answer", "said_time")
        row = (f"n{place}", who, "analytics", "denied", "2025-10-01T00:00:00Z")
        told = bring(world.workspace, f"no{place}", "consent", columns, [row])
        assert told["rows"][0][2] == 1
    elif what == "undo":
        runs = [row["run"] for row in world.raw("runs")]
        if runs:
            call(world.workspace, OWNER, "undo", {"run": runs[-1]})
    else:
        # Somebody who is not known, or merged with oneself, is refused.
        with suppress(OnefoldError):
            call(world.workspace, OWNER, what, params)
    world.fold()


def counted(rows: list[dict], every: int) -> Counter:
    """Return what rows of events add up to, counted by hand."""
    found: Counter = Counter()
    for row in rows:
        said = json.loads(row["properties"] or "{}")
        at = round(row["event_time"].replace(tzinfo=UTC).timestamp() * 1_000_000)
        key = (at // every * every, row["event"], row["environment"], row["traffic"])
        named = {name: said.get(name) for name in SAID}
        if named["campaign_id"] is None:
            named["account_id"] = None
        key += (row["purposes"], *named.values())
        found[(*key, "events")] += 1
        found[(*key, "revenue")] += row["p_revenue"] or 0
    return +found


def summed(rows: list[dict]) -> Counter:
    """Return what rows of a rollup add up to."""
    found: Counter = Counter()
    for row in rows:
        at = round(row["start_time"].replace(tzinfo=UTC).timestamp() * 1_000_000)
        key = (at, row["event"], row["environment"], row["traffic"], row["purposes"])
        key += tuple(row[name] for name in SAID)
        found[(*key, "events")] += row["events"]
        found[(*key, "revenue")] += row["revenue_micros"]
    assert all(count >= 0 for count in found.values())
    return +found


def assert_true(world: World) -> None:
    """Assert that every rollup is what a fresh count of the events gives."""
    world.fold()
    assert summed(world.raw(rollups.MINUTES)) == counted(world.raw("events"), MINUTE)
    for purpose in ("analytics", "advertising"):
        for include in (frozenset(), frozenset(MARKS)):
            view = world.workspace.view(Question(OWNER, purpose=purpose, include=include))
            for span, every, length in ((EVER, "m", MINUTE), (HOUR, "s", 1_000_000)):
                # Seconds reach back for an hour alone.
                since = max(span[0], view.now - rollups.KEPT) if every == "s" else span[0]
                asked = (since // MINUTE * MINUTE + MINUTE, view.now + MINUTE)
                shown = view.ask(rollups.within(view.events, asked, "event_time")).to_pylist()
                found = view.ask(rollups.counts(view, asked, every)).to_pylist()
                assert summed(found) == counted(shown, length)


def assert_adds_up(first, after) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "w", definitions=DEFINITIONS, clock=Clock(NOW))
        try:
            for place, one in enumerate([*first, *after]):
                happen(world, place, one)
            assert_true(world)
        finally:
            world.close()


@settings(max_examples=5, deadline=None, phases=[Phase.generate])
@ways
def test_a_rollup_is_a_fresh_count_of_the_events_whatever_happened(first, after) -> None:
    assert_adds_up(first, after)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@settings(max_examples=200, deadline=None)
@ways
def test_a_rollup_adds_up_however_often_it_is_tried(first, after) -> None:
    assert_adds_up(first, after)


def test_each_kind_of_happening_is_obeyed() -> None:
    """One of each, in an order in which all of them have something to take back."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "w", definitions=DEFINITIONS, clock=Clock(NOW))
        try:
            for place in range(12):
                ago = 3500 - place * 290
                marks = {"traffic": "internal"} if place == 7 else {}
                what = ("ad_clicked", "c1", "home", ago, marks, True)
                happen(world, place, ("send", f"u{place % 4}", what))
            view = world.workspace.view(Question(OWNER))
            assert sum(row["events"] for row in view.ask(view.rolled(EVER, "m")).to_pylist()) > 0
            left = {}
            for place, one in enumerate(HAPPENINGS, start=20):
                happen(world, place, one)
                assert_true(world)
                view = world.workspace.view(Question(OWNER))
                rows = view.ask(view.rolled(EVER, "m")).to_pylist()
                left[one[0]] = sum(row["events"] for row in rows)
            assert list(left.values()) == [11, 11, 5, 5, 2, 5, 2, 2], left
            assert {row["event"] for row in world.raw(rollups.SECONDS)} == {"ad_clicked"}
            assert set(rollups.COLUMNS) == set(TABLES[rollups.MINUTES].columns)
        finally:
            world.close()
