"""Nothing acknowledged is lost and nothing is counted twice, whoever dies and whenever.

The processes are ended with SIGKILL at moments of a load that a seed draws; a house that is
stopped for a while before lets the folds lag. Then all that was ever attempted is sent again.
"""

import httpx
import pytest

from kill import rounds_of_death
from load import Load
from serving import Server, Workspace, until


def assert_nothing_lost(tmp_path, *, rounds: int, seed: int) -> None:
    came = rounds_of_death(tmp_path, rounds=rounds, seed=seed)
    assert came.acknowledged, "the load was never answered"
    assert came.lost == 0, "an acknowledged event is lost"
    assert came.twice == 0, "an event is counted twice"
    assert came.refused == 0, "the death of the house refused a request"
    assert came.unlike == ()


@pytest.mark.timeout(900)
def test_each_event_counts_once_after_six_deaths(tmp_path):
    assert_nothing_lost(tmp_path, rounds=6, seed=11)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_each_event_counts_once_after_twenty_five_deaths(tmp_path):
    assert_nothing_lost(tmp_path, rounds=25, seed=12)


@pytest.mark.timeout(600)
def test_the_death_of_the_house_refuses_no_request(tmp_path):
    workspace = Workspace.make(tmp_path / "kept")
    with Server(workspace) as server:
        load = Load(3, workspace.write_key)
        load.start(server.url)
        try:
            for _ in range(2):
                (house,) = server.houses
                server.kill(door=False)
                until(lambda old=house: server.houses not in ([], [old]), seconds=20)
                server.wait_ready()
        finally:
            load.end()
        assert len(load.answers) > 20
        assert set(load.answers) == {httpx.codes.OK}
        server.wait_folded()
        assert workspace.checksums()["events"][0] == len(load.attempted)
