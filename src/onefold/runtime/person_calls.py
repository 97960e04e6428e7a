"""Calls about what people may ask for: their data, to be erased, and the register of both."""

from onefold.runtime import call_params as take
from onefold.runtime import people_requests as requests
from onefold.runtime.erasing import erase
from onefold.runtime.registry import Asked, Body, named


@named("person erase", take.WhoParams, action="settings", changes=True)
def _person_erase(asked: Asked, params: take.WhoParams) -> Body:
    """Erase a person from every plane, so that nothing brings them back."""
    return erase(asked.workspace, asked.asker, params.id, asked.progress)


@named("person requests", take.Nothing, action="settings")
def _person_requests(asked: Asked, _: take.Nothing) -> Body:
    """What people asked for, until when it is due, and what became of it."""
    return requests.register(asked.workspace.state, now=asked.workspace.clock())
