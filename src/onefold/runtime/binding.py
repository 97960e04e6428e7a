"""Which calls are changes that have to be signed, and what each would do with data."""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

import msgspec

from onefold.collect import Catalogue
from onefold.governance import approvals
from onefold.model.records import Asker
from onefold.runtime.reviewing import fields_of, purposes_of, sources_of
from onefold.runtime.workspace import Workspace
from onefold.sharing import destinations

_WHOLE = ("kind", "purpose", "region", "basis")
"""What a destination needs; where one is missing the call refuses it."""
Made = Callable[[Workspace, Mapping[str, Any]], approvals.Use]


def settled(
    workspace: Workspace, asker: Asker, name: str, params: msgspec.Struct
) -> approvals.Draft | None:
    """Pass when a call may be made now; return its draft, to be told `done` of, if it has one.

    Raises:
        NotAllowed: It waits to be signed, or was refused; the draft stands in the queue.
        NotFound: There is no destination of the name.
    """
    given = {key: kept for key, kept in msgspec.to_builtins(params).items() if kept is not None}
    if name not in _USES or _waits_for_nobody(name, given):
        return None
    use = _USES[name](workspace, given)
    content = msgspec.json.encode([name, sorted(given.items())])
    proposal = approvals.Proposal(
        use.kind,
        f"{name} {given.get('name', '')}".strip(),
        blake2b(content, digest_size=32).hexdigest(),
        tuple(f"{key}: {_shown(key, kept)}" for key, kept in given.items()),
        use,
    )
    return approvals.settle(workspace.state, proposal, asker=asker, now=workspace.clock())


def _waits_for_nobody(name: str, given: Mapping[str, Any]) -> bool:
    """Return whether nothing more goes anywhere by it: it stops something, or lacks something."""
    if name == "destination add":
        return not all(part in given for part in _WHOLE)
    if name == "personalization switch":
        return bool(given["to"] == "off")
    return name == "destination set" and given.get("stopped") is True and len(given) == 2


def _shown(key: str, kept: object) -> object:
    """Return a value as the queue shows it: of an address the host, for it may hold a password."""
    if key != "url":
        return kept
    try:
        return urlsplit(str(kept)).hostname or "(no host)"
    except ValueError:
        return "(no host)"


def _added(workspace: Workspace, given: Mapping[str, Any]) -> approvals.Use:
    return _destination(workspace, given, str(given.get("events", "")).split(","))


def _changed(workspace: Workspace, given: Mapping[str, Any]) -> approvals.Use:
    one = destinations.destination_named(workspace.state, given["name"])
    stands = {"purpose": one.purpose, "region": one.region, "basis": one.basis}
    kept = one.settings.get("events") or ()
    events = str(given["events"]).split(",") if "events" in given else list(kept)
    return _destination(workspace, {**stands, **given}, events)


def _destination(
    workspace: Workspace, given: Mapping[str, Any], events: list[str]
) -> approvals.Use:
    catalogue = Catalogue.read(workspace.definitions / "events")
    named = {event.strip() for event in events if event.strip()}
    place = approvals.Place(given["name"], given.get("region", ""), given.get("basis", ""))
    return approvals.Use(
        kind="destination",
        fields=fields_of(catalogue, named or set(catalogue.events)),
        purposes=(given.get("purpose", "sharing"),),
        sources=sources_of(workspace),
        destinations=(place,),
    )


def _crossing(workspace: Workspace, given: Mapping[str, Any]) -> approvals.Use:
    catalogue = Catalogue.read(workspace.definitions / "events")
    place = approvals.Place(given["to_region"], given["to_region"], given["basis"])
    return approvals.Use(
        kind="transfer",
        fields=fields_of(catalogue, catalogue.events),
        purposes=purposes_of(catalogue, catalogue.events),
        sources=sources_of(workspace),
        destinations=(place,),
    )


def _personalized(workspace: Workspace, _: Mapping[str, Any]) -> approvals.Use:
    return approvals.Use(
        kind="consent_policy",
        purposes=("personalization",),
        sources=sources_of(workspace),
        shows=True,
    )


_USES: dict[str, Made] = {
    "destination add": _added,
    "destination set": _changed,
    "transfer register": _crossing,
    "personalization switch": _personalized,
}
"""Call -> what it would do with data. What only stops something is not asked for."""
