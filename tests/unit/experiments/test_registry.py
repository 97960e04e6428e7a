"""What an experiment must say before anybody is shown anything."""

import pytest

from cards import CARD
from onefold.experiments import load_experiments, parse_experiment
from onefold.model.errors import BadInput


def test_a_registered_experiment_is_whole():
    found = parse_experiment(CARD, "experiments/pins.yaml")
    assert (found.name, found.salt, found.control) == ("larger-pins", "larger-pins", "control")
    assert [(arm.name, arm.weight, arm.label) for arm in found.arms] == [
        ("control", 50, "Control"),
        ("larger", 50, "Larger pins"),
    ]
    assert (found.short.begins, found.short.ends) == (0, 86_400_000_000)
    assert (found.long.first_day, found.long.last_day, found.long.scale) == (22, 28, "absolute")
    assert found.treatments == (found.arms[1],)


@pytest.mark.parametrize("field", ["hypothesis", "owner", "rollout", "rollback", "privacy"])
def test_it_cannot_start_without(field):
    lines = [line for line in CARD.splitlines() if not line.startswith(f"{field}:")]
    with pytest.raises(BadInput, match=f"`{field}` is missing"):
        parse_experiment("\n".join(lines), "pins.yaml")


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ("{control: 50, larger: 50}", "{control: 50}", "needs two arms"),
        ("{control: 50, larger: 50}", "{control: 50, larger: 0}", "must be at least 1"),
        ("{control: 50, larger: 50}", "{control: 50, larger: 0.5}", "must be at least 1"),
        ("labels: {larger:", "labels: {smaller:", "No arm `smaller`"),
        ("planned_days: 14", "planned_days: soon", "not a number"),
        ("started_date: 2026-09-01", "started_date: 1 September", "not a day"),
        ("within_days: 1", "within_day: 1", "Did you mean `within_days`"),
        ("scale: relative", "scale: percent", "Use one of: relative, absolute"),
        ("long: {}", "long: {from_day: 28, to_day: 22}", "ends before it begins"),
        ("long: {}", "long: none", "holds no fields"),
        ("owner: Growth", "owner: Growth\ncontrol: larer", "Did you mean `larger`"),
    ],
)
def test_what_is_wrong_is_said(was, becomes, words):
    with pytest.raises(BadInput) as refused:
        parse_experiment(CARD.replace(was, becomes, 1), "pins.yaml")
    assert words in f"{refused.value} {refused.value.fix}"
    assert str(refused.value).startswith("pins.yaml:")


def test_a_folder_is_read_by_name(tmp_path):
    assert load_experiments(tmp_path / "none") == {}
    (tmp_path / "a.yaml").write_text(CARD, encoding="utf-8")
    assert list(load_experiments(tmp_path)) == ["larger-pins"]
    (tmp_path / "b.yaml").write_text(CARD, encoding="utf-8")
    with pytest.raises(BadInput, match=r"b\.yaml and a\.yaml both register"):
        load_experiments(tmp_path)
