"""Which calls are changes that have to be signed, and what each would do with data."""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

import msgspec

from onefold.collect import Catalogue, sources
from onefold.governance import approvals
from onefold.metrics import versions
from onefold.model.records import Asker
from onefold.runtime import widening
from onefold.runtime.placing import placed
from onefold.runtime.reviewing import fields_of, purposes_of, sources_of
from onefold.runtime.workspace import Workspace
from onefold.sharing import destinations

_WHOLE = ("kind", "purpose", "region", "basis")
"""What a destination needs; where one is missing the call refuses it."""
_HIDDEN = frozenset({"salt", "id"})
"""Parameters that no queue shows: a secret between two parties, who a person is."""
_ASKING = "opt-in"
"""The basis of a source that keeps nothing personal unless somebody said yes."""
_STEP = 1 << 20
_MOST_SUBJECT = 300
_MOST_SHOWN = 1_000
Made = Callable[[Workspace, Mapping[str, Any]], approvals.Use]


def settled(
    workspace: Workspace, asker: Asker, name: str, params: msgspec.Struct
) -> approvals.Draft | None:
    """Pass when a call may be made now; return its draft, for `making`, if it has one.

    Raises:
        NotAllowed: It waits to be signed, or was refused; the draft stands in the queue.
        NotFound: There is no destination or user of the name.
        Conflict: It is being made.
    """
    given = {key: kept for key, kept in msgspec.to_builtins(params).items() if kept is not None}
    if name not in _USES or _waits_for_nobody(workspace, asker, name, given):
        return None
    use = _USES[name](workspace, given)
    proposal = approvals.Proposal(
        use.kind,
        f"{name} {given.get('name', '')}".strip()[:_MOST_SUBJECT],
        _digest(workspace, asker, name, given),
        tuple(f"{key}: {_shown(key, kept)}" for key, kept in given.items()),
        use,
    )
    return approvals.settle(workspace.state, proposal, asker=asker, now=workspace.clock())


def _digest(workspace: Workspace, asker: Asker, name: str, given: Mapping[str, Any]) -> str:
    """Return the hash of what is signed: the call, the file that it reads, what it would run.

    It is keyed, so that nobody tells from the state by trying whom a call is about.
    """
    told: list[object] = [name, sorted(given.items())]
    if "file" in given:
        told.append(_content(workspace, asker, given["file"]))
    if name in _RUNS:
        told.append(msgspec.to_builtins(_standing(workspace, given["name"])))
    content = msgspec.json.encode(told)
    return blake2b(content, digest_size=32, key=workspace.identity_key).hexdigest()


def _content(workspace: Workspace, asker: Asker, path: str) -> str:
    """Return the hash of a file; of one that cannot be read none, and the call refuses it."""
    hashed = blake2b(digest_size=32)
    file = placed(workspace, asker, path)
    try:
        # A pipe or a device has no end; such a file is for the call to refuse.
        if not file.is_file():
            return ""
        with file.open("rb") as stream:
            while part := stream.read(_STEP):
                hashed.update(part)
    except OSError:
        return ""
    return hashed.hexdigest()


def _standing(workspace: Workspace, name: str) -> dict[str, object]:
    """Return what says where a destination sends, on what it rests."""
    one = destinations.destination_named(workspace.state, name)
    kept = ("kind", "purpose", "region", "basis", "environment", "settings")
    return {part: getattr(one, part) for part in kept}


def _waits_for_nobody(
    workspace: Workspace, asker: Asker, name: str, given: Mapping[str, Any]
) -> bool:
    """Return whether nobody may more by it and nothing more goes anywhere: it stops or lacks."""
    if name in widening.CALLS:
        return not widening.widens(workspace, asker, name, given)
    if name == "destination add":
        return not all(part in given for part in _WHOLE)
    if name == "personalization switch":
        return bool(given["to"] == "off")
    if name in {"source add", "source set"}:
        return _asks_as_before(workspace, given)
    if name == "approval need":
        return given["kind"] not in approvals.KINDS
    return name == "destination set" and given.get("stopped") is True and len(given) == 2


def _asks_as_before(workspace: Workspace, given: Mapping[str, Any]) -> bool:
    """Return whether of a source's people no more is kept than before: by basis, and by region."""
    known = sources.list_sources(workspace.state)
    former = next((one for one in known if one.name == given["name"]), None)
    basis = given.get("basis", _ASKING)
    if former is None:
        return bool(basis == _ASKING)
    same = given.get("region", former.region) == former.region
    return same and basis in {_ASKING, former.basis}


def _shown(key: str, kept: object) -> object:
    """Return a value as the queue shows it: of an address the host, for it may hold a password."""
    if key in _HIDDEN:
        return "(not shown)"
    if key != "url":
        return kept if len(str(kept)) <= _MOST_SHOWN else f"{str(kept)[:_MOST_SHOWN]} ..."
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


def _run(workspace: Workspace, given: Mapping[str, Any]) -> approvals.Use:
    return _changed(workspace, {"name": given["name"]})


def _joined(workspace: Workspace, given: Mapping[str, Any]) -> approvals.Use:
    return _with_partner(workspace, given, ())


def _to_partner(workspace: Workspace, given: Mapping[str, Any]) -> approvals.Use:
    """Return the use of what a partner gets: nobody says where a partner stands."""
    return _with_partner(workspace, given, (approvals.Place("a partner"),))


def _with_partner(
    workspace: Workspace, given: Mapping[str, Any], to: tuple[approvals.Place, ...]
) -> approvals.Use:
    field = given.get("field", "identifier")
    return approvals.Use(
        kind="join",
        fields=(approvals.FieldUse("people", field, field),),
        purposes=("sharing",),
        sources=sources_of(workspace),
        destinations=to,
    )


def _released(workspace: Workspace, _: Mapping[str, Any]) -> approvals.Use:
    return approvals.Use(kind="release", purposes=("sharing",), sources=sources_of(workspace))


def _defined(workspace: Workspace, given: Mapping[str, Any]) -> approvals.Use:
    """Return the use of a metric that is made on a page, as `apply` would have one of a file."""
    metric = versions.parse_metric(given["text"], "metric")
    return approvals.Use(
        kind="definition", purposes=(metric.purpose,), sources=sources_of(workspace)
    )


def _kept(workspace: Workspace, _: Mapping[str, Any]) -> approvals.Use:
    """Return the use of a source that keeps personal data though nobody said yes."""
    return approvals.Use(kind="consent_policy", sources=sources_of(workspace))


def _erased(_workspace: Workspace, _: Mapping[str, Any]) -> approvals.Use:
    return approvals.Use(kind="erasure")


def _ruled(_workspace: Workspace, given: Mapping[str, Any]) -> approvals.Use:
    """Return the use of another rule: whoever signs a kind of change signs who will."""
    return approvals.Use(kind=given["kind"])


def _let_in(_workspace: Workspace, _: Mapping[str, Any]) -> approvals.Use:
    """Return the use of what lets somebody do more here; no data goes anywhere by it."""
    return approvals.Use(kind="access")


_RUNS = frozenset({"destination run", "destination replay"})
"""Calls that are signed for the destination as it stands."""
_USES: dict[str, Made] = {
    "approval assign": _let_in,
    "approval need": _ruled,
    "destination add": _added,
    "destination replay": _run,
    "destination run": _run,
    "destination set": _changed,
    "intersect answer": _to_partner,
    "intersect ask": _to_partner,
    "join": _joined,
    "key add": _let_in,
    "metric keep": _defined,
    "person erase": _erased,
    "personalization switch": _personalized,
    "release": _released,
    "source add": _kept,
    "source set": _kept,
    "team set": _let_in,
    "transfer register": _crossing,
    "user add": _let_in,
    "user link": _let_in,
    "user set": _let_in,
}
"""Call -> what it would do with data. What only stops something is not asked for."""
BOUND = frozenset(_USES)
"""The calls that are signed; `apply` is besides, by what it would change (see `reviewing`)."""
