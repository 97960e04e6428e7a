"""The audit of instrumentation: is what is sent what was planned, and is it whole?

What can be looked up (unseen, unplanned, undocumented, waiting, ids, journeys) is told as it is.
What has to be judged (odd volumes, silence, drift) is tested, all tests of one audit together at
a false-alarm rate of `ALARM_RATE` (Bonferroni): an audit of sound data raises one in fifty times
at the most.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from onefold.collect.catalogue import Catalogue, EventDefinition
from onefold.collect.drifts import Profile, drifts
from onefold.collect.journeys import Journey
from onefold.collect.volumes import judged_days, silence_chance
from onefold.model.words import plural

ALARM_RATE = 0.02
"""How often an audit of sound data may raise an alarm by a test."""
WRONG, WATCH = "wrong", "watch"
KINDS = (
    "unseen",
    "unplanned",
    "undocumented",
    "stale",
    "drift",
    "volume",
    "waiting",
    "ids",
    "journey",
)
DAYS = 56
"""Days of history that volumes are judged by."""
RECENT_DAYS = 28
WAITING_SHARE = 0.01
NAMELESS_SHARE = 0.01
LEAST = 5
"""Messages from which a share is worth a word."""
SHARED_BY = 5
"""Users behind one device from which it is no family's any more."""
DEVICES = 50
"""Devices of one user from which it is no person any more."""
TRIED = 100
"""Persons at a step from whom at least one should reach the next."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the audit found.

    Attributes:
        kind: One of `KINDS`.
        level: `wrong` (figures are bent) or `watch` (look at it).
        subject: The event, the journey or the source meant; `event.field` for a field.
        what: One sentence.
        fix: What mends it.
        place: The day meant, counted from the first of the days judged; None for no day.
    """

    kind: str
    level: str
    subject: str
    what: str
    fix: str
    place: int | None = None


@dataclass(frozen=True, slots=True)
class EventSeen:
    """What came of one event.

    Attributes:
        total: How many are recorded at all.
        days: How many came on each of the last `DAYS` whole days, oldest first.
        recent: How many came in the last `RECENT_DAYS` days and today.
    """

    total: int
    days: tuple[int, ...]
    recent: int


@dataclass(frozen=True, slots=True)
class Ids:
    """How events and identifiers hang together, over the recent days.

    Attributes:
        events: Events of each source; `nameless` of these without any identifier.
        stand_ins: Source -> events under a value that stands for nobody, such as `null`.
        shared_devices: Devices that `SHARED_BY` or more users were seen on.
        crowded_users: Users that `DEVICES` or more devices were seen with.
        persons: Persons; `merged` of these with two or more identifiers; None where the asker
            may not see persons.
        unknown_events: Events of persons that no user id is known of; None likewise.
    """

    events: Mapping[str, int] = field(default_factory=dict)
    nameless: Mapping[str, int] = field(default_factory=dict)
    stand_ins: Mapping[str, int] = field(default_factory=dict)
    shared_devices: int = 0
    crowded_users: int = 0
    persons: int | None = None
    merged: int | None = None
    unknown_events: int | None = None


@dataclass(frozen=True, slots=True)
class Walked:
    """A planned journey and how many persons reached each of its steps in order."""

    journey: Journey
    reached: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the audit rests on.

    Attributes:
        catalogue: The definitions in force.
        seen: Event -> what came of it.
        waiting: (event, reason) -> messages that came to wait in the recent days.
        profiles: Event -> how its fields look now and before.
        ids: How events and identifiers hang together.
        walked: The planned journeys.
    """

    catalogue: Catalogue
    seen: Mapping[str, EventSeen]
    waiting: Mapping[tuple[str, str], int] = field(default_factory=dict)
    profiles: Mapping[str, tuple[Profile, Profile]] = field(default_factory=dict)
    ids: Ids = field(default_factory=Ids)
    walked: Sequence[Walked] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit says.

    Attributes:
        findings: The worst first, then by kind.
        tests: How many tests of chance were made; all together raise a false alarm in
            `ALARM_RATE` of audits of sound data.
        described: How many described events there are; `seen` of these that ever came.
        documented_share: Share of recent events that a description with owner and meaning covers.
        evidence: What it rests on.
    """

    findings: tuple[Finding, ...]
    tests: int
    described: int
    seen: int
    documented_share: float | None
    evidence: Evidence


def audit(evidence: Evidence) -> Audit:
    """Return what is wrong with the instrumentation."""
    found = [
        *_unseen(evidence),
        *_unplanned(evidence),
        *_undocumented(evidence),
        *_waiting(evidence),
        *_ids(evidence.ids),
        *_journeys(evidence),
    ]
    tested, tests = _tested(evidence)
    found += tested
    order = {kind: place for place, kind in enumerate(KINDS)}
    found.sort(key=lambda one: (one.level != WRONG, order[one.kind], one.subject))
    events = evidence.catalogue.events
    recent = sum(one.recent for one in evidence.seen.values())
    covered = sum(
        one.recent for name, one in evidence.seen.items() if _documented(events.get(name))
    )
    return Audit(
        findings=tuple(found),
        tests=tests,
        described=len(events),
        seen=sum(name in evidence.seen for name in events),
        documented_share=covered / recent if recent else None,
        evidence=evidence,
    )


def _documented(definition: EventDefinition | None) -> bool:
    return definition is not None and bool(definition.owner and definition.description)


def _unseen(evidence: Evidence) -> list[Finding]:
    waits = Counter[str]()
    for (name, _), count in evidence.waiting.items():
        waits[name] += count
    return [
        Finding(
            "unseen",
            WATCH,
            name,
            f"`{name}` is described, but "
            + ("all of it waits in quarantine." if waits[name] else "none has ever come."),
            "See why it waits." if waits[name] else "Send it, or take its description out.",
        )
        for name in evidence.catalogue.events
        if name not in evidence.seen
    ]


def _unplanned(evidence: Evidence) -> list[Finding]:
    events = evidence.catalogue.events
    found = []
    for name, seen in evidence.seen.items():
        if name in events:
            found += _unplanned_fields(name, events[name], evidence)
        elif seen.recent and events:
            near = get_close_matches(name, events, n=1, cutoff=0.8)
            meant = f" Did you mean `{near[0]}`?" if near else ""
            found.append(
                Finding(
                    "unplanned",
                    WRONG if near else WATCH,
                    name,
                    f"`{name}` comes, but nobody described it.{meant}",
                    f"Send `{near[0]}`, or describe it." if near else "Describe it.",
                )
            )
    return found


def _unplanned_fields(name: str, definition: EventDefinition, evidence: Evidence) -> list[Finding]:
    if name not in evidence.profiles:
        return []
    recent = evidence.profiles[name][1]
    more = sorted(recent.fields.keys() - definition.properties.keys())
    return [
        Finding(
            "unplanned",
            WATCH,
            f"{name}.{each}",
            f"`{each}` comes with `{name}`, but its description does not name it.",
            "Describe it, or stop sending it.",
        )
        for each in more
    ]


def _undocumented(evidence: Evidence) -> list[Finding]:
    found = []
    for name, definition in evidence.catalogue.events.items():
        lacks = [what for what in ("owner", "description") if not getattr(definition, what)]
        if lacks:
            words = " and no ".join(lacks)
            found.append(
                Finding(
                    "undocumented",
                    WATCH,
                    name,
                    f"`{name}` has no {words}.",
                    "Say who answers for it." if lacks == ["owner"] else "Say what it means.",
                )
            )
    return found


def _waiting(evidence: Evidence) -> list[Finding]:
    found = []
    for (name, reason), count in evidence.waiting.items():
        came = evidence.seen[name].recent if name in evidence.seen else 0
        share = count / (came + count)
        if count >= LEAST and share >= WAITING_SHARE:
            what = f"{share * 100:.1f} % of `{name or 'events without a name'}` wait: {reason}"
            found.append(
                Finding("waiting", WRONG, name, what, "Mend the sender or the description.")
            )
    return found


def _ids(ids: Ids) -> list[Finding]:
    found = []
    for source, count in ids.nameless.items():
        share = count / max(ids.events.get(source, 0), 1)
        if count >= LEAST and share >= NAMELESS_SHARE:
            what = f"{share * 100:.1f} % of what {source} sends has no identifier."
            fix = "Send a userId or an anonymousId."
            found.append(Finding("ids", WRONG, source, what, fix))
    for source, count in ids.stand_ins.items():
        if count:
            what = f"{plural(count, 'event')} of {source} came under an id that stands for nobody."
            fix = "Leave the id out where nobody is known: `null` and `undefined` are no persons."
            found.append(Finding("ids", WRONG, source, what, fix))
    if ids.shared_devices:
        what = f"{SHARED_BY} users or more were seen on each of {ids.shared_devices:,} devices."
        fix = "Make a new anonymous id when somebody signs out; look for shared screens."
        found.append(Finding("ids", WATCH, "anonymous_id", what, fix))
    if ids.crowded_users:
        what = f"{DEVICES} devices or more were seen with each of {ids.crowded_users:,} users."
        fix = "Look for one user id that stands for many, such as a test account."
        found.append(Finding("ids", WATCH, "user_id", what, fix))
    return found


def _journeys(evidence: Evidence) -> list[Finding]:
    found = []
    for walked in evidence.walked:
        steps, name = walked.journey.steps, walked.journey.name
        for place, step in enumerate(steps):
            seen = evidence.seen.get(step)
            if seen is None or not seen.recent:
                what = f"Step {place + 1} of the journey {name}, `{step}`, does not come."
                fix = "Send it, or change the journey."
                found.append(Finding("journey", WRONG, name, what, fix))
            elif place and not walked.reached[place] and walked.reached[place - 1] >= TRIED:
                before = steps[place - 1]
                what = (
                    f"Of {plural(walked.reached[place - 1], 'person')} at `{before}` in the "
                    f"journey {name} nobody reaches `{step}`, which comes."
                )
                fix = "See whether both are sent under the same id."
                found.append(Finding("journey", WRONG, name, what, fix))
    return found


# ---------------------------------------------------------------- what is tested


def _tested(evidence: Evidence) -> tuple[list[Finding], int]:
    """Return what tests of chance find, and how many there were."""
    days = {name: judged_days(seen.days) for name, seen in evidence.seen.items()}
    silences = {name: _silence(seen.days) for name, seen in evidence.seen.items()}
    drifted = {name: drifts(before, now) for name, (before, now) in evidence.profiles.items()}
    tests = sum(map(len, days.values()))
    tests += sum(silence is not None for silence in silences.values())
    tests += sum(map(len, drifted.values()))
    limit = ALARM_RATE / max(tests, 1)
    found = []
    for name in evidence.seen:
        silence = silences[name]
        stale = silence is not None and silence[1] < limit
        if silence is not None and stale:
            quiet = plural(silence[0], "day")
            what = f"None of `{name}` has come for {quiet}, which came on most days."
            fix = "See whether its sender still runs, or take its description out."
            found.append(Finding("stale", WRONG, name, what, fix))
        for day in days[name]:
            if day.chance < limit and not (stale and not day.count):
                more = "more" if day.count > day.expected else "fewer"
                what = (
                    f"{day.count:,} of `{name}` came on a day, {more} than the "
                    f"{day.expected:,.0f} that its past leads to expect."
                )
                fix = "See what was released, sent twice or switched off that day."
                found.append(Finding("volume", WRONG, name, what, fix, day.place))
        found += [
            Finding("drift", WRONG, f"{name}.{one.field}", one.what, one.fix)
            for one in drifted.get(name, ())
            if one.chance < limit
        ]
    return found, tests


def _silence(days: Sequence[int]) -> tuple[int, float] | None:
    """Return for how many whole days nothing came, and how likely that is; None while it comes."""
    active = [place for place, count in enumerate(days) if count]
    if not active or active[-1] == len(days) - 1:
        return None
    last = active[-1]
    first = max(active[0], last + 1 - RECENT_DAYS)
    span = last + 1 - first
    if span < RECENT_DAYS // 2:
        return None
    silent = len(days) - 1 - last
    return silent, silence_chance(sum(place >= first for place in active), span, silent)
