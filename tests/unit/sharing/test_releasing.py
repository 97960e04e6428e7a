"""Noise as the theory has it, and an epsilon that is what it says."""

import numpy as np
import pytest

from onefold.model.errors import BadInput, NotAllowed
from onefold.model.records import OWNER, Asker
from onefold.sharing import releases
from onefold.sharing.releasing import Noise, counted, threshold
from receivers import House, event
from worlds import START

pytestmark = [pytest.mark.usefixtures("later"), pytest.mark.long]

DAY = 86_400_000_000
FROM = START // DAY * DAY


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = House.make(tmp_path_factory.mktemp("releases"))
    made.world.send(
        *(
            event("pin_saved", f"m{i}.{day}", f"u{i}", day * 86400)
            for i in range(200)
            for day in range(2 if i < 150 else 1)
        )
    )
    made.world.fold()
    yield made
    made.world.close()


def release(house, asker=OWNER, **more):
    given = {"event": "pin_saved", "from_time": FROM, "to_time": FROM + 3 * DAY} | more
    what = releases.Release(**given)
    return releases.release(house.world.view(purpose="sharing"), house.state, asker, what)


@pytest.mark.parametrize("scale", [0.5, 2.0, 10.0])
def test_the_noise_is_discrete_laplace_of_its_scale(scale):
    draws = np.array(Noise(scale).added([1000] * 40_000)) - 1000
    ratio = np.exp(-1 / scale)
    variance = 2 * ratio / (1 - ratio) ** 2
    # Five standard errors; that of the variance is sqrt((kurtosis - 1) / n), kurtosis about 6.
    assert abs(draws.mean()) < 5 * np.sqrt(variance / len(draws))
    assert abs(draws.var() / variance - 1) < 5 * np.sqrt(8 / len(draws))
    zero = (1 - ratio) / (1 + ratio)
    assert abs((draws == 0).mean() - zero) < 5 * np.sqrt(zero * (1 - zero) / len(draws))


@pytest.mark.parametrize(("epsilon", "each"), [(0.1, 1), (1.0, 1), (1.0, 5), (2.0, 3)])
def test_opendp_agrees_on_the_epsilon(epsilon, each):
    assert Noise(each / epsilon).epsilon(each) == pytest.approx(epsilon)


@pytest.mark.parametrize("scale", [0.5, 3.0, 20.0])
def test_the_interval_covers_as_often_as_it_says_and_is_no_wider_than_that_takes(scale):
    half, ratio = Noise(scale).half_width(0.95), np.exp(-1 / scale)
    missed = [2 * ratio ** (width + 1) / (1 + ratio) for width in (half, half - 1)]
    assert missed[0] <= 0.05 < missed[1]
    draws = np.abs(np.array(Noise(scale).added([0] * 20_000)))
    # Five standard errors of a share of so many draws.
    slack = 5 * np.sqrt(missed[0] * (1 - missed[0]) / len(draws))
    assert abs((draws > half).mean() - missed[0]) < slack


def test_one_person_changes_no_count_but_his_own_and_not_more_than_he_may():
    draw = np.random.default_rng(3)
    pairs = [(int(p), f"g{g}") for p, g in draw.integers(0, 12, size=(300, 2))]
    pairs = sorted(set(pairs))
    for each in (1, 3):
        whole = counted(pairs, each)
        for person in range(12):
            rest = counted([pair for pair in pairs if pair[0] != person], each)
            groups = {*whole, *rest}
            change = sum(abs(whole.get(g, 0) - rest.get(g, 0)) for g in groups)
            assert change <= each


def test_a_release_tells_its_epsilon_and_is_near_the_truth(house):
    found = release(house)
    ((name, told),) = found.rows
    assert name == "everybody"
    assert abs(told.estimate - 200) < 40
    assert "epsilon 1" in found.definition
    assert "scale 1:" in found.definition


def test_days_without_enough_people_are_not_told(house):
    rows = release(house, by="day", each=2).rows
    assert len(rows) == 3
    assert rows[2][1] is None
    assert all(told is not None for _, told in rows[:2])


def test_the_name_of_a_group_of_one_is_told_with_a_chance_of_delta():
    assert threshold(1, 1.0) == 15
    assert threshold(5, 0.5) > threshold(1, 0.5) > threshold(1, 1.0)


def test_the_budget_ends_whatever_the_question_is_called(house):
    for name in ("pin_saved", "renamed", "another"):
        release(house, event=name)
    with pytest.raises(NotAllowed, match="used up"):
        release(house, event="fourth", epsilon=0.5)
    other = Asker("Ines", "analyst")
    for _time in range(3):
        release(house, other)
    with pytest.raises(NotAllowed, match="all together"):
        release(house, Asker("Ada", "analyst"), epsilon=0.01)


def test_what_is_no_release_is_refused(house):
    for more in ({"epsilon": 0.0}, {"epsilon": 9.0}, {"each": 0}, {"k": 2}, {"by": "person"}):
        with pytest.raises(BadInput):
            release(house, **more)
    assert release(house).rows


def test_without_the_extra_it_says_how_to_install_it(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(BadInput) as refused:
        Noise(1.0)
    assert "onefold[privacy]" in refused.value.fix
