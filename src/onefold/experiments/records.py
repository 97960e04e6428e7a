"""What crosses the door of experiments: definitions, assignments, readings."""

from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import Any

from onefold.model.records import Estimate
from onefold.model.time import DAY, format_time


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the ways that people are shown.

    Attributes:
        name: As sent in `variation_id`.
        weight: Its part of the split, a whole number.
        label: How pages call it.
    """

    name: str
    weight: int
    label: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a person did something in some days after the first exposure.

    Day 1 is the first 24 hours after it, day 28 ends 28 times 24 hours after it.

    Attributes:
        label: What it is called, such as `First save`.
        question: The question it answers.
        events: Any of these counts; empty: a session with at least one action begins.
        first_day: First day that counts.
        last_day: Last day that counts.
        scale: `relative` (effect in percent of control) or `absolute` (in points).
        margin: The smallest effect that matters, on that scale.
        better: `up` or `down`.
    """

    label: str
    question: str
    events: tuple[str, ...]
    first_day: int
    last_day: int
    scale: str
    margin: float
    better: str

    @property
    def begins(self) -> int:
        """Return when it begins to count, microseconds after the first exposure."""
        return (self.first_day - 1) * DAY

    @property
    def ends(self) -> int:
        """Return when it ends, microseconds after the first exposure."""
        return self.last_day * DAY


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment as registered.

    Attributes:
        name: As sent in `experiment_id`.
        version: Grows with every change of the definition.
        label: How pages call it.
        question: What it is to answer, as one question.
        hypothesis: What is expected, and why.
        owner: Who answers for it.
        started_date: First day in the workspace's zone.
        planned_days: For how many days people enter it.
        unit: What is assigned: `identifier` (as sent), `user_id` or `anonymous_id`.
        arms: The arms; exactly one is the control.
        control: Name of the arm that others are compared with.
        salt: What the hash of the assignment is salted with.
        short: Short-term conversion.
        long: Long-term retention.
        rollout: How it reaches people.
        rollback: How it is undone.
        privacy: What it means for privacy.
        moves: The key result that it is to move; empty where none is named.
    """

    name: str
    version: int
    label: str
    question: str
    hypothesis: str
    owner: str
    started_date: date
    planned_days: int
    unit: str
    arms: tuple[Arm, ...]
    control: str
    salt: str
    short: Outcome
    long: Outcome
    rollout: str
    rollback: str
    privacy: str
    moves: str = ""

    @property
    def treatments(self) -> tuple[Arm, ...]:
        """Return the arms other than the control; the card is about the first."""
        return tuple(arm for arm in self.arms if arm.name != self.control)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which arm a targeting key belongs to.

    Attributes:
        experiment: Name of the experiment.
        arm: Name of the arm.
        targeting_key: As sent.
        bucket_share: Where the key lies between 0 and 1.
    """

    experiment: str
    arm: str
    targeting_key: str
    bucket_share: float


@dataclass(frozen=True, slots=True)
class Half:
    """One half of the answer card.

    Attributes:
        label: What was measured.
        question: What it answers.
        word: `Yes`, `No`, `No difference`, `Not yet`, `Cannot tell`, `Not enough data` or
            `Withheld`.
        verdict: `better`, `worse`, `no_difference` or `not_yet`.
        headline: Its part of the page's answer.
        effect: Effect of the first treatment, on `scale`.
        scale: `relative` or `absolute`.
        naive: Before against after, on the same scale.
        naive_definition: What before against after is.
        margin: The smallest effect that matters.
        better: `up` or `down`.
        sentence: Range, naive beside adjusted, and what is still missing.
        people: Exposed people of all arms, without those seen in several.
        ready_people: Those who have had their whole window.
        ready_share: Their share.
        readable_date: First day on which everybody of the plan has had the window.
        definition: What was counted and how.
        certificate: How far the method can be trusted, in a sentence.
        query: The query of the counts.
    """

    label: str
    question: str
    word: str
    verdict: str
    headline: str
    effect: Estimate
    scale: str
    naive: Estimate
    naive_definition: str
    margin: float
    better: str
    sentence: str
    people: int
    ready_people: int
    ready_share: float
    readable_date: date
    definition: str
    certificate: str
    query: str


@dataclass(frozen=True, slots=True)
class ArmReading:
    """One arm: its people, what they did, and how it stands against the control.

    Attributes:
        name: Name of the arm.
        label: How pages call it.
        is_control: Whether the others are compared with it.
        people: Exposed people, without those seen in several arms.
        short_share: Share who converted, of those ready.
        short_effect: Against the control; None for the control itself.
        short_naive: Against everybody before.
        long_share: Share who came back, of those ready.
        long_effect: Against the control; None for the control itself.
        long_naive: Against everybody before.
    """

    name: str
    label: str
    is_control: bool
    people: int
    short_share: Estimate
    short_effect: Estimate | None
    short_naive: Estimate
    long_share: Estimate
    long_effect: Estimate | None
    long_naive: Estimate


@dataclass(frozen=True, slots=True)
class PathPoint:
    """The short-term effect as it stood at the end of a day.

    Attributes:
        day: Day of the experiment, from 1.
        on_date: The day in the workspace's zone.
        effect: The effect of the first treatment by then.
    """

    day: int
    on_date: date
    effect: Estimate


@dataclass(frozen=True, slots=True)
class Split:
    """Was the split fair, and who was left out?

    Attributes:
        arms: Names, in the order of the counts.
        expected_shares: Share meant for each arm.
        seen_shares: Share seen.
        counts: People by the arm they saw first, before anybody is left out: what they do later
            cannot tilt it.
        p: How often a fair split is at least this uneven.
        fair: Whether p is at least .001.
        seen_twice: People seen in more than one arm, left out.
        unknown_arm: People seen in an arm that is not registered, left out.
        without_person: Exposures without any person, left out.
    """

    arms: tuple[str, ...]
    expected_shares: tuple[float, ...]
    seen_shares: tuple[float, ...]
    counts: tuple[int, ...]
    p: float
    fair: bool
    seen_twice: int
    unknown_arm: int
    without_person: int


@dataclass(frozen=True, slots=True)
class ExperimentReading:
    """All that is known of an experiment, as of one time.

    Attributes:
        experiment: As registered.
        read_time: Up to when events are known, microseconds UTC.
        day: Day of the experiment, from 1; 0 before it began.
        planned_end_date: First day on which nobody enters any more.
        headline: The answer in one or two sentences.
        so: What to do.
        withheld: Why the card is withheld; empty if it is not.
        short: Short-term half.
        long: Long-term half.
        arms: Each arm, the control first.
        path: Short-term effect by day, of the first treatment.
        path_note: What its band is good for.
        split: Was the split fair?
        excluded_by_consent: Events that consent left out since the start.
        fresh_time: Received time of the last event, microseconds UTC.
        notes: What a reader has to know beside the figures.
    """

    experiment: Experiment
    read_time: int
    day: int
    planned_end_date: date
    headline: str
    so: str
    withheld: str
    short: Half
    long: Half
    arms: tuple[ArmReading, ...]
    path: tuple[PathPoint, ...]
    path_note: str
    split: Split
    excluded_by_consent: int
    fresh_time: int | None
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the reading as plain JSON values."""
        found: dict[str, Any] = _plain(self)
        return found


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, Estimate):
        return {**value.to_json(), "note": value.note}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name), f.name) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if name.endswith("_time") and isinstance(value, int):
        return format_time(value)
    return value
