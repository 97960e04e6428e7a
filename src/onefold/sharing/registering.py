"""Destinations: registered with purpose, region and basis before anything goes there."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from onefold.collect import imports
from onefold.consent import purpose_bit
from onefold.model.errors import BadInput, did_you_mean, unknown
from onefold.model.records import Answer, Asker, Column
from onefold.sharing import store
from onefold.sharing.crossing import check_region
from onefold.sharing.drops import FORMATS
from onefold.sharing.guard import check_url
from onefold.sharing.hashing import PLATFORMS
from onefold.sharing.queries import PINTEREST
from onefold.sharing.records import AUDIENCE, FILES, KINDS, POSTGRES, WEBHOOK, Destination
from onefold.sharing.signing import new_secret

if TYPE_CHECKING:
    from onefold.store import State

ADVERTISING = "advertising"
FOLDER = "outgoing"
"""Where files for receivers stand, in the workspace."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}(?:\.[A-Za-z_][A-Za-z0-9_]{0,62})?")
_ENVIRONMENTS = ("production", "staging", "development")
_SETTINGS: dict[str, frozenset[str]] = {
    FILES: frozenset({"format", "events", "names"}),
    WEBHOOK: frozenset({"url", "events", "names", "allow"}),
    POSTGRES: frozenset({"url", "table", "events", "names"}),
    AUDIENCE: frozenset({"platform"}),
}
"""What each kind takes."""
_SHAPES = ("format", "names", "table", "platform")
"""What says how that looks which stands at the receiver."""


def list_destinations(state: "State") -> tuple[Destination, ...]:
    """Return all destinations by name."""
    return store.destinations(state)


def destination_named(state: "State", name: str) -> Destination:
    """Return a destination.

    Raises:
        NotFound: There is none of that name.
    """
    known = {one.name: one for one in store.destinations(state)}
    if name not in known:
        raise unknown("destination", name, known)
    return known[name]


def add_destination(state: "State", asker: Asker, one: Destination) -> Destination:
    """Register a destination and return it with its secret.

    Raises:
        BadInput: A field is not what it should be; the message says which.
        Conflict: There is one of that name.
    """
    made = replace(
        one, settings=_plain(one), secret=new_secret(), created_time=state.now(), cursor=-1
    )
    check_destination(made)
    with state.change(asker, "destination.add", made.name, detail=_told(made)) as change:
        store.put_destination(change, made)
    return made


def set_destination(
    state: "State", asker: Asker, name: str, changes: Mapping[str, Any]
) -> Destination:
    """Change a destination and return it; settings are merged, None takes one away.

    Another purpose, environment or choice of events lets the next run take back what is not
    meant any more, and send what is.

    Raises:
        NotFound: There is no such destination.
        BadInput: A field is not what it should be, or it would look otherwise than what stands.
    """
    former = destination_named(state, name)
    given = dict(changes)
    settings = {**former.settings, **given.pop("settings", {})}
    made = replace(former, **given, settings=settings)
    made = replace(made, settings=_plain(made))
    check_destination(made)
    moved = made.kind == POSTGRES and made.settings["url"] != former.settings["url"]
    if former.sent_events and (moved or _shape(former) != _shape(made)):
        message = f"{former.sent_events:,} events stand at `{name}` in another shape or place."
        raise BadInput(message, f"Take them back first: `onefold destination empty {name}`.")
    fields = {key: getattr(made, key) for key in given} | {"settings": made.settings}
    # Tried at once: what was changed may be what was wrong.
    fields |= {"tries": 0, "next_time": None, "trouble": "", "last_time": None}
    with state.change(asker, "destination.set", name, detail=_told(made)) as change:
        store.set_destination(change, name, fields)
    return destination_named(state, name)


def remove_destination(state: "State", asker: Asker, name: str) -> Destination:
    """Remove a destination and return it as it was; what it was sent is not taken back by that.

    Raises:
        NotFound: There is no such destination.
        BadInput: Something stands there still.
    """
    former = destination_named(state, name)
    if former.sent_events:
        message = f"{former.sent_events:,} events still stand at `{name}`."
        fix = f"Take them back first: `onefold destination empty {name}`."
        raise BadInput(message, fix)
    with state.change(asker, "destination.remove", name, detail=_told(former)) as change:
        store.drop_destination(change, name)
    return former


def check_destination(one: Destination) -> None:
    """Pass where a destination can be used.

    Raises:
        BadInput: It cannot; the message says why.
        NotFound: There is no such purpose.
    """
    if not _NAME.fullmatch(one.name):
        message = f"`{one.name[:80]}` is no name of a destination."
        raise BadInput(message, "Use small letters, digits, - and _.")
    if one.kind not in KINDS:
        message = f"No kind `{one.kind}`.{did_you_mean(one.kind, KINDS)}"
        raise BadInput(message, f"Use one of: {', '.join(KINDS)}.")
    purpose_bit(one.purpose)
    check_region(one.region)
    if not one.basis.strip():
        message = f"Nothing is told on what basis `{one.name}` gets data."
        raise BadInput(message, "Name the contract or the consent it rests on with --basis.")
    if one.environment not in _ENVIRONMENTS:
        raise BadInput(
            f"No environment `{one.environment}`.", f"Use one of: {', '.join(_ENVIRONMENTS)}."
        )
    imports.every_of(one.every)
    _check_settings(one)


def _check_settings(one: Destination) -> None:
    strange = sorted(set(one.settings) - _SETTINGS[one.kind])
    if strange:
        known = ", ".join(sorted(_SETTINGS[one.kind]))
        message = f"A destination of kind {one.kind} takes no `{strange[0]}`."
        raise BadInput(message, f"It takes: {known}.")
    for_ads = one.kind == AUDIENCE or one.settings.get("format") == PINTEREST
    if for_ads and one.purpose != ADVERTISING:
        message = f"`{one.name}` is for an ad platform, but its purpose is {one.purpose}."
        raise BadInput(message, f"Let its purpose be {ADVERTISING}.")
    if one.kind == WEBHOOK:
        check_url(_needed(one, "url"), one.settings.get("allow") or ())
    if one.kind == POSTGRES:
        if not _needed(one, "url").startswith(("postgresql://", "postgres://")):
            raise BadInput("The address is none of PostgreSQL.", "Write postgresql://HOST/NAME.")
        table = one.settings.get("table")
        if table is not None and not _TABLE.fullmatch(table):
            raise BadInput(f"`{table[:80]}` is no table.", "Write TABLE or SCHEMA.TABLE.")
    if one.kind == FILES and one.settings.get("format") not in FORMATS:
        message = f"No format `{one.settings.get('format')}`."
        raise BadInput(message, f"Use one of: {', '.join(FORMATS)}.")
    if one.kind == AUDIENCE and one.settings.get("platform") not in PLATFORMS:
        message = f"No platform `{one.settings.get('platform')}`."
        raise BadInput(message, f"Use one of: {', '.join(PLATFORMS)}.")


def _needed(one: Destination, name: str) -> str:
    value = one.settings.get(name)
    if not value:
        raise BadInput(f"`{one.name}` has no {name}.", f"Give it with --{name}.")
    return str(value)


def _plain(one: Destination) -> dict[str, Any]:
    """Return settings without those that say nothing, and with the defaults of the kind."""
    found = {name: value for name, value in one.settings.items() if value not in (None, [], "")}
    if one.kind == FILES:
        found.setdefault("format", FORMATS[0])
    return found


def _shape(one: Destination) -> tuple[object, ...]:
    return tuple(one.settings.get(name) for name in _SHAPES)


def _told(one: Destination) -> dict[str, object]:
    """Return what the trail keeps of a destination: no secrets."""
    return {
        "kind": one.kind,
        "purpose": one.purpose,
        "region": one.region,
        "basis": one.basis,
        "environment": one.environment,
        "every": one.every,
        "stopped": one.stopped,
        "settings": shown_settings(one),
    }


def shown_settings(one: Destination) -> dict[str, object]:
    """Return the settings of a destination as they may be shown: no password of a database."""
    found: dict[str, object] = dict(one.settings)
    if one.kind == POSTGRES:
        found["url"] = re.sub(r"(?<=:)[^:@/]+(?=@)", "***", str(found.get("url", "")))
    if one.kind == WEBHOOK:
        # The path of a webhook is often its password.
        scheme, _, rest = str(found.get("url", "")).partition("://")
        found["url"] = f"{scheme}://{rest.partition('/')[0]}/***"
    return found


def listed(state: "State") -> Answer:
    """Return the destinations as an answer, without their secrets."""
    dead: dict[str, int] = {}
    for one in store.dead_letters(state):
        dead[one.destination] = dead.get(one.destination, 0) + 1
    names = ("destination", "kind", "purpose", "region", "basis", "every", "settings", "state")
    return Answer(
        columns=(
            *(Column(name, "text") for name in names),
            Column("events", "integer"),
            Column("dead_letters", "integer"),
            Column("last_time", "time"),
            Column("next_time", "time"),
            Column("trouble", "text"),
        ),
        rows=tuple(
            (
                one.name,
                one.kind,
                one.purpose,
                one.region,
                one.basis,
                one.every,
                ", ".join(f"{name}={value}" for name, value in sorted(shown_settings(one).items())),
                state_of(one),
                one.sent_events,
                dead.get(one.name, 0),
                one.last_time,
                one.next_time,
                one.trouble,
            )
            for one in store.destinations(state)
        ),
        definition="Where data goes. `events` is what stands there now by our ledger: delivered, "
        "and not taken back since.",
        as_of_time=state.now(),
    )


def state_of(one: Destination) -> str:
    """Return how a destination does, in a word or two."""
    if one.stopped:
        return "stopped"
    if one.trouble:
        return "tried again" if one.next_time is not None else "blocked"
    return "not yet" if one.last_time is None else "sends"
