"""Sources: their words are checked, their changes stand in the trail."""

import pytest

from onefold.collect import Source, sources
from onefold.governance import trail
from onefold.model.errors import BadInput, Conflict, NotFound
from onefold.model.records import OWNER
from onefold.store import State


@pytest.fixture
def state(tmp_path):
    made = State(f"sqlite:///{tmp_path / 'state.sqlite'}", lambda: 1)
    yield made
    made.close()


def test_sources_are_listed_as_they_were_added(state):
    first = sources.add_source(state, OWNER, Source("web", "wk_1", basis="notice"), now=1)
    second = sources.add_source(state, OWNER, Source("app", "wk_2"), now=2)
    assert sources.list_sources(state) == (first, second)


def test_what_is_left_out_of_a_change_stays(state):
    sources.add_source(state, OWNER, Source("web", "wk_1", region="eu"))
    changed = sources.set_source(state, OWNER, "web", basis="contract", unplanned=None)
    assert changed == Source("web", "wk_1", basis="contract", region="eu")
    assert sources.source_named(state, "web") == changed


@pytest.mark.parametrize(
    "wrong",
    [
        Source("Web", "wk"),
        Source("", "wk"),
        Source("web", ""),
        Source("web", "wk", environment="prod"),
        Source("web", "wk", basis="none"),
        Source("web", "wk", unplanned="drop"),
        Source("web", "wk", country="CF-IPCountry"),
    ],
)
def test_a_wrong_word_is_refused(state, wrong):
    with pytest.raises(BadInput):
        sources.add_source(state, OWNER, wrong)
    assert sources.list_sources(state) == ()


def test_names_and_keys_are_unique_and_unknown_ones_are_said(state):
    sources.add_source(state, OWNER, Source("web", "wk_1"))
    for again in (Source("web", "wk_2"), Source("app", "wk_1")):
        with pytest.raises(Conflict):
            sources.add_source(state, OWNER, again)
    with pytest.raises(NotFound, match="Did you mean `web`"):
        sources.set_source(state, OWNER, "wed", basis="notice")
    with pytest.raises(BadInput, match="no `colour`"):
        sources.set_source(state, OWNER, "web", colour="red")


def test_the_trail_tells_the_policy_but_not_the_key(state):
    sources.add_source(state, OWNER, Source("web", "wk_secret"))
    entry = trail(state, most=1)[0]
    assert (entry.action, entry.subject) == ("source.add", "web")
    assert "opt-in" in entry.detail
    assert "wk_secret" not in entry.detail


def test_a_region_is_a_short_word(state) -> None:
    with pytest.raises(BadInput, match="no region"):
        sources.add_source(state, OWNER, Source("web", "wk_1", region="<b>\x00"))
