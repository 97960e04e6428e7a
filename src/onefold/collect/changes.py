"""What a change of the catalogue breaks: what is recorded, and who uses its fields."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onefold.collect.catalogue import Catalogue, EventDefinition, takes_column
from onefold.collect.personal import personal_key
from onefold.collect.schemas import Check, compiled

_NUMBERS = frozenset({"integer", "number", "money"})


@dataclass(frozen=True, slots=True)
class Breakage:
    """Something that a change breaks.

    Attributes:
        event: The event whose description changes.
        what: One sentence.
        events: How many recorded events of the sample do not fit; 0 where a user breaks.
        fix: What would be right.
    """

    event: str
    what: str
    events: int
    fix: str


@dataclass(frozen=True, slots=True)
class Use:
    """Somebody who relies on events and fields.

    Attributes:
        user: Such as `metric saves_per_session`.
        events: Names of events; a field is used of each.
        fields: Names of properties that are read.
        summed: Of these, the ones that have to be numbers.
    """

    user: str
    events: tuple[str, ...]
    fields: tuple[str, ...] = ()
    summed: tuple[str, ...] = ()


def replayed(
    definition: EventDefinition, recorded: Sequence[Mapping[str, Any]]
) -> tuple[Breakage, ...]:
    """Return why recorded events would not fit a description, the most frequent reason first.

    Personal fields are not judged: the facts do not hold them.
    """
    check = _without_personal(definition)
    faults = Counter(fault for properties in recorded if (fault := check(properties)))
    return tuple(
        Breakage(definition.event, fault, count, "Take it back, or describe it as it is sent.")
        for fault, count in faults.most_common()
    )


def broken_uses(before: Catalogue, after: Catalogue, uses: Sequence[Use]) -> tuple[Breakage, ...]:
    """Return which users a change of descriptions breaks."""
    found = []
    for use in uses:
        for name in use.events:
            former = before.events.get(name)
            if former is None:
                continue
            new = after.events.get(name)
            if new is None:
                what = f"{use.user} uses `{name}`, which is described no more."
                found.append(
                    Breakage(name, what, 0, f"Keep its description, or change {use.user}.")
                )
                continue
            found += [
                Breakage(name, what, 0, f"Keep the field, or change {use.user}.")
                for field in dict.fromkeys((*use.fields, *use.summed))
                if (what := _broken_field(use, field, former, new))
            ]
    return tuple(found)


def _broken_field(use: Use, field: str, former: EventDefinition, new: EventDefinition) -> str:
    was, is_now = former.properties.get(field), new.properties.get(field)
    if was is None:
        return ""
    if is_now is None:
        return f"{use.user} uses `{field}`, which is described no more."
    if is_now.pii != "none" and was.pii == "none":
        return f"{use.user} uses `{field}`, which becomes personal and leaves the facts."
    if field in use.summed and was.type in _NUMBERS and is_now.type not in _NUMBERS:
        return f"{use.user} sums `{field}`, which becomes {is_now.type or 'of several types'}."
    if takes_column(was) and not takes_column(is_now):
        return f"{use.user} uses `{field}`, which loses its column."
    return ""


def _without_personal(definition: EventDefinition) -> Check:
    """Return the check of a description, as far as the facts can be judged by it."""
    aside = {
        name
        for name, found in definition.properties.items()
        if found.pii != "none" or personal_key(name)
    }
    schema = dict(definition.schema)
    required = schema.get("required")
    if isinstance(required, list):
        schema["required"] = [name for name in required if name not in aside]
    types = {name: p.type for name, p in definition.properties.items() if name not in aside}
    return compiled(schema, types)
