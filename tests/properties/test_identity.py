"""Persons are a function of the set of links: of no order, no batching, no restart."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from identity_graphs import Graphs, Told

USERS = [f"user_id:u{n}" for n in range(5)]
DEVICES = [f"anonymous_id:a{n}" for n in range(7)]
MAILS = [f"email:m{n}@x.example" for n in range(3)]
PHONES = ["phone:+491", "device_id:d1"]
SEEN = [*USERS, *DEVICES]

evidence = st.one_of(
    st.tuples(st.sampled_from(DEVICES), st.sampled_from(USERS), st.just("identify")),
    st.tuples(st.sampled_from(USERS), st.sampled_from(USERS), st.just("alias")),
    st.tuples(st.sampled_from([*MAILS, *PHONES]), st.sampled_from(SEEN), st.just("trait")),
).filter(lambda edge: edge[0] != edge[1])
edges = st.tuples(evidence, st.integers(1, 9)).map(lambda one: ("edge", (*one[0], one[1])))
seen = st.sampled_from(SEEN).map(lambda one: ("seen", one))
blocked = st.sampled_from(["email:m0@x.example", "user_id:u4"])
ends = st.tuples(st.sampled_from([*SEEN, *MAILS]), st.sampled_from([*SEEN, *MAILS]))
by_hand = st.tuples(st.sampled_from(["merge", "separation", "block"]), ends).filter(
    lambda one: one[1][0] != one[1][1]
)
contacts = st.tuples(
    st.sampled_from(["c1", "c2", "c3", "c4"]),
    st.lists(st.sampled_from([*MAILS, USERS[0], USERS[3]]), max_size=2, unique_by=lambda n: n[:4]),
).map(lambda one: ("contact", one))

facts = st.lists(st.one_of(edges, edges, edges, seen), max_size=26)
hands = st.lists(by_hand, max_size=5)


def told(chosen, hand, taken_back, rows) -> list:
    """Return what is told, an entry each, contacts last for each of their ids once."""
    found = list(chosen)
    for at, (what, (one, other)) in enumerate(hand):
        found.append(("made", (f"l{at}", what, one, one if what == "block" else other)))
        if taken_back[at % len(taken_back)]:
            found.append(("gone", f"l{at}"))
    return found + list({name: ("contact", (name, known)) for _, (name, known) in rows}.values())


def folded(entries, *, sizes=(), restart=False, block=()) -> Graphs:
    """Return the graph of entries folded in batches of some sizes."""
    graphs = Graphs()
    start = 0
    for size in [*sizes, len(entries) + 1]:
        batch, start = entries[start : start + size], start + size
        graphs.fold(
            Told(
                seen=[one for what, one in batch if what == "seen"],
                edges=[one for what, one in batch if what == "edge"],
                made=[one for what, one in batch if what == "made"],
                gone=[one for what, one in batch if what == "gone"],
                contacts=dict(one for what, one in batch if what == "contact"),
                blocked=block,
            )
        )
        if restart:
            graphs.restart()
    return graphs


drawn = given(
    chosen=facts,
    hand=hands,
    taken_back=st.lists(st.booleans(), min_size=1, max_size=4),
    rows=st.lists(contacts, max_size=5),
    block=st.lists(blocked, max_size=1),
    sizes=st.lists(st.integers(1, 6), max_size=8),
    random=st.randoms(use_true_random=False),
    restart=st.booleans(),
)


def check(chosen, hand, taken_back, rows, block, sizes, random, restart) -> None:
    """Assert that links told at once, and shuffled in batches, in part twice, end the same."""
    entries = told(chosen, hand, taken_back, rows)
    once = folded(entries, block=block)
    assert once.agrees()
    shuffled = entries + random.sample(entries, len(entries) // 3)
    random.shuffle(shuffled)
    again = folded(shuffled, sizes=sizes, restart=restart, block=block)
    assert again.agrees()
    assert again.sums() == once.sums()


@settings(max_examples=6, deadline=None)
@drawn
def test_any_order_and_batching_of_links_gives_the_same_persons(**what) -> None:
    check(**what)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@settings(max_examples=150, deadline=None)
@drawn
def test_order_changes_no_person_however_often_it_is_tried(**what) -> None:
    check(**what)


@settings(max_examples=5, deadline=None)
@given(
    chosen=facts,
    hand=st.lists(by_hand, min_size=1, max_size=4),
    later=st.lists(edges, max_size=4),
    rows=st.lists(contacts, max_size=3),
)
def test_what_is_done_and_undone_was_never_done(chosen, hand, later, rows) -> None:
    never = folded([*told(chosen, [], [True], rows), *later])
    made = [
        ("made", (f"l{at}", what, one, one if what == "block" else other))
        for at, (what, (one, other)) in enumerate(hand)
    ]
    gone = [("gone", f"l{at}") for at in range(len(hand))]
    entries = [*told(chosen, [], [True], rows), *made, *later, *gone]
    assert folded(entries, sizes=[1] * len(entries)).sums() == never.sums()


@settings(max_examples=5, deadline=None)
@given(chosen=facts, rows=st.lists(contacts, min_size=1, max_size=4))
def test_contacts_taken_back_were_never_there(chosen, rows) -> None:
    never = folded(list(chosen))
    entries = told(chosen, [], [True], rows)
    graphs = folded(entries, sizes=[2] * len(entries))
    graphs.fold(Told(contacts={name: None for _, (name, _) in rows}))
    assert graphs.sums() == never.sums()
