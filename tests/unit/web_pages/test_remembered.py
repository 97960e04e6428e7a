"""An answer is kept for a moment, for one workspace, under all it depends on."""

from onefold.web.remembered import MOST, remembered


class Workspace:
    """Only its clock is asked."""

    now = 0

    def clock(self):
        return self.now


def test_an_answer_is_asked_again_only_when_it_is_too_old():
    workspace, asked = Workspace(), []

    def make():
        asked.append(workspace.now)
        return len(asked)

    assert remembered(workspace, "a", make, sight=None, seconds=30) == 1
    workspace.now = 29_000_000
    assert remembered(workspace, "a", make, sight=None, seconds=30) == 1
    workspace.now = 30_000_000
    assert remembered(workspace, "a", make, sight=None, seconds=30) == 2
    assert remembered(workspace, "b", make, sight=None, seconds=30) == 3


def test_two_workspaces_share_nothing_and_the_shelf_stays_small():
    one, two = Workspace(), Workspace()
    assert remembered(one, "a", lambda: "one", sight=None) == "one"
    assert remembered(two, "a", lambda: "two", sight=None) == "two"
    for place in range(2 * MOST):
        one.now = place
        assert remembered(one, place, lambda place=place: place, sight=None) == place
    assert remembered(one, "a", lambda: "made anew", sight=None) == "made anew"


def test_what_one_may_see_is_never_given_to_another():
    one = Workspace()
    assert remembered(one, "a", lambda: "all", sight="all") == "all"
    assert remembered(one, "a", lambda: "some", sight="some") == "some"
    assert remembered(one, "a", lambda: "anew", sight="all") == "all"
