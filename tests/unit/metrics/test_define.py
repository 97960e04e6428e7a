"""A definition that is wrong says where, what, and what would be right."""

import doctest

import pytest

from onefold.metrics import compile as compiling
from onefold.metrics import load_metrics, periods
from onefold.metrics.define import parse_metric
from onefold.model import documents
from onefold.model.errors import BadInput

GOOD = """\
metric: saves_per_session
label: Saves per session
description: Pins saved by each session.
owner: Discovery
kind: ratio
numerator:
  count: events
  events: [pin_saved]
denominator:
  count: sessions
"""
READY = {
    "weekly_active_discovery_sessions",
    "session_depth",
    "saves_per_session",
    "saves_per_person",
    "click_rate",
    "save_rate",
    "ad_revenue_per_engaged_user",
    "weekly_active_people",
    "purchases",
    "purchase_revenue",
    "daily_active_people",
    "monthly_active_people",
    "time_to_first_pin",
    "time_to_first_pin_p90",
    "time_to_resolution",
    "actions_per_person",
    "boards_per_person",
    "shares_per_session",
    "search_to_save",
    "searches_without_result",
    "creator_engagement_score",
    "active_creators",
    "content_volume",
    "pins_kept_per_creator",
    "net_promoter_score",
    "breadth_of_contacts",
    "time_with_accounts",
    "ad_cost",
    "cost_per_click",
    "acquisition_cost",
    "tenure",
    "share_of_wallet",
    "account_engagement",
    "creator_retention",
}


@pytest.mark.parametrize("module", [compiling, documents, periods])
def test_examples_in_docstrings_run(module):
    assert doctest.testmod(module).failed == 0


def test_a_definition_becomes_a_record():
    metric = parse_metric(GOOD, "metrics/a.yaml")
    assert (metric.name, metric.version, metric.kind) == ("saves_per_session", 1, "ratio")
    assert metric.numerator.events == ("pin_saved",)
    assert metric.denominator.of == "sessions"
    assert (metric.unit, metric.better, metric.purpose) == ("person", "up", "analytics")


def test_those_the_issue_names_are_ready():
    found = load_metrics()
    assert set(found) == READY
    assert all(metric.description and metric.owner and metric.decision for metric in found.values())


@pytest.mark.parametrize(
    ("was", "becomes", "place", "words"),
    [
        ("owner: Discovery", "ownr: Discovery", "1:1", "`owner` is missing"),
        ("label: Saves", "colour: red\nlabel: Saves", "2:1", "No field `colour`"),
        ("kind: ratio", "kind: ratoi", "5:7", "Did you mean `ratio`"),
        ("kind: ratio", "kind: count", "10:3", "A count has no denominator"),
        ("events: [pin_saved]", "event: [pin_saved]", "8:3", "Did you mean `events`"),
        ("  events: [pin_saved]\n", "", "7:3", "`events` is missing"),
        ("  count: sessions", "  count: sesions", "10:10", "Did you mean `sessions`"),
        ("  count: sessions", "  count: sessions\n  where: {a: b}", "10:3", "Sessions have no"),
        ("  count: sessions", "  count: sessions\n  sum: actions", "11:8", "what to count or"),
        ("  count: sessions", "  sum: clicks\n  of: sessions", "10:8", "Sessions have no `clicks`"),
        ("  count: sessions", "  count: people", "10:3", "what makes a person count"),
        ("kind: ratio", "kind: share", "5:7", "people of people"),
        ("kind: ratio", "kind: mean", "5:7", "A mean is per person"),
        ("kind: ratio", "kind: ratio\nformat: money", "6:9", "Money is a sum"),
        ("kind: ratio", "kind: ratio\nmargin: -1", "6:9", "`margin` is -1"),
        ("kind: ratio", "kind: ratio\nversion: 1.5", "6:10", "`version` is 1.5"),
        ("kind: ratio", "kind: ratio\ndimensions: [surface]", "6:13", "cannot be split"),
        ("owner: Discovery", "owner: Discovery\nowner: Ads", "5:1", "stands here twice"),
        ("owner: Discovery", "owner: yes", "4:8", "true or false"),
        ("owner: Discovery", "owner: [a, b]", "4:8", "One value belongs here"),
        ("numerator:", "numerator: none", "7:8", "no YAML"),
        (GOOD, "- a\n- b\n", "1:1", "no fields"),
        (GOOD, "", "1:1", "no fields"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(was, becomes, place, words):
    with pytest.raises(BadInput) as refused:
        parse_metric(GOOD.replace(was, becomes, 1), "metrics/a.yaml")
    assert words in str(refused.value)
    assert str(refused.value).startswith(f"metrics/a.yaml:{place}: ")
    assert refused.value.fix


def test_a_folder_wins_over_what_is_shipped(tmp_path):
    (tmp_path / "a.yaml").write_text(GOOD.replace("Discovery", "Ads"), encoding="utf-8")
    found = load_metrics(tmp_path)
    assert found["saves_per_session"].owner == "Ads"
    assert set(found) == READY


def test_two_files_of_one_name_are_refused(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(BadInput, match=r"b\.yaml and a\.yaml both define `saves_per_session`"):
        load_metrics(tmp_path)
