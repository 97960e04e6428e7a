"""Segments, beside a plain look at what every person did."""

import json
import random

import pytest

from onefold.metrics import load_metrics, measure, questions
from onefold.model.errors import BadInput
from onefold.model.time import DAY
from small_facts import SmallFacts

segments = questions.segments
START = 1_790_000_000_000_000 // DAY * DAY
END = START + 28 * DAY
HEAD = "segment: s\nlabel: A\ndescription: A.\nowner: B\n"


def made(text):
    return segments.parse_segment(HEAD + text, "segments/s.yaml")


@pytest.fixture(scope="module")
def facts():
    rng = random.Random(31)
    small = SmallFacts(persons={key: key % 60 for key in range(80)}, now=END + DAY)
    for key in range(80):
        for _ in range(rng.randrange(20)):
            small.add(
                rng.choice(["pin_saved", "pin_viewed"]),
                START + rng.randrange(28 * DAY),
                key if rng.random() > 0.05 else None,
                surface=rng.choice(["home_feed", "a'b", None]),
            )
    return small


@pytest.fixture(scope="module")
def view(facts):
    return facts.view()


def counts(facts, event, since, until, surface=None):
    seen = {row["identifier"] for row in facts.events if row["event_time"] < until}
    found = {person: 0 for key, person in facts.persons.items() if key in seen}
    for row in facts.events:
        kept = surface is None or json.loads(row["properties"])["surface"] == surface
        kept &= row["event"] == event and since <= row["event_time"] < until
        if kept and row["identifier"] is not None:
            found[facts.persons[row["identifier"]]] += 1
    return found


def ids(view, segment, at):
    return set(view.ask(segments.members(view, segment, at)).column("person_id").to_pylist())


@pytest.mark.parametrize("at", [START, START + 9 * DAY, END])
def test_members_are_those_of_a_plain_count(view, facts, at):
    saved = counts(facts, "pin_saved", at - 7 * DAY, at)
    seen = counts(facts, "pin_viewed", 0, at)
    home = counts(facts, "pin_saved", 0, at, "a'b")
    often = made("all:\n- {did: pin_saved, at_least: 2, days: 7}\n- {did: pin_viewed}\n")
    assert ids(view, often, at) == {p for p in saved if saved[p] >= 2 and seen[p] >= 1}
    never = made("all:\n- {did: pin_saved, at_most: 0, days: 7}\n")
    assert ids(view, never, at) == {p for p in saved if saved[p] == 0}
    few = made("all:\n- {did: pin_viewed, at_least: 1, at_most: 3}\n")
    assert ids(view, few, at) == {p for p in seen if 1 <= seen[p] <= 3}
    either = made(
        """any:
- {did: pin_saved, where: {surface: ["a'b"]}}
- {did: pin_viewed, at_least: 5}
"""
    )
    assert ids(view, either, at) == {p for p in seen if home[p] or seen[p] >= 5}


def test_who_came_and_went_adds_up(view):
    segment = made("all:\n- {did: pin_saved, days: 7}\n")
    answer = segments.membership(view, segment, (START + 7 * DAY, END), every="day")
    before = len(ids(view, segment, START + 7 * DAY))
    for place, (_, members, share, entered, left) in enumerate(answer.rows):
        assert members == before + entered - left
        assert members == len(ids(view, segment, START + (8 + place) * DAY))
        assert 0 < share < 1
        before = members
    assert any(row[3] for row in answer.rows)
    assert any(row[4] for row in answer.rows)


def test_a_metric_of_a_segment_is_of_its_members(view, facts):
    segment = made("all:\n- {did: pin_saved, at_least: 3}\n")
    some = segments.among(view, segment, END)
    metric = load_metrics()["saves_per_person"]
    told = measure(some, metric, from_time=START, to_time=END).rows[0]
    saves = counts(facts, "pin_saved", START, END)
    mine = [saves[person] for person in ids(view, segment, END)]
    assert told[0] == pytest.approx(sum(mine) / len(mine))
    assert told[-1] == len(mine)
    funnel = questions.Steps(("pin_viewed", "pin_saved"), 7 * DAY, (START, END), None)
    assert questions.funnel(some, funnel).rows[0][2] <= len(mine)


def test_whose_account_it_is_is_the_last_one_told(facts):
    small = SmallFacts(events=facts.events, persons=facts.persons, now=END)
    told = [
        {"identifier": 1, "account_id": "x", "from_time": START},
        {"identifier": 1, "account_id": "y", "from_time": START + 9 * DAY},
        {"identifier": 2, "account_id": "x", "from_time": START + DAY},
    ]
    accounts = [
        {"account_id": "x", "industry": "toys"},
        {"account_id": "y", "industry": "tools"},
    ]
    small.records = {"accounts": accounts, "memberships": told}
    view = small.view()
    toys = made("all:\n- {account: industry, is: [toys]}\n")
    assert ids(view, toys, START + 5 * DAY) == {1, 2}
    assert ids(view, toys, END) == {2}
    assert ids(view, toys, START) == set()


def test_of_a_trait_the_last_that_was_told_counts_of_all_of_a_persons_identifiers():
    small = SmallFacts(persons={1: 1, 2: 2, 3: 2, 4: 4, 5: 5}, now=END)
    told = [
        (1, 0, "pro"),
        (1, 5, "free"),
        (2, 3, "free"),
        (3, 4, "pro"),
        (4, 1, "pro"),
        (4, 8, None),
    ]
    for key, day, plan in told:
        traits = {} if plan is None else {"plan": plan}
        small.add("", START + day * DAY, key, kind="identify", **traits)
    small.add("pin_saved", START, 5, plan="pro")
    view = small.view()
    pro = made("all:\n- {trait: plan, is: [pro, team]}\n")
    assert ids(view, pro, START + 3 * DAY) == {1, 4}
    # What an event says of itself is no trait, and what is not said again stands.
    assert ids(view, pro, END) == {2, 4}
    assert ids(view, made("all:\n- {trait: age, is: ['7']}\n"), END) == set()


def test_none_of_what_may_not_hold_holds(view, facts):
    saved, seen = (counts(facts, name, 0, END) for name in ("pin_saved", "pin_viewed"))
    rest = made("not:\n- {did: pin_saved, at_least: 5}\n- {did: pin_viewed, at_least: 9}\n")
    assert ids(view, rest, END) == {p for p in saved if saved[p] < 5 and seen[p] < 9}
    assert rest.words == (
        "Everybody but who did pin_saved at least 5 times or did pin_viewed at least 9 times"
    )
    some = made("all:\n- {did: pin_saved}\nnot:\n- {did: pin_viewed, at_least: 5}\n")
    assert ids(view, some, END) == {p for p in saved if saved[p] and seen[p] < 5}
    assert some.words == "Who did pin_saved, but for who did pin_viewed at least 5 times"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("all:\n- {trait: plan}\n", "`is` is missing"),
        ("all:\n- {trait: plan, is: [true]}\n", "true or false"),
        ("not:\n- {trait: plan, is: [a], days: 3}\n", "No field `days`"),
        ("", "says nothing of who"),
        ("all:\n- {did: a, at_least: 3, at_most: 2}\n", "less than"),
        ("all:\n- {did: a, at_least: 0}\n", "at least 0 times"),
        ("all:\n- {did: a, days: 99999}\n", "too many"),
        ("all:\n- {account: colour, is: [red]}\n", "cannot be `colour`"),
        ("all:\n- {account: industry}\n", "`is` is missing"),
        ("all:\n- {dod: a}\n", "`did` is missing"),
        ("any:\n- {did: a, wher: {b: c}}\n", "Did you mean `where`"),
        ("all: a\n", "is no list"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, words):
    with pytest.raises(BadInput, match=words) as refused:
        made(text)
    assert "segments/s.yaml:" in str(refused.value)


def test_two_files_of_one_name_and_no_text_are_refused(tmp_path):
    assert segments.load_segments(tmp_path / "none") == {}
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(HEAD + "all:\n- {did: a}\n", encoding="utf-8")
    with pytest.raises(BadInput, match="Two files define"):
        segments.load_segments(tmp_path)
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="not UTF-8"):
        segments.load_segments(tmp_path)
    with pytest.raises(LookupError, match="Did you mean `eager`"):
        segments.segment_named({"eager": made("all:\n- {did: a}\n")}, "eagr")
