"""What imports tell of a record, field by field: which source, and when it was told last."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from onefold.model.facts import RECORD_CODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onefold.collect.versions import Version
    from onefold.store import Log, View


@dataclass(frozen=True, slots=True)
class Told:
    """A field of a record as it stands.

    Attributes:
        field: Its column; `properties.x` of a property.
        value: What it says; a key where it is personal.
        source: Which import told it.
        known_time: When that import told it last, microseconds.
        others: What other imports say of it, where they say something else: (source, value).
    """

    field: str
    value: Any
    source: str
    known_time: int
    others: tuple[tuple[str, Any], ...] = ()


def told_fields(
    view: "View", log: "Log", identity_key: bytes, entity: str, keys: "Sequence[str]"
) -> tuple[Told, ...]:
    """Return the fields of a record, or of several that are one, as of what the view asks.

    Args:
        view: Tells which versions there were by then.
        log: Holds what they say.
        identity_key: Makes the keys in place of what is personal.
        entity: Of the record.
        keys: Its id; several of records that people said are one.
    """
    from onefold.collect.scrub_records import ScrubRecords
    from onefold.collect.staged import value_columns
    from onefold.collect.veil import Veil
    from onefold.collect.versions import Contents, Version

    versions = view.decided["versions"]
    mine = versions.filter(versions.entity == RECORD_CODES[entity], versions.key.isin(list(keys)))
    latest: dict[tuple[str, str], Version] = {}
    for row in view.ask(mine).to_pylist():
        version = Version.of(row)
        former = latest.get((version.key, version.source))
        if former is None or version.rank[1:] > former.rank[1:]:
            latest[version.key, version.source] = version
    # Who is erased has no row here to ask for, and rows of companies name nobody.
    contents = Contents(log, Veil(identity_key), ScrubRecords(identity_key, {}).row)
    said: dict[str, list[tuple[Any, Version]]] = {}
    # As in the row that stands: the record that gave the common id goes first.
    ranked = sorted(latest.values(), key=lambda one: (one.key == keys[0], one.rank), reverse=True)
    for version in ranked:
        for field, value in _plain(contents.get(entity, version)).items():
            said.setdefault(field, []).append((value, version))
    order = [*value_columns(entity), *sorted(said)]
    return tuple(_told(field, said[field]) for field in dict.fromkeys(order) if field in said)


def _told(field: str, said: "Sequence[tuple[Any, Version]]") -> Told:
    value, first = said[0]
    others = dict.fromkeys((one.source, other) for other, one in said[1:] if other != value)
    return Told(field, value, first.source, first.known_time, tuple(others))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that say something, properties each for itself."""
    found = {name: value for name, value in values.items() if value is not None}
    told = msgspec.json.decode(found.pop("properties", None) or "{}")
    return found | {f"properties.{name}": value for name, value in told.items()}
