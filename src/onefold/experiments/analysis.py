"""Reading an experiment: who was exposed, what they did, and how the arms differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from onefold.experiments import queries, verdict
from onefold.experiments.queries import Audience, Counted, Sample
from onefold.experiments.records import (
    ArmReading,
    Experiment,
    ExperimentReading,
    Half,
    Outcome,
    PathPoint,
    Split,
)
from onefold.model.records import Estimate
from onefold.model.time import DAY, day_of, day_start
from onefold.stats import Moments, certificate, difference, lift, mean, split_check, wilson

if TYPE_CHECKING:
    from onefold.store import View

CERTIFICATES = {"relative": "conversion_lift", "absolute": "conversion_difference"}


@dataclass(frozen=True, slots=True)
class _Measured:
    """One outcome: counts of every arm, and of everybody before."""

    outcome: Outcome
    rows: tuple[Counted, ...]
    before: tuple[Counted, ...]
    query: str

    def moments(self, arm: str, *, until: int | None = None) -> Moments:
        """Return the moments of the ready people of an arm, ready by the end of a day."""
        chosen = [
            row
            for row in self.rows
            if row.arm == arm and row.ready and (until is None or row.day <= until)
        ]
        return _moments(chosen)

    def people(self, arm: str) -> int:
        """Return the people of an arm, ready or not."""
        return sum(row.people for row in self.rows if row.arm == arm)

    def effect(self, arm: str, control: str, *, until: int | None = None) -> Estimate:
        """Return the effect of an arm against the control, on the outcome's scale."""
        pair = self.moments(arm, until=until), self.moments(control, until=until)
        return compare(self.outcome.scale, *pair)

    def naive(self, arm: str) -> Estimate:
        """Return an arm against everybody before, on the outcome's scale."""
        earlier = _moments([row for row in self.before if row.ready])
        if earlier.n < verdict.SMALLEST:
            return Estimate(None, None, None, earlier.n, note=verdict.NO_BEFORE)
        return compare(self.outcome.scale, self.moments(arm), earlier)


def read_experiment(view: "View", experiment: Experiment) -> ExperimentReading:
    """Return all that is known of an experiment, as of the view's time.

    The sample is everybody whose first exposure lies within the planned days. An outcome counts
    for those who have had their whole window. Intervals are fixed-horizon: they hold 95 % for one
    look once everybody has had the window, and until then the verdict is `not_yet`.

    Args:
        view: Under which terms it is asked.
        experiment: As registered.
    """
    sample = sample_of(view, experiment)
    split = _split(view, experiment, sample)
    people = queries.first_exposures(view, experiment, sample)
    who = queries.audience(view, people)
    before = queries.first_seen_before(view, sample, who)
    short, long = (
        _measured(view, experiment, outcome, people=people, before=before, sample=sample)
        for outcome in (experiment.short, experiment.long)
    )
    halves = tuple(
        _half(view, experiment, measured, split=split, sample=sample, who=who)
        for measured in (short, long)
    )
    withheld = "" if split.fair else verdict.withheld(split)
    before_start = sample.read_time <= sample.start_time
    return ExperimentReading(
        experiment=experiment,
        read_time=sample.read_time,
        day=0 if before_start else (sample.read_time - sample.start_time) // DAY + 1,
        planned_end_date=experiment.started_date + timedelta(days=experiment.planned_days),
        headline=verdict.headline(halves[0], halves[1], withheld=withheld),
        so=verdict.so(halves[0], halves[1], experiment=experiment, withheld=withheld),
        withheld=withheld,
        short=halves[0],
        long=halves[1],
        arms=_arms(experiment, short, long, split),
        path=() if withheld else _path(view, experiment, short, sample),
        path_note=verdict.PATH_NOTE,
        split=split,
        excluded_by_consent=view.left_out(sample.start_time, sample.read_time),
        fresh_time=view.fresh_time,
        notes=(
            *verdict.notes(experiment, split, kept=[short.people(name) for name in split.arms]),
            *view.marked_notes(sample.start_time, sample.read_time),
        ),
    )


def sample_of(view: "View", experiment: Experiment) -> Sample:
    """Return start, planned end, and up to when events are known: never later than the last."""
    start = day_start(experiment.started_date, view.zone)
    last = experiment.started_date + timedelta(days=experiment.planned_days)
    known = [view.now, view.fresh_time or 0]
    if view.question.as_of_time is not None:
        known.append(view.question.as_of_time)
    return Sample(start, day_start(last, view.zone), min(known))


def compare(scale: str, treated: Moments, control: Moments) -> Estimate:
    """Return an effect on a scale; none below 30 people a side."""
    smallest = min(treated.n, control.n)
    if smallest < verdict.SMALLEST:
        note = verdict.too_few(smallest)
        return Estimate(None, None, None, treated.n + control.n, note=note)
    if scale == "relative":
        return lift(treated, control, method="fieller")
    return difference(treated, control)


def _moments(rows: Sequence[Counted]) -> Moments:
    """Return the moments of who did it; of two variables where people have weights."""
    known = [row.weights for row in rows if row.weights is not None]
    if any(
        one.people != one.people_square or one.converted != one.converted_square for one in known
    ):
        both = sum(one.both for one in known)
        return Moments(
            n=sum(row.people for row in rows),
            sums=(sum(one.converted for one in known), sum(one.people for one in known)),
            products=(
                (sum(one.converted_square for one in known), both),
                (both, sum(one.people_square for one in known)),
            ),
        )
    did = float(sum(row.converted for row in rows))
    return Moments(sum(row.people for row in rows), (did,), ((did,),))


def _split(view: "View", experiment: Experiment, sample: Sample) -> Split:
    rows = queries.seen(view, experiment, sample)
    names = [arm.name for arm in experiment.arms]
    counts = [sum(row.people for row in rows if row.arm == name) for name in names]
    check = split_check(counts, [arm.weight for arm in experiment.arms])
    return Split(
        arms=tuple(names),
        expected_shares=check.expected_shares,
        seen_shares=check.seen_shares,
        counts=check.counts,
        p=check.p,
        fair=check.fair,
        seen_twice=sum(row.people for row in rows if row.arms_seen > 1),
        unknown_arm=sum(r.people for r in rows if r.arms_seen == 1 and r.arm not in names),
        without_person=queries.exposures_without_person(view, experiment, sample),
    )


def _measured(
    view: "View",
    experiment: Experiment,
    outcome: Outcome,
    *,
    people: object,
    before: object,
    sample: Sample,
) -> _Measured:
    question = queries.outcome_counts(view, people, outcome, sample)
    earlier = queries.outcome_counts(view, before, outcome, sample)
    names = {arm.name for arm in experiment.arms}
    rows = queries.counted(view, question)
    return _Measured(
        outcome=outcome,
        rows=tuple(row for row in rows if row.arm in names),
        before=queries.counted(view, earlier),
        query=view.sql(question),
    )


def _half(
    view: "View",
    experiment: Experiment,
    measured: _Measured,
    *,
    split: Split,
    sample: Sample,
    who: Audience,
) -> Half:
    outcome = measured.outcome
    arm = experiment.treatments[0].name
    people = sum(row.people for row in measured.rows)
    smallest = min(measured.moments(name).n for name in (arm, experiment.control))
    ready = sum(row.people for row in measured.rows if row.ready)
    final_time = sample.end_time + outcome.ends
    ended = sample.read_time >= final_time
    effect = measured.effect(arm, experiment.control)
    if not split.fair:
        effect = Estimate(None, None, None, people, note=verdict.withheld(split))
    naive = measured.naive(arm)
    said = verdict.judged(effect, outcome, ended=ended)
    readable = day_of(final_time - 1, view.zone) + timedelta(days=1)
    shares = (ready / people if people else 0.0, readable)
    return Half(
        label=outcome.label,
        question=outcome.question,
        word=verdict.word(said, ended=ended, smallest=smallest, fair=split.fair),
        verdict=said,
        headline=verdict.half_headline(
            said,
            effect,
            outcome,
            ended=ended,
            is_short=outcome == experiment.short,
            smallest=smallest,
        ),
        effect=effect,
        scale=outcome.scale,
        naive=naive,
        naive_definition=verdict.naive_definition(experiment, outcome, newcomers=who.are_newcomers),
        margin=outcome.margin,
        better=outcome.better,
        sentence=verdict.half_sentence(effect, naive, outcome, ready=shares, ended=ended),
        people=people,
        ready_people=ready,
        ready_share=shares[0],
        readable_date=readable,
        definition=verdict.definition(outcome),
        certificate=certificate(CERTIFICATES[outcome.scale]).sentence(),
        query=measured.query,
    )


def _arms(
    experiment: Experiment, short: _Measured, long: _Measured, split: Split
) -> tuple[ArmReading, ...]:
    control = next(arm for arm in experiment.arms if arm.name == experiment.control)
    found = []
    for arm in (control, *experiment.treatments):
        is_control = arm is control
        hidden = is_control or not split.fair
        found.append(
            ArmReading(
                name=arm.name,
                label=arm.label,
                is_control=is_control,
                people=short.people(arm.name),
                short_share=_share(short.moments(arm.name)),
                short_effect=None if hidden else short.effect(arm.name, control.name),
                short_naive=short.naive(arm.name),
                long_share=_share(long.moments(arm.name)),
                long_effect=None if hidden else long.effect(arm.name, control.name),
                long_naive=long.naive(arm.name),
            )
        )
    return tuple(found)


def _share(moments: Moments) -> Estimate:
    if len(moments.sums) == 2:
        return mean(moments)
    return wilson(round(moments.sums[0]), moments.n)


def _path(
    view: "View", experiment: Experiment, measured: _Measured, sample: Sample
) -> tuple[PathPoint, ...]:
    """Return the effect by the end of each day, from the first day on that has enough people."""
    arm = experiment.treatments[0].name
    last = min(sample.read_time, sample.end_time + measured.outcome.ends) - sample.start_time
    found = []
    for day in range(max(last // DAY, 0)):
        effect = measured.effect(arm, experiment.control, until=day)
        if effect.low is not None:
            on = day_of(sample.start_time + day * DAY + DAY // 2, view.zone)
            found.append(PathPoint(day + 1, on, effect))
    return tuple(found)
