"""Where events come from: each source's key, environment and what may be kept of its events."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from onefold.collect import store
from onefold.collect.countries import is_setting
from onefold.collect.holding import HeldItem, event_in, key_of, opened, row_of
from onefold.collect.holding import entry_in as held_in
from onefold.collect.records import Incoming, Source
from onefold.collect.stating import ENTRY, ConsentEntry
from onefold.collect.suppression import Suppressed
from onefold.consent import BASES
from onefold.model.errors import BadInput, unknown
from onefold.model.records import Asker
from onefold.model.time import now as machine_time

if TYPE_CHECKING:
    from onefold.store import State

__all__ = [
    "BASES",
    "ENTRY",
    "ENVIRONMENTS",
    "UNPLANNED",
    "ConsentEntry",
    "HeldItem",
    "Incoming",
    "Source",
    "Suppressed",
    "add_source",
    "event_in",
    "held_in",
    "identity_key",
    "key_of",
    "list_sources",
    "opened",
    "row_of",
    "sampling_key",
    "set_source",
    "source_named",
]

ENVIRONMENTS = ("production", "staging", "development")
UNPLANNED = ("allow", "strip", "quarantine")

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CHANGEABLE = ("environment", "basis", "region", "unplanned", "sample", "country", "write_key")


def list_sources(state: "State") -> tuple[Source, ...]:
    """Return the sources in force, oldest first."""
    return store.sources(state)


def suppressed(state: "State") -> Suppressed:
    """Return who was erased and must not come back."""
    return store.suppressed(state)


def source_named(state: "State", name: str) -> Source:
    """Return a source.

    Raises:
        NotFound: There is none of that name.
    """
    known = {source.name: source for source in store.sources(state)}
    if name not in known:
        raise unknown("source", name, known)
    return known[name]


def add_source(state: "State", asker: Asker, source: Source, *, now: int | None = None) -> Source:
    """Add a source and return it.

    Raises:
        BadInput: A field is not one of its words.
        Conflict: There is a source of that name or key.
    """
    _check(source)
    with state.change(asker, "source.add", source.name, detail=_told(source)) as connection:
        store.put_source(connection, source, machine_time() if now is None else now)
    return source


def set_source(state: "State", asker: Asker, name: str, **changes: Any) -> Source:
    """Change fields of a source and return it; None leaves a field as it is.

    Raises:
        NotFound: There is no such source.
        BadInput: A field is not one of its words.
    """
    given = {field: value for field, value in changes.items() if value is not None}
    for field in given:
        if field not in _CHANGEABLE:
            raise BadInput(f"A source has no `{field}` to change.", f"{', '.join(_CHANGEABLE)}.")
    source = replace(source_named(state, name), **given)
    _check(source)
    with state.change(asker, "source.set", name, detail=_told(source)) as connection:
        store.set_source(connection, source)
    return source


def sampling_key(state: "State") -> bytes:
    """Return the key by which sources that sample draw persons."""
    return store.sampling_key(state)


def identity_key(state: "State") -> bytes:
    """Return the key of every hash of an identifier."""
    return store.identity_key(state)


def _check(source: Source) -> None:
    if not _NAME.fullmatch(source.name):
        raise BadInput(
            f"`{source.name}` is no name of a source.",
            "Use small letters, digits, - and _, beginning with a letter or digit.",
        )
    if not source.write_key:
        raise BadInput("A source needs a write key.", "Let one be made.")
    if source.region and not _NAME.fullmatch(source.region):
        raise BadInput(f"`{source.region!r}` is no region.", "Use a short word such as `eu`.")
    if not 0 < source.sample <= 1:
        raise BadInput(
            f"A sample of {source.sample:g} is none.", "Use a share above 0 and at most 1."
        )
    if not is_setting(source.country):
        raise BadInput(
            f"No country can be read from `{source.country}`.",
            "Use header:NAME, such as header:CF-IPCountry, or ip, or connection.",
        )
    words = (
        ("environment", source.environment, ENVIRONMENTS),
        ("basis", source.basis, tuple(BASES)),
        ("unplanned", source.unplanned, UNPLANNED),
    )
    for field, value, allowed in words:
        if value not in allowed:
            raise BadInput(f"No {field} `{value}`.", f"Use one of: {', '.join(allowed)}.")


def _told(source: Source) -> dict[str, object]:
    return {field: getattr(source, field) for field in _CHANGEABLE if field != "write_key"}
