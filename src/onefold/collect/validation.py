"""What the catalogue says of an event: it counts, counts without some fields, or waits.

Three policies of a source (`Source.unplanned`) say what becomes of what nobody described, and of a
described field that does not fit:

| policy | undescribed event | undescribed field | field that does not fit |
|---|---|---|---|
| `allow` | counts | kept | the event waits |
| `strip` | counts, without properties | taken out | taken out; waits where it is required |
| `quarantine` | waits | the event waits | the event waits |
"""

from collections.abc import Mapping
from dataclasses import dataclass

from onefold.collect.catalogue import COMMON, Catalogue, EventDefinition
from onefold.collect.records import Code

ALLOW, STRIP, QUARANTINE = "allow", "strip", "quarantine"
UNPLANNED_EVENT = "The event is not in the catalogue."
UNPLANNED_FIELD = "The event has a field that its description does not name."


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of an event's properties.

    Attributes:
        code: 0, `SCHEMA` or `UNPLANNED`.
        reason: Why it waits, one sentence that repeats nothing sent; empty when it counts.
        dropped: Names of properties to take out before it counts.
    """

    code: int = 0
    reason: str = ""
    dropped: frozenset[str] = frozenset()


_FITS = Judged()


def judge(
    definition: EventDefinition | None, properties: Mapping[str, object], policy: str
) -> Judged:
    """Return what becomes of a track event's properties under a source's policy.

    Args:
        definition: The event's, or None where nobody described it.
        properties: As sent.
        policy: `allow`, `strip` or `quarantine`.

    >>> judge(None, {"a": 1}, "strip").dropped
    frozenset({'a'})
    """
    if policy == ALLOW:
        fault = definition.check(properties) if definition else ""
        return Judged(Code.SCHEMA, fault) if fault else _FITS
    if definition is None:
        if policy == QUARANTINE:
            return Judged(Code.UNPLANNED, UNPLANNED_EVENT)
        return Judged(dropped=frozenset(properties)) if properties else _FITS
    unknown = properties.keys() - definition.properties.keys()
    if policy == QUARANTINE:
        fault = definition.check(properties)
        if fault:
            return Judged(Code.SCHEMA, fault)
        return Judged(Code.UNPLANNED, UNPLANNED_FIELD) if unknown else _FITS
    return _stripped(definition, properties, frozenset(unknown))


def judge_call(
    catalogue: Catalogue, kind: str, event: str, properties: Mapping[str, object], policy: str
) -> Judged:
    """Return what becomes of any call's properties or traits under a source's policy.

    A track call has to fit its event and what all have in common. Another call has to fit its own
    description, if there is one; nothing is stripped from it, as its traits tell of the person.

    Args:
        catalogue: The described events and calls.
        kind: `track`, `identify`, `group` and so on.
        event: The event's name, of a track call.
        properties: As sent; the traits of identify and group.
        policy: `allow`, `strip` or `quarantine`.
    """
    if kind != "track":
        definition = catalogue.calls.get(f"${kind}")
        own = QUARANTINE if policy == QUARANTINE else ALLOW
        return judge(definition, properties, own) if definition is not None else _FITS
    said = judge(catalogue.events.get(event), properties, policy)
    common = catalogue.calls.get(COMMON)
    if said.code or common is None:
        return said
    kept = {name: value for name, value in properties.items() if name not in said.dropped}
    fault = common.check(kept)
    return Judged(Code.SCHEMA, fault, said.dropped) if fault else said


def _stripped(
    definition: EventDefinition, properties: Mapping[str, object], dropped: frozenset[str]
) -> Judged:
    """Return what `strip` makes of an event: without what nobody described or what is wrong."""
    kept = {name: value for name, value in properties.items() if name not in dropped}
    fault = definition.check(kept)
    if not fault:
        return Judged(dropped=dropped) if dropped else _FITS
    wrong = definition.culprits(kept)
    rest = {name: value for name, value in kept.items() if name not in wrong}
    if not wrong or definition.check(rest):
        return Judged(Code.SCHEMA, fault, dropped)
    return Judged(dropped=dropped | wrong)
