"""Calls about what people may ask for: their data, to be erased, and the register of both."""

from dataclasses import replace

from onefold.model.time import day_start, parse_date
from onefold.runtime import call_params as take
from onefold.runtime import people_requests as requests
from onefold.runtime import retention
from onefold.runtime.erasing import erase
from onefold.runtime.known_by import known_by
from onefold.runtime.leaving import take_back
from onefold.runtime.registry import Asked, Body, named
from onefold.runtime.telling import export


@named("person erase", take.WhoParams, action="settings", changes=True)
def _person_erase(asked: Asked, params: take.WhoParams) -> Body:
    """Erase a person from every plane, so that nothing brings them back."""
    done = erase(asked.workspace, asked.asker, params.id, asked.progress)
    late = take_back(asked.workspace, asked.asker)
    told = f"Not told yet, and tried again: {', '.join(late)}."
    return replace(done, notes=(*done.notes, told)) if late else done


@named("person export", take.PersonExportParams, action="settings", changes=True)
def _person_export(asked: Asked, params: take.PersonExportParams) -> Body:
    """Write everything about a person into a folder: JSON, and a page to read."""
    return export(asked.workspace, asked.asker, params.id, params.folder)


@named("person request", take.RequestParams, action="settings", changes=True)
def _person_request(asked: Asked, params: take.RequestParams) -> Body:
    """Note what a person asked for, so that its deadline is kept."""
    workspace = asked.workspace
    workspace.catch_up(asked.progress)
    received = None
    if params.received is not None:
        received = day_start(parse_date(params.received), workspace.settings.zone)
    requests.noted(
        workspace.state,
        asked.asker,
        params.kind,
        known_by(workspace, params.id).person_id,
        now=workspace.clock(),
        due_days=params.days,
        received_time=received,
    )
    return requests.register(workspace.state, now=workspace.clock())


@named("expiry show", take.Nothing, action="settings")
def _retention_show(asked: Asked, _: take.Nothing) -> Body:
    """For how long events and imported rows are kept, and what has expired."""
    return retention.outlook(asked.workspace)


@named("expiry enforce", take.Nothing, action="settings", changes=True)
def _retention_enforce(asked: Asked, _: take.Nothing) -> Body:
    """Erase now what is kept no longer; the server does so once a day."""
    return retention.enforce(asked.workspace, asked.asker, asked.progress)


@named("person requests", take.Nothing, action="settings")
def _person_requests(asked: Asked, _: take.Nothing) -> Body:
    """What people asked for, until when it is due, and what became of it."""
    return requests.register(asked.workspace.state, now=asked.workspace.clock())
