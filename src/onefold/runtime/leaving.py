"""What leaves the house by itself: destinations that are due, and what must be taken back."""

import logging
from dataclasses import replace

from onefold.collect import imports
from onefold.consent import proofs
from onefold.model.errors import OnefoldError
from onefold.model.records import Asker, Question
from onefold.model.time import SECOND
from onefold.runtime.schedules import SCHEDULE, alone
from onefold.runtime.threads import Loop
from onefold.runtime.workspace import Workspace
from onefold.sharing import Destination, Run, destinations, runs

_LOOK_SECONDS = 5.0
TAKE_BACK_EVERY = 20 * SECOND
"""How often every destination is looked at for what is not allowed any more, due or not."""
_log = logging.getLogger("onefold.house")


def house_of(workspace: Workspace, asker: Asker = SCHEDULE) -> runs.House:
    """Return what a run of a destination works with; the trail names the asker.

    The View is the schedule's whoever presses the button: what a receiver gets is a matter of its
    purpose and not of who is there.
    """
    return runs.House(
        state=workspace.state,
        vault=workspace.vault,
        folder=workspace.folder,
        clock=workspace.clock,
        view=lambda question: workspace.view(_of_schedule(question)),
        through=workspace.facts_offset,
        asker=asker,
    )


def run_destination(workspace: Workspace, asker: Asker, name: str, *, fresh: bool = True) -> Run:
    """Run a destination now.

    Raises:
        Conflict: A run of it goes on.
        NotAllowed, MachineFailed: It is blocked, or its receiver did not take something.
    """
    with alone(workspace, f"destination {name}", what="run of"):
        house = house_of(workspace, asker)
        done = runs.run(house, name, fresh=fresh)
    _prove(workspace, name, house.through)
    return done


def _prove(workspace: Workspace, name: str, offset: int) -> None:
    """Put into the register that a destination obeys all that was withdrawn up to an offset."""
    purpose = destinations.destination_named(workspace.state, name).purpose
    place, now = f"destination:{name}", workspace.clock()
    proofs.applied(workspace.state, place, purpose=purpose, offset=offset, now=now)


def due(workspace: Workspace, one: Destination) -> bool:
    """Return whether something new is to go to a destination now."""
    now = workspace.clock()
    if one.stopped:
        return False
    if one.next_time is not None:
        return one.next_time <= now
    if one.last_time is None:
        return True
    return imports.every_of(one.every).after(one.last_time, workspace.settings.zone) <= now


def send_due(workspace: Workspace, looked: dict[str, int]) -> int:
    """Run every destination that is due, and take back what any other has to drop.

    Args:
        workspace: Whose.
        looked: Destination -> when it was last looked at, microseconds; kept up to date.

    Returns:
        How many were run.
    """
    done = 0
    for one in destinations.list_destinations(workspace.state):
        now = workspace.clock()
        fresh = due(workspace, one)
        if not fresh and now - looked.get(one.name, 0) < TAKE_BACK_EVERY:
            continue
        looked[one.name] = now
        try:
            run_destination(workspace, SCHEDULE, one.name, fresh=fresh)
        except OnefoldError as error:
            # It stands in the state, and on the page of Data.
            _log.warning("The destination %s: %s", one.name, error.message)
        except Exception as error:  # noqa: BLE001 - one that fails costs the others nothing
            # The text of an exception may quote a value of somebody: its kind alone is told.
            runs.note_trouble(workspace.state, one.name, type(error).__name__)
            _log.exception("The destination %s broke off.", one.name)
        done += 1
    return done


def take_back(workspace: Workspace, asker: Asker) -> tuple[str, ...]:
    """Have every receiver drop at once what is not allowed any more.

    Returns:
        The destinations that could not be told yet; they are tried again.
    """
    late = []
    for one in destinations.list_destinations(workspace.state):
        try:
            run_destination(workspace, asker, one.name, fresh=False)
        except OnefoldError as error:
            _log.warning("The destination %s: %s", one.name, error.message)
            late.append(one.name)
    return tuple(late)


def _of_schedule(question: Question) -> Question:
    return replace(question, asker=SCHEDULE)


class SendLoop(Loop):
    """Sends what is due, in a thread of its own, until it is told to stop.

    No import and no question holds it up: what is withdrawn is taken back within a minute. When
    it is stopped, a batch under way comes to its end first.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("destinations")
        self._workspace = workspace

    def _run(self) -> None:
        looked: dict[str, int] = {}
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                send_due(self._workspace, looked)
            except OnefoldError as error:
                # The state is held or full: what is due stays due.
                _log.warning("No destination could be looked for: %s", error.message)
