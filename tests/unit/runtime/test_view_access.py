"""The access term: no table of a View, and no question over it, tells what a policy hides."""

from dataclasses import fields

import ibis
import ibis.expr.types as ir
import pytest

from guarded_worlds import HIDDEN, SHOWN, guarded, named
from onefold.governance import people, policies
from onefold.governance.records import WHOLE, Policy, Rows, Sight
from onefold.model.facts import RECORD_TABLES
from onefold.model.ids import identifier_key
from onefold.model.records import MARKS, OWNER, ROLES, Asker, Question
from onefold.runtime import call, view_access, views
from worlds import IDENTITY_KEY, START, track

pytestmark = pytest.mark.long

ANYTHING = frozenset(MARKS)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = guarded(tmp_path_factory.mktemp("guarded") / "w")
    decided(found)
    yield found
    found.close()


def decided(world):
    """Let each of the two be one with another by hand, and freeze a cohort of both."""
    for mark in (SHOWN, HIDDEN):
        world.send(track("pin_saved", id=f"{mark}9", user=f"{mark}v", at=60))
    world.fold()
    here = world.workspace
    days = {"event": "ad_viewed", "from": "2025-10-01", "to": "2025-11-01"}
    call(here, OWNER, "cohort freeze", {"name": "both", **days})
    for mark in (SHOWN, HIDDEN):
        call(here, OWNER, "person merge", {"one": f"{mark}u", "other": f"{mark}v"})


def keys_of(world, mark):
    """Every identifier of the person of a mark."""
    nodes = world.raw("identifiers")
    user = identifier_key(bytes.fromhex(IDENTITY_KEY), "user_id", f"{mark}u")
    person = next(row["person_id"] for row in nodes if row["key"] == user)
    return [row for row in nodes if row["person_id"] == person]


def tables_of(view):
    """Every table that a View holds, whatever its name: one that comes later is tried too."""
    found = {f.name: getattr(view, f.name) for f in fields(view)}
    found |= {f"records.{name}": table for name, table in view.records.items()}
    found |= {f"graph.{name}": table for name, table in view.graph.items()}
    if view.rolled is not None:
        found["rolled"] = view.rolled((0, 2 * START), "m")
    return {name: table for name, table in found.items() if isinstance(table, ir.Table)}


def texts(view):
    return {name: repr(view.ask(table).to_pylist()) for name, table in tables_of(view).items()}


def view_of(world, rows, role="owner", **terms):
    return views.make_view(
        world.workspace.folds.generation.facts,
        Question(Asker("x", role), include=ANYTHING, **terms),
        now=world.clock(),
        zone="UTC",
        fresh_time=None,
        sight=Sight(rows),
    )


def test_the_world_holds_both_in_every_table_of_records(world):
    everything = texts(world.workspace.view(Question(OWNER, include=ANYTHING)))
    for name in (*(f"records.{table}" for table, _ in RECORD_TABLES.values()), "events"):
        assert HIDDEN in everything[name], name
        assert SHOWN in everything[name], name


@pytest.mark.parametrize("role", ROLES)
def test_no_table_of_a_view_holds_what_is_hidden(world, role):
    view = world.workspace.view(Question(Asker(named(role), role), include=ANYTHING))
    told = texts(view)
    assert not [name for name, text in told.items() if HIDDEN in text]
    assert SHOWN in told["events"]
    assert SHOWN in told["records.accounts"]
    hidden = {row["user_key"] for row in world.raw("events") if HIDDEN in str(row["account_id"])}
    keys = view.ask(view.people)["key"].to_pylist()
    assert not hidden - {None} & set(keys)


@pytest.mark.parametrize(
    "rows",
    [
        Rows(accounts=frozenset({f"{SHOWN}acc"})),
        Rows(owners=frozenset({f"{SHOWN}owner"})),
        Rows(regions=frozenset({f"{SHOWN}country"})),
        Rows(campaigns=frozenset({f"{SHOWN}camp"})),
        Rows(accounts=frozenset({f"{SHOWN}acc"}), campaigns=frozenset({f"{SHOWN}camp"})),
    ],
)
def test_each_kind_of_term_shows_its_rows_and_no_other(world, rows):
    told = texts(view_of(world, (rows,)))
    assert not [name for name, text in told.items() if HIDDEN in text]
    assert SHOWN in told["events"]
    assert SHOWN in told["records.spend"]


def test_terms_of_one_policy_cut_down_and_of_several_add_up(world):
    mixed = Rows(accounts=frozenset({f"{SHOWN}acc"}), regions=frozenset({f"{HIDDEN}country"}))
    assert not view_of(world, (mixed,)).ask(view_of(world, (mixed,)).accounts).num_rows
    both = tuple(Rows(accounts=frozenset({f"{mark}acc"})) for mark in (SHOWN, HIDDEN))
    view = view_of(world, both)
    assert view.ask(view.accounts).num_rows == 2


def test_of_a_campaign_nothing_is_shown_that_is_of_none(world):
    view = view_of(world, (Rows(campaigns=frozenset({f"{SHOWN}camp"})),))
    told = texts(view)
    assert view.ask(view.sessions).num_rows == view.ask(view.identifiers).num_rows == 0
    assert "pin_saved" not in told["events"]
    counts = view.ask(view.rolled((0, 2 * START), "m")).to_pylist()
    assert {row["campaign_id"] for row in counts} == {f"{SHOWN}camp"}
    assert sum(row["events"] for row in counts) == view.ask(view.events).num_rows
    assert "None" not in told["records.contacts"]


def test_an_event_that_names_a_hidden_account_is_hidden_whoever_sent_it(world):
    view = view_of(world, (Rows(accounts=frozenset({f"{SHOWN}acc"})),))
    assert view.rolled is None, "no rollup knows who sent an event"
    names = view.ask(view.events)["properties"].to_pylist()
    assert sum(SHOWN in name for name in names) == 4
    assert not sum(HIDDEN in name for name in names)


def test_without_rows_nothing_is_cut(world):
    tables = world.workspace.folds.generation.facts.tables()
    assert view_access.seen(tables, WHOLE) == dict(tables)


def test_an_unknown_table_shows_nothing(world):
    tables = dict(world.workspace.folds.generation.facts.tables())
    tables["novel"] = ibis.memtable({"secret": [HIDDEN]})
    found = view_access.seen(tables, Sight((Rows(accounts=frozenset({f"{SHOWN}acc"})),)))
    facts = world.workspace.folds.generation.facts
    assert facts.ask(found["quarantine"]).num_rows == 0
    assert "WHERE" in facts.sql(found["novel"]).upper() or not found["novel"].execute().size


@pytest.mark.parametrize("way", ["union", "subquery", "join", "count"])
def test_no_composition_of_a_views_tables_reaches_what_is_hidden(world, way):
    view = view_of(world, (Rows(accounts=frozenset({f"{SHOWN}acc"})),))
    events, accounts = view.events, view.accounts
    asked = {
        "union": lambda: events.select(t="properties").union(accounts.select(t="account_id")),
        "subquery": lambda: accounts.filter(
            accounts.account_id.isin(events.select("account_id").account_id)
        ),
        "join": lambda: events.left_join(accounts, "account_id"),
        "count": lambda: events.group_by("account_id").aggregate(n=events.count()),
    }[way]()
    assert HIDDEN not in repr(view.ask(asked).to_pylist())


def test_what_consent_or_marks_leave_out_is_counted_among_the_rows_shown(world):
    view = view_of(
        world,
        (Rows(accounts=frozenset({f"{SHOWN}acc"})),),
    )
    whole = views.make_view(
        world.workspace.folds.generation.facts,
        Question(OWNER, include=ANYTHING),
        now=world.clock(),
        zone="UTC",
        fresh_time=None,
    )
    ever = (0, world.clock())
    assert view.left_out(*ever) * 2 == whole.left_out(*ever) > 0


def test_who_is_who_shows_what_ties_shown_people_and_no_end_of_anybody_else(world):
    role = "marketer"
    of = {mark: {row["key"] for row in keys_of(world, mark)} for mark in (SHOWN, HIDDEN)}
    whole = world.workspace.view(Question(OWNER))
    view = world.workspace.view(Question(Asker(named(role), role)))
    for name in ("nodes", "edges", "members", "links"):
        rows = view.ask(view.graph[name]).to_pylist()
        ends = {row[end] for row in rows for end in ("key", "from_key", "to_key") if end in row}
        assert ends, name
        assert not ends & of[HIDDEN], name
        assert ends <= of[SHOWN], name
        everybody = whole.ask(whole.graph[name]).num_rows
        assert len(rows) < everybody, name
    assert {row["key"] for row in view.ask(view.consents).to_pylist()} <= of[SHOWN]
    cohorts = view.ask(view.graph["cohorts"])["cohort"].to_pylist()
    assert cohorts == ["both"]
    told = call(world.workspace, Asker(named(role), role), "person review", {}).body
    assert [each["kind"] for each in told["links"]] == ["merge"]
    assert HIDDEN not in repr(told)


def test_a_graph_names_no_identifier_of_a_class_that_may_not_be_read(world):
    state, asker = world.workspace.state, Asker("Cleo", "marketer")
    people.add_user(state, "Cleo", "marketer", asker=OWNER, now=world.clock())
    shown = call(world.workspace, asker, "person graph", {"id": f"user_id:{SHOWN}u"}).body
    assert f"{SHOWN}@example.com" in repr(shown)
    policies.put_policy(state, Policy("ids", ("user:Cleo",), classes=("name",)), asker=OWNER)
    shown = call(world.workspace, asker, "person graph", {"id": f"user_id:{SHOWN}u"}).body
    assert f"{SHOWN}@example.com" not in repr(shown)
    policies.remove_policy(state, "ids", asker=OWNER)


def test_an_account_does_not_name_one_above_it_that_is_hidden(world):
    facts = world.workspace.folds.generation.facts
    tables = dict(facts.tables())
    tables["accounts"] = tables["accounts"].mutate(parent_id=ibis.literal(f"{HIDDEN}acc"))
    for marks, above in (((SHOWN,), {None}), ((SHOWN, HIDDEN), {f"{HIDDEN}acc"})):
        rows = Rows(accounts=frozenset(f"{mark}acc" for mark in marks))
        found = facts.ask(view_access.seen(tables, Sight((rows,)))["accounts"])
        assert set(found["parent_id"].to_pylist()) == above
