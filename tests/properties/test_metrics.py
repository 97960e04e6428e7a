"""Any events, any metric: the compiled answer is what a plain loop over the events says."""

from collections import defaultdict
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.metrics import change, measure
from onefold.metrics.define import parse_metric
from onefold.model.time import DAY, HOUR
from small_facts import SmallFacts

START = int(datetime(2026, 10, 19, tzinfo=UTC).timestamp()) * 1_000_000
NAMES = ["pin_saved", "pin_viewed", "ad_clicked"]
SURFACES = ["home_feed", "a\"'b", "", None]

rows = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.integers(-2 * 24, 16 * 24),
        st.one_of(st.none(), st.integers(0, 5)),
        st.sampled_from(SURFACES),
        st.integers(-3, 9),
    ),
    max_size=40,
)
terms = st.fixed_dictionaries(
    {
        "measure": st.sampled_from(["count: events", "count: people", "sum: size"]),
        "events": st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True),
        "where": st.booleans(),
        "at_least": st.integers(1, 3),
    }
)


def written(term):
    """Return a term as YAML."""
    people = term["measure"] == "count: people"
    where = ", where: {surface: [home_feed]}" if term["where"] else ""
    least = f", at_least: {term['at_least']}" if people else ""
    return f"{{{term['measure']}, events: [{', '.join(term['events'])}]{where}{least}}}"


def amounts(term, events):
    """Return what each person adds to a term, by a plain loop."""
    found = defaultdict(float)
    for name, _, person, surface, size in events:
        if person is None or name not in term["events"]:
            continue
        if term["where"] and surface != "home_feed":
            continue
        found[person] += size if term["measure"] == "sum: size" else 1
    if term["measure"] == "count: people":
        return {person: 1.0 for person, n in found.items() if n >= term["at_least"]}
    return found


def facts(events):
    small = SmallFacts(promoted={"p_surface": "string"})
    for name, hour, person, surface, size in events:
        small.add(name, START + hour * HOUR, person, surface=surface, size=size)
    return small.view()


def within(events, begin, end):
    return [row for row in events if begin <= row[1] * HOUR < end]


def metric(above, below):
    head = "metric: m\nlabel: m\ndescription: m\nowner: m\nminimum_people: 2\n"
    body = f"kind: ratio\nnumerator: {written(above)}\ndenominator: {written(below)}\n"
    return parse_metric(f"{head}{body}dimensions: [surface]\n", "m.yaml")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows, terms, terms)
def test_a_ratio_is_what_a_loop_says(events, above, below):
    answer = measure(
        facts(events), metric(above, below), from_time=START, to_time=START + 14 * DAY, every="week"
    )
    for week, row in enumerate(answer.rows):
        inside = within(events, week * 7 * DAY, (week + 1) * 7 * DAY)
        upper, lower = amounts(above, inside), amounts(below, inside)
        total = sum(lower.values())
        expected = sum(upper.values()) / total if total else None
        assert row[1] == (None if expected is None else pytest.approx(expected))
        people = {person for part in (upper, lower) for person, value in part.items() if value}
        assert row[-1] == len(people)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows, terms)
def test_the_parts_of_a_split_sum_to_the_whole(events, term):
    if term["measure"] == "count: people":
        term = {**term, "measure": "count: events"}
    kind = "sum" if term["measure"] == "sum: size" else "count"
    text = (
        f"metric: m\nlabel: m\ndescription: m\nowner: m\nkind: {kind}\n"
        f"numerator: {written(term)}\ndimensions: [surface]\n"
    )
    view, asked = facts(events), parse_metric(text, "m.yaml")
    window = {"from_time": START, "to_time": START + 14 * DAY}
    whole = measure(view, asked, **window).rows[0][0]
    parts = measure(view, asked, **window, every="day", by="surface").rows
    assert sum(row[2] for row in parts) == pytest.approx(whole)
    inside = within(events, 0, 14 * DAY)
    assert whole == pytest.approx(sum(amounts(term, inside).values()))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows, terms, terms)
def test_a_change_is_the_quotient_of_its_two_figures(events, above, below):
    week = 7 * DAY
    found = change(
        facts(events),
        metric(above, below),
        period=(START + week, START + 2 * week),
        former=(START, START + week),
    )
    now, then = found.now.estimate, found.former.estimate
    if found.relative.estimate is not None:
        assert found.relative.estimate == pytest.approx(now / then - 1)
    else:
        assert not now or not then
