"""What experiments ask of the facts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from onefold.experiments.records import Experiment, Outcome
from onefold.metrics import terms
from onefold.model.time import DAY, SECOND

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

NEW_AFTER = 14 * DAY
"""Whoever is first seen so long after events begin is taken for new."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

EXPOSURE = "Experiment Viewed"
"""Segment's own event of an exposure: experiment_id and variation_id."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Who enters a reading, and up to when events are known (microseconds UTC).

    Attributes:
        start_time: Start of the experiment.
        end_time: From then on nobody enters any more.
        read_time: Up to when events are known.
    """

    start_time: int
    end_time: int
    read_time: int


@dataclass(frozen=True, slots=True)
class Counted:
    """People of one arm who became ready on one day.

    Attributes:
        arm: Name of the arm; empty for everybody before.
        ready: Whether their window has passed.
        day: Day since the start on which it passes, from 0.
        people: How many.
        converted: How many of them did it.
        weights: What they weigh where some were sampled, else None.
    """

    arm: str
    ready: bool
    day: int
    people: int
    converted: int
    weights: "Weights | None" = None


@dataclass(frozen=True, slots=True)
class Weights:
    """Sums over people who weigh one over the rate by which they were kept.

    One who did it weighs by the smaller of the rates by which the exposure and the deed were kept.

    Attributes:
        people: Of the weights.
        converted: Of the weights of those who did it.
        people_square: Of the squares of the weights.
        converted_square: Of the squares, of those who did it.
        both: Of the products of the weights as exposed and as converted.
    """

    people: float
    converted: float
    people_square: float
    converted_square: float
    both: float


@dataclass(frozen=True, slots=True)
class Audience:
    """Who entered a sample.

    Attributes:
        people: How many.
        new: How many of them were new.
        history_time: First event of all, microseconds UTC; None without any.
    """

    people: int
    new: int
    history_time: int | None

    @property
    def are_newcomers(self) -> bool:
        """Tell whether the sample is of newcomers, nine of ten at least."""
        return self.people > 0 and self.new >= 0.9 * self.people


@dataclass(frozen=True, slots=True)
class Seen:
    """People by the arm of their first exposure, before anybody is left out."""

    arm: str
    arms_seen: int
    people: int


def first_exposures(view: "View", experiment: Experiment, sample: Sample) -> Any:
    """Return a row a person of the sample: `person_id`, `first_time`, `arm`, `arms_seen`.

    Where events are sampled also `weight`: how many persons this one stands for.
    People whose first exposure lies between start and planned end; `arm` is that of the first. A
    later exposure to another arm counts for `arms_seen` too.
    """
    shown = _exposures(view.person_events, experiment).filter(
        lambda t: (
            (t.event_time >= terms.instant(sample.start_time))
            & (t.event_time < terms.instant(sample.read_time))
        )
    )
    weight = _weight(view, shown)
    arm = terms.dimension_of(shown, "variation_id")
    arms = shown.select("person_id", "event_time", arm=arm, **weight)
    arms = arms.mutate(arm=arms.arm.fill_null(""))
    people = arms.group_by("person_id").aggregate(
        first_time=arms.event_time.min(),
        arm=arms.arm.argmin(arms.event_time),
        arms_seen=arms.arm.nunique(),
        **({"weight": arms.weight.min()} if view.sampled else {}),
    )
    return people.filter(people.first_time < terms.instant(sample.end_time))


def exposed_groups(view: "View", experiment: Experiment, sample: Sample) -> "ir.Table":
    """Return people by variant and flag version of the first exposure, with how it went on."""
    people = _exposed(view, experiment, sample)
    groups = people.group_by("variant", "flag_version").aggregate(
        people=people.count(),
        exposures=people.exposures.sum().cast("int64"),
        first_time=people.first_time.min(),
        last_time=people.last_time.max(),
        several_variants=people.count(where=people.variants > 1),
        several_versions=people.count(where=people.versions > 1),
    )
    return groups.order_by("variant", "flag_version")


def exposed_people(
    view: "View", experiment: Experiment, sample: Sample, *, most: int
) -> "ir.Table":
    """Return a row a person, the first exposed first: variant, flag version, how often."""
    people = _exposed(view, experiment, sample)
    columns = ("variant", "flag_version", "first_time", "last_time", "exposures", "variants")
    told = people.select(*columns, "versions", person=people.person_id.cast("string"))
    return told.select("person", *columns, "versions").order_by("first_time", "person").limit(most)


def _exposed(view: "View", experiment: Experiment, sample: Sample) -> Any:
    """Return a row a person whose first exposure lies between start and planned end."""
    shown = _exposures(view.person_events, experiment).filter(
        lambda t: (
            (t.event_time >= terms.instant(sample.start_time))
            & (t.event_time < terms.instant(sample.read_time))
        )
    )
    shown = shown.select(
        "person_id",
        "event_time",
        variant=terms.dimension_of(shown, "variation_id").fill_null(""),
        flag_version=terms.dimension_of(shown, "flag_version").fill_null(""),
    )
    people = shown.group_by("person_id").aggregate(
        first_time=shown.event_time.min(),
        last_time=shown.event_time.max(),
        variant=shown.variant.argmin(shown.event_time),
        flag_version=shown.flag_version.argmin(shown.event_time),
        exposures=shown.count(),
        variants=shown.variant.nunique(),
        versions=shown.flag_version.nunique(),
    )
    return people.filter(people.first_time < terms.instant(sample.end_time))


def audience(view: "View", people: Any) -> Audience:
    """Return how many of a sample were new, and how far back events reach.

    New is who had no event earlier than a day before the first exposure.
    """
    import ibis

    firsts = _firsts(view)
    both = people.inner_join(firsts, "person_id")
    is_new = both.begin_time > both.first_time - ibis.interval(hours=24)
    counted = both.aggregate(people=both.count(), new=is_new.cast("int64").sum())
    events = view.person_events
    reach = events.aggregate(begin=events.event_time.min())
    row, begin = view.ask(counted).to_pylist()[0], view.ask(reach).to_pylist()[0]["begin"]
    return Audience(
        people=int(row["people"]),
        new=int(row["new"] or 0),
        history_time=None if begin is None else micros(begin),
    )


def first_seen_before(view: "View", sample: Sample, who: Audience) -> Any:
    """Return people of the equal period before the start, with their first event in it.

    If the sample is of newcomers: those whose first event of all lies there, two weeks or more
    after events begin. Else everybody who was there.
    """
    import ibis

    begin, end = before_span(sample, who)
    if who.are_newcomers:
        people = _first_rows(view, view.person_events).filter(
            lambda t: (t.first_time >= terms.instant(begin)) & (t.first_time < terms.instant(end))
        )
    else:
        events = view.person_events
        earlier = events.filter(
            events.event_time >= terms.instant(begin), events.event_time < terms.instant(end)
        )
        people = _first_rows(view, earlier)
    return people.mutate(arm=ibis.literal(""), arms_seen=1)


def before_span(sample: Sample, who: Audience) -> tuple[int, int]:
    """Return the period before the start (from, to), empty where events do not reach back."""
    length = sample.end_time - sample.start_time
    begin = sample.start_time - length
    if who.are_newcomers and who.history_time is not None:
        begin = max(begin, who.history_time + NEW_AFTER)
    return min(begin, sample.start_time), sample.start_time


def _firsts(view: "View") -> Any:
    events = view.person_events
    return events.group_by("person_id").aggregate(begin_time=events.event_time.min())


def _first_rows(view: "View", events: Any) -> Any:
    """Return who is there and since when, and where events are sampled what each one weighs."""
    weights = {name: weight.min() for name, weight in _weight(view, events).items()}
    return events.group_by("person_id").aggregate(first_time=events.event_time.min(), **weights)


def _weight(view: "View", table: Any) -> dict[str, Any]:
    """Return for how many persons a row stands, where that may be more than one."""
    import ibis

    if not view.sampled:
        return {}
    return {"weight": ibis.literal(1.0) / table.sample_rate.fill_null(1.0)}


def micros(moment: datetime) -> int:
    """Return a time of the facts as microseconds UTC."""
    return (moment.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def seen(view: "View", experiment: Experiment, sample: Sample) -> tuple[Seen, ...]:
    """Return how many people were seen in which arm, and in how many."""
    people = first_exposures(view, experiment, sample)
    counted = people.group_by("arm", "arms_seen").aggregate(people=people.count())
    rows = view.ask(counted.order_by("arm", "arms_seen")).to_pylist()
    return tuple(Seen(row["arm"], int(row["arms_seen"]), int(row["people"])) for row in rows)


def exposures_without_person(view: "View", experiment: Experiment, sample: Sample) -> int:
    """Return how many exposures carry no identifier, so that nobody was counted by them."""
    shown = _exposures(view.events, experiment)
    nobodys = shown.filter(
        shown.identifier.isnull(),
        shown.event_time >= terms.instant(sample.start_time),
        shown.event_time < terms.instant(min(sample.end_time, sample.read_time)),
    )
    return int(view.ask(nobodys.aggregate(rows=nobodys.count())).to_pylist()[0]["rows"])


def outcome_counts(view: "View", people: Any, outcome: Outcome, sample: Sample) -> "ir.Table":
    """Return people and conversions by arm, by whether they are ready, and by the day of it.

    Args:
        view: Under which terms it is asked.
        people: Rows of `first_exposures` or `first_seen_before`.
        outcome: What they may have done.
        sample: The times.
    """
    import ibis

    once = people.filter(people.arms_seen == 1)
    deeds = _deeds(view, outcome)
    both = once.inner_join(deeds, "person_id")
    begins = both.first_time + ibis.interval(seconds=outcome.begins // SECOND)
    ends = both.first_time + ibis.interval(seconds=outcome.ends // SECOND)
    did = both.filter(both.deed_time >= begins, both.deed_time < ends)
    if view.sampled:
        did = did.group_by("person_id").aggregate(deed_weight=did.deed_weight.min())
    else:
        did = did.select("person_id").distinct()
    did = did.mutate(converted=1)
    rows = once.left_join(did, "person_id")
    ready_time = rows.first_time + ibis.interval(seconds=outcome.ends // SECOND)
    since = (ready_time.epoch_seconds() - sample.start_time // SECOND).cast("int64")
    weights = _both_weights(rows) if view.sampled else {}
    rows = rows.select(
        "arm",
        ready=ready_time <= terms.instant(sample.read_time),
        day=(since // (DAY // SECOND)).cast("int64"),
        converted=rows.converted.fill_null(0).cast("int64"),
        **weights,
    )
    return rows.group_by("arm", "ready", "day").aggregate(
        people=rows.count(), converted=rows.converted.sum(), **(_sums(rows) if weights else {})
    )


def _both_weights(rows: Any) -> dict[str, Any]:
    """Return what a person weighs as exposed, and as one who did it (zero for who did not)."""
    import ibis

    joint = ibis.greatest(rows.weight, rows.deed_weight.fill_null(0.0))
    did = rows.converted.fill_null(0) > 0
    return {"person": rows.weight, "deed": ibis.ifelse(did, joint, 0.0)}


def _sums(rows: Any) -> dict[str, Any]:
    return {
        "w_people": rows.person.sum(),
        "w_converted": rows.deed.sum(),
        "w_people_square": (rows.person * rows.person).sum(),
        "w_converted_square": (rows.deed * rows.deed).sum(),
        "w_both": (rows.person * rows.deed).sum(),
    }


def counted(view: "View", question: "ir.Table") -> tuple[Counted, ...]:
    """Return the rows of `outcome_counts`."""
    return tuple(
        Counted(
            arm=row["arm"],
            ready=row["ready"],
            day=int(row["day"]),
            people=int(row["people"]),
            converted=int(row["converted"]),
            weights=_weights_in(row),
        )
        for row in view.ask(question).to_pylist()
    )


def _weights_in(row: dict[str, Any]) -> Weights | None:
    if "w_people" not in row:
        return None
    return Weights(**{name: float(row[f"w_{name}"]) for name in Weights.__slots__})


def _exposures(events: Any, experiment: Experiment) -> Any:
    return events.filter(
        events.event == EXPOSURE, terms.dimension_of(events, "experiment_id") == experiment.name
    )


def _deeds(view: "View", outcome: Outcome) -> Any:
    """Return who did what counts, and when: `person_id`, `deed_time`."""
    if outcome.events:
        events = view.person_events
        meant = events.filter(events.kind == "track", events.event.isin(outcome.events))
        return meant.select("person_id", deed_time=meant.event_time, **_deed_weight(view, meant))
    sessions = view.sessions
    active = sessions.filter(sessions.actions > 0)
    return active.select("person_id", deed_time=active.start_time, **_deed_weight(view, active))


def _deed_weight(view: "View", table: Any) -> dict[str, Any]:
    return {f"deed_{name}": weight for name, weight in _weight(view, table).items()}
