"""A changed definition is a new version, and a certified one is signed by who answers for it."""

import pytest

from onefold.governance import approvals, people, policies
from onefold.metrics import load_metrics
from onefold.model.errors import BadInput, NotAllowed
from onefold.model.records import OWNER, Asker
from onefold.model.time import DAY
from onefold.runtime import call
from onefold.store import State, tables
from readers import Reader
from worlds import World, track

METRIC = """\
metric: saves
version: {version}
label: {label}
description: Pins saved.
owner: {owner}
moves: More saved pins
functions: [product, marketing]
steps: {{saved: Growth}}
certified: {certified}
kind: count
numerator:
  count: events
  events: [{event}]
"""
ANA = Asker("Ana", "analyst")
DANA = Asker("Dana", "viewer")
VERA = Asker("Vera", "viewer")


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    for name, role in (("Ana", "analyst"), ("Dana", "viewer"), ("Vera", "viewer")):
        people.add_user(found.workspace.state, name, role, asker=OWNER, now=found.clock())
    yield found
    found.close()


def write(world, version=1, event="pin_saved", certified="false", owner="Dana", label="Saves"):
    path = world.folder / "definitions" / "metrics" / "saves.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"version": version, "event": event, "certified": certified, "owner": owner}
    path.write_text(METRIC.format(label=label, **told))


def ask(world, which, asker=OWNER, /, **params):
    return call(world.workspace, asker, which, params).body


def history(world):
    rows = ask(world, "metric history", name="saves")["rows"]
    return [(row[0], row[2], row[3], row[4]) for row in rows]


def listed(world):
    told = ask(world, "metrics")
    names = [column["name"] for column in told["columns"]]
    (row,) = (row for row in told["rows"] if row[0] == "saves")
    return dict(zip(names, row, strict=True))


def metric(world):
    return world.workspace.metrics()["saves"]


def test_history_keeps_who_applied_what_and_figures_name_their_version(world):
    write(world)
    assert "Version 1, not applied yet, owner Dana." in definition(world)
    ask(world, "apply", ANA)
    first = metric(world).standing.since
    assert f"Version 1 since {first}, owner Dana." in definition(world)
    world.clock.now += 3 * DAY
    write(world, version=2, event="pin_opened")
    ask(world, "apply")
    found = history(world)
    assert [row[:2] for row in found] == [(2, "command line"), (1, "Ana")]
    assert "pin_opened" in found[0][3]
    assert "pin_saved" in found[1][3]
    second = metric(world).standing.since
    assert (second - first).days == 3
    said = f"Version 2 since {second}, owner Dana. Days before are by it too, not by version 1."
    assert said in definition(world)


def definition(world):
    return ask(world, "metric", name="saves")["definition"]


def test_another_count_needs_another_version_and_another_label_does_not(world):
    write(world)
    ask(world, "apply")
    since = metric(world).standing.since
    world.clock.now += DAY
    write(world, label="Pins that were saved")
    ask(world, "apply")
    assert len(history(world)) == 2
    assert metric(world).standing.since == since
    write(world, event="pin_opened")
    for name in ("plan", "apply"):
        with pytest.raises(BadInput, match="counts otherwise than its version 1") as refused:
            ask(world, name)
        assert refused.value.fix == "Write `version: 2` in its definition."
    assert len(history(world)) == 2
    write(world, version=3, event="pin_opened")
    ask(world, "apply")
    write(world)
    with pytest.raises(BadInput, match="is version 1, and version 3 held already"):
        ask(world, "apply")


def test_what_is_taken_out_and_put_back_stands_in_the_history(world):
    write(world)
    ask(world, "apply")
    (world.folder / "definitions" / "metrics" / "saves.yaml").unlink()
    ask(world, "apply")
    assert history(world)[0] == (1, "command line", None, None)
    write(world)
    assert metric(world).standing.since is None
    ask(world, "apply")
    assert [row[3] is None for row in history(world)] == [False, True, False]


def test_applying_again_adds_nothing(world):
    write(world)
    ask(world, "apply")
    assert ask(world, "apply") == {"changed": False}
    assert len(history(world)) == 1


def test_a_certified_metric_waits_for_its_owner_and_changes_ask_anew(world):
    write(world, certified="true")
    told = ask(world, "apply", ANA)
    assert told["changed"]
    (waits,) = told["waits"]
    assert "saves waits for product" in waits
    assert "not certified" in definition(world)
    assert listed(world)["certified"] == "waits"
    assert metric(world).standing.waits_for == ("product",)
    (draft,) = approvals.drafts(world.workspace.state, standing="waiting")
    with pytest.raises(NotAllowed, match="Vera does not sign"):
        ask(world, "approval sign", VERA, draft=draft.id)
    ask(world, "approval sign", DANA, draft=draft.id)
    assert metric(world).certified
    assert "certified by Dana." in definition(world)
    assert listed(world)["certified"] == "yes"
    assert listed(world)["moves"] == "More saved pins"
    assert history(world)[0][2] == "Dana"
    assert "waits" not in ask(world, "apply", ANA)
    write(world, version=2, event="pin_opened", certified="true")
    # Nobody vouched for what was not even applied.
    assert not metric(world).certified
    assert ask(world, "apply", ANA)["waits"]
    assert not metric(world).certified
    assert [row[2] for row in history(world)] == [None, "Dana"]


def test_a_team_that_owns_it_signs_and_so_does_who_applies_and_may(world):
    policies.put_team(world.workspace.state, "Growth", ("Vera",), asker=OWNER)
    write(world, certified="true", owner="growth")
    ask(world, "apply", ANA)
    (draft,) = approvals.drafts(world.workspace.state, standing="waiting")
    with pytest.raises(NotAllowed):
        ask(world, "approval sign", DANA, draft=draft.id)
    ask(world, "approval sign", VERA, draft=draft.id)
    assert metric(world).standing.certified_by == "Vera"
    write(world, version=2, certified="true", owner="nobody here")
    assert "waits" not in ask(world, "apply")
    assert metric(world).standing.certified_by == "command line"


def test_a_refusal_leaves_it_uncertified_and_nobody_signs_by_a_key_of_that_name(world):
    write(world, certified="true")
    ask(world, "apply", ANA)
    (draft,) = approvals.drafts(world.workspace.state, standing="waiting")
    with pytest.raises(NotAllowed):
        ask(world, "approval sign", Asker("key:Dana", "", ("read",)), draft=draft.id)
    ask(world, "approval refuse", DANA, draft=draft.id, comment="Wrong event.")
    assert not metric(world).certified
    (waits,) = ask(world, "apply", ANA)["waits"]
    assert "was refused for product by Dana: Wrong event." in waits


def test_where_nobody_has_to_sign_applying_certifies(world):
    approvals.need(world.workspace.state, "certification", (), asker=OWNER)
    write(world, certified="true")
    assert "waits" not in ask(world, "apply", ANA)
    assert metric(world).standing.certified_by == "Ana"


def test_with_four_eyes_who_applies_it_does_not_sign_it(world):
    approvals.need(
        world.workspace.state, "certification", ("product",), four_eyes=True, asker=OWNER
    )
    write(world, certified="true", owner="Ana")
    (waits,) = ask(world, "apply", ANA)["waits"]
    assert "waits for product" in waits
    with pytest.raises(NotAllowed, match="Ana asked for it"):
        ask(world, "approval sign", ANA, draft=1)


def test_pages_tell_version_signature_and_history(world):
    write(world, certified="true")
    ask(world, "apply", ANA)
    world.send(*(track("pin_saved", id=str(n), user=f"u{n}") for n in range(3)))
    world.fold()
    world.clock.now += 2 * DAY
    reader = Reader(world, "owner")
    page = reader.get("/explore/metrics/saves").text
    assert "Not certified" in page
    assert "it waits for Dana, or who signs for product" in page
    assert "More saved pins" in page
    assert "saved: Growth" in page
    assert "Version 1, applied by Ana on" in page
    ask(world, "approval sign", DANA, draft=1)
    assert "by Dana" in reader.get("/explore/metrics/saves").text
    assert "Certified" in reader.get("/explore?metric=saves").text
    assert "Certified" in reader.get("/explore/metrics").text


def test_a_state_that_is_older_learns_of_versions(world, tmp_path):
    """What was applied before versions were kept is kept by the next `apply`."""
    write(world)
    ask(world, "apply")
    state: State = world.workspace.state
    with state.change(OWNER, "test.forget", "metric_versions") as connection:
        connection.execute(tables.metric_versions.delete())
    assert metric(world).standing.since is None
    ask(world, "apply")
    assert metric(world).standing.since is not None


def test_a_shipped_metric_has_no_history(world):
    name = min(load_metrics())
    assert ask(world, "metric history", name=name)["rows"] == []
    assert world.workspace.metrics()[name].standing.origin == "shipped"
