"""A purchase that is told online and by an import counts once, in whatever order both come."""

import tempfile
from collections import Counter
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from onefold.collect import imports, questions
from onefold.metrics import load_metrics, measure
from onefold.metrics.define import parse_metric
from onefold.model.errors import BadInput
from onefold.model.money import Money
from onefold.model.records import OWNER
from onefold.model.time import format_time
from onefold.runtime import call, rebuild
from worlds import AGREED, START, World, track

DAY = 86_400
DAY_MICROS = DAY * 1_000_000
ORDERS = [None, "n1", "n2"]
AMOUNTS = ["5", "7.50"]
PEOPLE = ["u1", "u2"]
told = st.tuples(
    st.sampled_from(PEOPLE),
    st.sampled_from(ORDERS),
    st.sampled_from(AMOUNTS),
    st.sampled_from([0, 1]),
)
MAPPING = """\
import: {name}
table: purchases
file: {name}.csv
columns:
  purchase_id: id
  user_id: user
  order_id: order
  purchase_time: at
  amount_micros: {{from: amount, currency: {{value: EUR}}}}
"""


def online(place, one):
    user, order, amount, day = one
    more = {} if order is None else {"order_id": order}
    at = (day - 1) * DAY + place * 60
    return track(
        "Order Completed", id=f"m{place}", at=at, user=user, total=amount, currency="EUR", **more
    )


def offline(world, name, rows):
    folder = world.folder.parent
    lines = ["id,user,order,at,amount"]
    for place, (user, order, amount, day) in rows:
        at = START + (day - 1) * DAY * 1_000_000
        lines.append(f"{name}{place},{user},{order or ''},{format_time(at)},{amount}")
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    mapping = folder / f"{name}.yaml"
    mapping.write_text(MAPPING.format(name=name))
    call(world.workspace, OWNER, "import", {"mapping": str(mapping)})
    return imports.latest(world.workspace.log).run


def expected(events, imported):
    """Count by trying: equal ids first, then the largest pairing of those that are alike."""
    sent = {}
    # One that is sent twice counts as it came first.
    by_time = sorted(enumerate(events), key=lambda each: (each[1][3], each[0]))
    for place, (user, order, amount, day) in by_time:
        sent.setdefault(order or f"e{place}", (user, order, amount, day))
    orders = list(sent.values())
    ids = {order for _, order, _, _ in orders if order}
    left = [one for one in imported if one[1] is None or one[1] not in ids]
    named = {one[1] for one in imported if one[1]}
    free = [one for one in orders if one[1] is None or one[1] not in named]
    pairs = 0
    for alike in {(u, a, d) for u, _, a, d in left}:
        mine = Counter(bool(o) for u, o, a, d in left if (u, a, d) == alike)
        theirs = Counter(bool(o) for u, o, a, d in free if (u, a, d) == alike)
        # Without an id it may be any; with one only an order that has none.
        any_one = min(mine[False], theirs[True])
        rest = mine[False] - any_one
        pairs += any_one + min(theirs[False], rest + mine[True])
    return len(orders) + len(left) - pairs


def counted(world):
    view = world.view()
    return len(view.ask(questions.purchases(view)))


MIXED = """\
metric: bought_per_visitor
label: Bought per visitor
description: What purchases sum to by who was seen.
owner: Sales
kind: ratio
numerator: {sum: amount, of: purchases}
denominator: {count: people, events: [Order Completed]}
format: money
"""
BUYERS = """\
metric: buyers
label: Buyers
description: Who bought offline.
owner: Sales
kind: count
numerator: {count: people, having: purchases, where: {origin: [offline]}}
"""


def test_what_was_sampled_and_told_by_an_import_too_counts_as_one(tmp_path) -> None:
    world = World(tmp_path / "w")
    try:
        rated = {"consent": AGREED["consent"], "sample_rate": 0.25}
        sent = [online(place, (f"u{place}", f"n{place}", "5", 0)) for place in range(3)]
        world.send(*({**one, "context": rated} for one in sent))
        offline(world, "p", [(0, ("u0", "n0", "5", 0)), (1, ("u1", None, "9", 0))])
        view = world.view()
        figures = {
            metric.name: measure(
                view, metric, from_time=START - 30 * DAY_MICROS, to_time=START + DAY_MICROS
            ).rows[0]
            for metric in (load_metrics()["purchases"], parse_metric(BUYERS, "buyers.yaml"))
        }
        # Two sent alone stand for four each; what an import told is whole.
        assert figures["purchases"][0] == 2 * 4 + 2
        assert figures["buyers"][0] == 1
    finally:
        world.close()


@pytest.mark.parametrize(
    ("was", "becomes", "word"),
    [
        ("sum: amount", "sum: total", "not `total`"),
        ("format: money", "format: number", "is money"),
        ("of: purchases", "of: purchases, where: {surface: [a]}", "no `surface`"),
        ("of: purchases", "of: purchases, events: [bought]", "by names of events"),
        ("format: money", "format: money\ndimensions: [surface]", "cannot be split"),
        ("of: purchases", "of: purchases, having: actions", "no `having`"),
    ],
)
def test_a_metric_of_purchases_that_cannot_be_is_refused(was, becomes, word) -> None:
    with pytest.raises(BadInput, match=word):
        parse_metric(MIXED.replace(was, becomes), "metrics/mixed.yaml")


cases = given(
    events=st.lists(told, max_size=5),
    first=st.lists(told, max_size=4),
    second=st.lists(told, max_size=3),
    order=st.permutations(["events", "p", "q"]),
)


@settings(max_examples=4, deadline=None)
@cases
def test_each_counts_once_whatever_came_first(events, first, second, order) -> None:
    assert_counts_once(events, first, second, order)


@pytest.mark.soak
@settings(max_examples=60, deadline=None)
@cases
def test_each_counts_once_in_many_cases(events, first, second, order) -> None:
    assert_counts_once(events, first, second, order)


def assert_counts_once(events, first, second, order) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "w")
        try:
            world.send(*(track("seen", id=f"s{user}", user=user) for user in PEOPLE))
            runs = {}
            for part in order:
                if part == "events" and events:
                    world.send(*(online(place, one) for place, one in enumerate(events)))
                elif part != "events":
                    rows = list(enumerate(first if part == "p" else second))
                    runs[part] = offline(world, part, rows)
            assert counted(world) == expected(events, [*first, *second])
            whole = world.sums()
            rebuild(world.workspace)
            assert world.sums() == whole
            call(world.workspace, OWNER, "undo", {"run": runs["q"]})
            assert counted(world) == expected(events, first)
            offline(world, "q", list(enumerate(second)))
            assert world.sums() == whole
        finally:
            world.close()


def test_sums_and_the_match_rate_are_told(tmp_path) -> None:
    world = World(tmp_path / "w")
    try:
        world.send(online(0, ("u1", "n1", "5", 0)), online(1, ("u1", None, "7.50", 0)))
        offline(
            world,
            "p",
            list(
                enumerate(
                    [
                        ("u1", "n1", "5", 0),
                        ("u1", None, "7.50", 0),
                        ("u1", None, "7.50", 1),
                        ("u9", None, "5", 0),
                    ]
                )
            ),
        )
        (row,) = call(world.workspace, OWNER, "purchases", {}).body["rows"]
        assert row == ["EUR", 4, 2, 2, 2, 0.75, {"micros": 25_000_000, "currency": "EUR"}]
        at = {"from": "2025-10-01", "to": "2025-11-01"}
        for name, by, told in (
            ("purchases", {}, [[3]]),
            ("purchases", {"by": "origin"}, [["offline", 1], ["online", 2]]),
            ("purchase_revenue", {}, [[{"micros": 20_000_000, "currency": "EUR"}]]),
        ):
            answer = call(world.workspace, OWNER, "metric", {"name": name, **by, **at}).body
            assert [list(row[: len(told[0])]) for row in answer["rows"]] == told
            assert "1 purchase has no person behind it and is not in the figure." in answer["notes"]
        mixed = parse_metric(MIXED, "metrics/mixed.yaml")
        view = world.view()
        answer = measure(view, mixed, from_time=START - 30 * DAY_MICROS, to_time=START + DAY_MICROS)
        # Online and offline, by the one who was seen to buy online.
        assert answer.rows[0][0] == Money(20_000_000, "EUR")
        person = call(world.workspace, OWNER, "person show", {"id": "user_id:u1"}).body
        bought = [entry for entry in person["timeline"] if entry["kind"] == "purchase"]
        assert len(bought) == 3
    finally:
        world.close()


def test_a_day_is_the_workspaces_own(tmp_path) -> None:
    world = World(tmp_path / "w")
    try:
        settings_file = world.folder / "onefold.toml"
        text = settings_file.read_text().replace('zone = "UTC"', 'zone = "Pacific/Auckland"')
        settings_file.write_text(text)
        world.close()
        world.open()
        # It is the evening there; an hour past noon in UTC it is the next day.
        world.send(online(0, ("u1", None, "5", 1)))
        midnight = START // 86_400_000_000 * 86_400_000_000
        offline_at(world, "p", format_time(midnight + 13 * 3_600_000_000))
        assert counted(world) == 2
        offline_at(world, "q", format_time(START))
        assert counted(world) == 2
    finally:
        world.close()


def offline_at(world, name, at):
    folder = world.folder.parent
    (folder / f"{name}.csv").write_text(f"id,user,order,at,amount\n{name},u1,,{at},5\n")
    mapping = folder / f"{name}.yaml"
    mapping.write_text(MAPPING.format(name=name))
    call(world.workspace, OWNER, "import", {"mapping": str(mapping)})
