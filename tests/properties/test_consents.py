"""Consent over time: any order says the same, and the View leaves out whom a plain rule does."""

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import given, settings

from onefold.collect import sources
from onefold.model.ids import identifier_key
from onefold.model.records import OWNER, Question
from worlds import IDENTITY_KEY, SECOND, START, Clock, World, iso

HOUR = 3600
PEOPLE = ["u1", "u2"]
CHANGE = "Segment Consent Preference Updated"

acts = st.lists(
    st.tuples(
        st.sampled_from(["event", "event", "event", "change", "api"]),
        st.sampled_from(PEOPLE),
        st.integers(0, 8),
        st.sampled_from([None, True, False]),
    ),
    min_size=1,
    max_size=14,
)


def key_of(user: str) -> int:
    return identifier_key(bytes.fromhex(IDENTITY_KEY), "user_id", user)


def told(place: int, act) -> dict:
    what, user, at, answer = act
    said = {"analytics": True} | ({} if answer is None else {"advertising": answer})
    return {
        "type": "track",
        "event": CHANGE if what == "change" else "pin_saved",
        "messageId": f"m{place}",
        "userId": user,
        "timestamp": iso(at * HOUR),
        "context": {"consent": {"categoryPreferences": said}},
    }


def said_by_api(world: World, act) -> None:
    _, user, at, answer = act
    entry = sources.ConsentEntry(
        keys=[key_of(user)],
        answers={"advertising": bool(answer)},
        time=START + at * HOUR * SECOND,
    )
    body = {name: getattr(entry, name) for name in entry.__struct_fields__}
    with world.workspace.state.change(OWNER, "consent", "x", entry=(sources.ENTRY, body)):
        pass


def world_of(folder: str, drawn, *, every: int = 3) -> World:
    world = World(Path(folder) / "w", basis="opt-in", clock=Clock(START + 10 * HOUR * SECOND))
    for count, (place, act) in enumerate(drawn):
        if act[0] == "api":
            said_by_api(world, act)
            world.workspace.relay()
        else:
            world.send(told(place, act))
        if count % every == 0:
            world.fold()
    world.fold()
    return world


def allowed_by_rule(chosen) -> set[str]:
    """Which events advertising may use, by the rule alone, one event at a time."""
    found = set()
    for user in PEOPLE:
        mine = [(place, act) for place, act in enumerate(chosen) if act[1] == user]
        stated = [
            (at, bool(answer))
            for _, (what, _, at, answer) in mine
            if what == "api" or (what == "change" and answer is not None)
        ]
        events = [(place, act) for place, act in mine if act[0] == "event"]
        noes = [at for _, (_, _, at, answer) in events if answer is False]
        yeses = [at for _, (_, _, at, answer) in events if answer is True]

        def latest(until: int, of=stated) -> bool | None:
            before = [(at, not yes) for at, yes in of if at <= until]
            return None if not before else not max(before)[1]

        last_yes = max((at for at, yes in stated if yes), default=-1)
        undone = noes and max(noes) >= max([*yeses, last_yes])
        if latest(99) is False or undone:
            continue
        for place, (_, _, at, answer) in mine_of_messages(mine):
            held = latest(at)
            if held is not False and (answer is True or (held and answer is None)):
                found.add(f"m{place}")
    return found


def mine_of_messages(mine):
    """The events themselves; one that changes consent states, and refuses nothing itself."""
    return [(place, act) for place, act in mine if act[0] in {"event", "change"}]


def allowed_by_view(world: World, names: int) -> set[str]:
    from onefold.model.ids import message_hash

    view = world.workspace.view(Question(OWNER, purpose="advertising"))
    high = set(view.ask(view.events.select("message_hi")).column("message_hi").to_pylist())
    key = world.workspace.identity_key
    return {f"m{place}" for place in range(names) if message_hash(f"m{place}", key)[0] in high}


@settings(max_examples=10, deadline=None)
@given(chosen=acts, random=st.randoms(use_true_random=False), every=st.integers(1, 5))
def test_any_order_says_the_same_and_what_the_rule_says(chosen, random, every):
    drawn = list(enumerate(chosen))
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(folder, drawn)
        sums = world.sums()
        allowed = allowed_by_view(world, len(chosen))
        world.close()
    assert allowed == allowed_by_rule(chosen)
    random.shuffle(drawn)
    with tempfile.TemporaryDirectory() as folder:
        other = world_of(folder, drawn, every=every)
        assert other.sums() == sums
        assert allowed_by_view(other, len(chosen)) == allowed
        other.close()
