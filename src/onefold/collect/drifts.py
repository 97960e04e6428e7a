"""Fields of an event that changed: another type, there much less or much more than before.

Two shares are compared with regard to events hanging together by person and by day (Rao & Scott
1992, Biometrics 48:577: the variance of a share from its clusters, never under the binomial one).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from onefold.collect.inference import type_of

LEAST_EVENTS = 30
"""Of a period before its fields are compared."""
LEAST_CHANGE = 0.1
"""Of the share of events with a field."""
_FAMILIES = {"integer": "a number", "number": "a number", "time": "text", "string": "text"}
_FAMILIES |= {"boolean": "true or false", "list": "a list", "object": "an object"}


@dataclass(slots=True)
class FieldProfile:
    """One field over some events: which families of types it had, and with whom, and when."""

    families: Counter[str] = field(default_factory=Counter)
    by_cluster: tuple[Counter[int], Counter[int]] = field(
        default_factory=lambda: (Counter(), Counter())
    )

    @property
    def present(self) -> int:
        """How many events have it."""
        return sum(self.families.values())


@dataclass(frozen=True, slots=True)
class Profile:
    """How the fields of an event look over a period.

    Attributes:
        events: How many events it rests on.
        clusters: Events of each person, and of each day.
        fields: By name.
    """

    events: int
    clusters: tuple[Mapping[int, int], Mapping[int, int]]
    fields: Mapping[str, FieldProfile]


@dataclass(frozen=True, slots=True)
class Drift:
    """A field that may have changed, and how likely that is by chance."""

    field: str
    what: str
    fix: str
    chance: float


def profile(events: Iterable[tuple[int, int, Mapping[str, Any]]]) -> Profile:
    """Return how fields look over events: (person or 0, day, properties) each."""
    persons: Counter[int] = Counter()
    days: Counter[int] = Counter()
    fields: defaultdict[str, FieldProfile] = defaultdict(FieldProfile)
    for nobody, (person, day, properties) in enumerate(events):
        # Events of nobody hang together with no other.
        who = person or -nobody - 1
        persons[who] += 1
        days[day] += 1
        for name, value in properties.items():
            kind = type_of(value)
            if kind:
                found = fields[name]
                found.families[_FAMILIES[kind]] += 1
                found.by_cluster[0][who] += 1
                found.by_cluster[1][day] += 1
    return Profile(sum(days.values()), (persons, days), dict(fields))


def drifts(before: Profile, now: Profile) -> tuple[Drift, ...]:
    """Return every field of either period with the chance of its change; nothing under 30 events.

    A type that never came before has chance 0: it is no matter of chance.
    """
    if min(before.events, now.events) < LEAST_EVENTS:
        return ()
    found = []
    for name in sorted({*before.fields, *now.fields}):
        former, present = before.fields.get(name), now.fields.get(name)
        if former and present and present.families.keys() - former.families.keys():
            what = f"`{name}` was {_words(former)} and is now {_words(present)}."
            found.append(Drift(name, what, "Send it as before, or under another name.", 0.0))
            continue
        found.append(_presence(name, before, now))
    return tuple(found)


def _words(found: FieldProfile) -> str:
    return " or ".join(sorted(found.families))


def _presence(name: str, before: Profile, now: Profile) -> Drift:
    first, first_variance = _share(name, before)
    second, second_variance = _share(name, now)
    both = (first * before.events + second * now.events) / (before.events + now.events)
    chance_alone = both * (1 - both)
    variance = max(first_variance, chance_alone / before.events)
    variance += max(second_variance, chance_alone / now.events)
    chance = 1.0
    if abs(second - first) >= LEAST_CHANGE and variance > 0:
        from scipy.special import ndtr

        chance = 2 * float(ndtr(-abs(second - first) / variance**0.5))
    what = (
        f"`{name}` came with {first * 100:.0f} % of events and comes now with {second * 100:.0f} %."
    )
    return Drift(name, what, "See what was released; send it as before.", chance)


def _share(name: str, of: Profile) -> tuple[float, float]:
    """Return the share of events with a field, and the larger of its two clustered variances."""
    found = of.fields.get(name)
    if found is None:
        return 0.0, 0.0
    share = found.present / of.events
    variances = [
        _clustered(share, of.events, sizes, hits)
        for sizes, hits in zip(of.clusters, found.by_cluster, strict=True)
    ]
    return share, max(variances)


def _clustered(
    share: float, events: int, sizes: Mapping[int, int], hits: Mapping[int, int]
) -> float:
    count = len(sizes)
    if count < 2:
        return 0.0
    squares = sum((hits.get(one, 0) - share * size) ** 2 for one, size in sizes.items())
    return squares / events**2 * count / (count - 1)
