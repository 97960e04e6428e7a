"""Calls about what leaves the house: destinations, transfers across borders."""

from typing import Any, Literal

import msgspec

from onefold.model.errors import BadInput
from onefold.model.records import Answer, Column
from onefold.model.time import day_start, parse_date
from onefold.runtime import call_params as take
from onefold.runtime.leaving import house_of, run_destination
from onefold.runtime.registry import Asked, Body, named
from onefold.runtime.schedules import alone
from onefold.sharing import Destination, Run, destinations, runs, transfers

Kind = Literal["files", "webhook", "postgres", "audience"]


class DestinationParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A destination; what is left out stays, or takes its default. Lists are apart by commas."""

    name: str
    kind: Kind | None = None
    purpose: str | None = None
    region: str | None = None
    basis: str | None = None
    environment: take.Environment | None = None
    every: str | None = None
    stopped: bool | None = None
    format: str | None = None
    url: str | None = None
    table: str | None = None
    platform: str | None = None
    events: str | None = None
    allow: str | None = None
    names: bool | None = None


class DestinationName(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which destination."""

    name: str


class TransferParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """On what data may go from one region to another, and until which day."""

    from_region: str
    to_region: str
    basis: str
    note: str
    until: str | None = None


class BasisParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which basis of the register."""

    id: int


class LastParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The latest of many."""

    last: int = 100


_SETTINGS = ("format", "url", "table", "platform", "names")
_LISTS = ("events", "allow")
_FIELDS = ("purpose", "region", "basis", "environment", "every", "stopped")


def _settings(params: DestinationParams) -> dict[str, Any]:
    given = msgspec.structs.asdict(params)
    found = {name: given[name] for name in _SETTINGS if given[name] is not None}
    for name in _LISTS:
        if given[name] is not None:
            parts = [part.strip() for part in given[name].split(",")]
            found[name] = [part for part in parts if part]
    return found


def _fields(params: DestinationParams) -> dict[str, Any]:
    given = msgspec.structs.asdict(params)
    return {name: given[name] for name in _FIELDS if given[name] is not None}


@named("destination list", take.Nothing)
def _destination_list(asked: Asked, _: take.Nothing) -> Body:
    """Where data goes, for which purpose, on what basis, and how that does."""
    return destinations.listed(asked.workspace.state)


@named("destination add", DestinationParams, action="settings", changes=True)
def _destination_add(asked: Asked, params: DestinationParams) -> Body:
    """Register a destination with purpose, region and basis; show its secret once."""
    missing = [n for n in ("kind", "purpose", "region", "basis") if getattr(params, n) is None]
    if missing:
        message = f"A destination needs its {' and '.join(missing)}."
        raise BadInput(message, f"Give --{missing[0]}.")
    one = Destination(
        name=params.name, kind=str(params.kind), settings=_settings(params), **_fields(params)
    )
    made = destinations.add_destination(asked.workspace.state, asked.asker, one)
    notes = ["The secret is shown once; the receiver checks signatures by it."]
    return {"name": made.name, "secret": made.secret, "notes": notes}


@named("destination set", DestinationParams, action="settings", changes=True)
def _destination_set(asked: Asked, params: DestinationParams) -> Body:
    """Change a destination; what is not given stays."""
    if params.kind is not None:
        fix = "Register another destination."
        raise BadInput("The kind of a destination cannot change.", fix)
    changes = {**_fields(params), "settings": _settings(params)}
    destinations.set_destination(asked.workspace.state, asked.asker, params.name, changes)
    return destinations.listed(asked.workspace.state)


@named("destination remove", DestinationName, action="settings", changes=True)
def _destination_remove(asked: Asked, params: DestinationName) -> Body:
    """Remove a destination at which nothing stands any more."""
    destinations.remove_destination(asked.workspace.state, asked.asker, params.name)
    return {"name": params.name, "removed": True}


@named("destination run", DestinationName, action="settings", changes=True)
def _destination_run(asked: Asked, params: DestinationName) -> Body:
    """Send what is new now; take back first what is not allowed any more."""
    return _told(run_destination(asked.workspace, asked.asker, params.name))


@named("destination empty", DestinationName, action="settings", changes=True)
def _destination_empty(asked: Asked, params: DestinationName) -> Body:
    """Take everything back that a destination was sent, and stop it."""
    workspace = asked.workspace
    with alone(workspace, f"destination {params.name}", what="run of"):
        return _told(runs.empty(house_of(workspace, asked.asker), params.name))


@named("destination replay", DestinationName, action="settings", changes=True)
def _destination_replay(asked: Asked, params: DestinationName) -> Body:
    """Deliver the dead letters of a destination anew, as far as consent allows them now."""
    workspace = asked.workspace
    with alone(workspace, f"destination {params.name}", what="run of"):
        return _told(runs.replay(house_of(workspace, asked.asker), params.name))


@named("destination letters", DestinationName)
def _destination_letters(asked: Asked, params: DestinationName) -> Body:
    """The dead letters of a destination: stretches of the log that its receiver did not take."""
    destinations.destination_named(asked.workspace.state, params.name)
    found = runs.letters(asked.workspace.state, params.name)
    return Answer(
        columns=(
            Column("id", "integer"),
            Column("first_offset", "integer"),
            Column("last_offset", "integer"),
            Column("tries", "integer"),
            Column("given_up_time", "time"),
            Column("reason", "text"),
        ),
        rows=tuple((o.id, o.first, o.last, o.tries, o.time, o.reason) for o in found),
        definition="No content is kept of them; a replay asks anew what consent allows.",
    )


def _told(done: Run) -> dict[str, Any]:
    notes = ["There is more to send; it goes with the next run."] if done.more else []
    return {
        "destination": done.destination,
        "events": done.events,
        "taken_back_of": done.taken_back,
        "deliveries": done.batches,
        "offset": done.cursor,
        "notes": notes,
    }


@named("transfer list", take.Nothing)
def _transfer_list(asked: Asked, _: take.Nothing) -> Body:
    """On what data may cross which border, who said so, and until when."""
    return transfers.listed(asked.workspace.state)


@named("transfer register", TransferParams, action="settings", changes=True)
def _transfer_register(asked: Asked, params: TransferParams) -> Body:
    """Register on what data may go from one region to another."""
    zone = asked.workspace.settings.zone
    until = None if params.until is None else day_start(parse_date(params.until), zone)
    transfers.register(
        asked.workspace.state,
        asked.asker,
        from_region=params.from_region,
        to_region=params.to_region,
        basis=params.basis,
        note=params.note,
        until_time=until,
    )
    return transfers.listed(asked.workspace.state)


@named("transfer revoke", BasisParams, action="settings", changes=True)
def _transfer_revoke(asked: Asked, params: BasisParams) -> Body:
    """Let a basis end now; nothing new crosses that border on it."""
    transfers.revoke(asked.workspace.state, asked.asker, params.id)
    return transfers.listed(asked.workspace.state)


@named("transfer happened", LastParams, action="audit")
def _transfer_happened(asked: Asked, params: LastParams) -> Body:
    """What went across a border, when, and on what it rested."""
    return transfers.happened(asked.workspace.state, last=params.last)
