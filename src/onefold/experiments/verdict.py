"""What an experiment says, in plain words: each half of the card, and what to do."""

from collections.abc import Sequence
from datetime import date

from onefold import stats
from onefold.experiments.records import Experiment, Half, Outcome, Split
from onefold.model.records import Estimate
from onefold.model.words import plural, stretch

PATH_NOTE = (
    "Each day's band is for one look at the planned end. It is not good for stopping on the first "
    "good day."
)
ONE_LOOK = (
    "The intervals are for one look, at the planned end. They are not good for looking every day "
    "until one says yes."
)
NO_BEFORE = "There are too few people in the days before the start to compare with."
SMALLEST = 30
"""Below so many ready people in an arm no effect is told."""
NOT_ENOUGH = "Not enough data"
_WORDS = {"better": "Yes", "worse": "No", "no_difference": "No difference"}
_THIN = "\u00a0"


def judged(effect: Estimate, outcome: Outcome, *, ended: bool) -> str:
    """Return the verdict; `not_yet` until everybody of the plan has had the window."""
    if not ended:
        return "not_yet"
    return stats.verdict(effect, margin=outcome.margin, better=outcome.better)


def word(said: str, *, ended: bool, smallest: int = SMALLEST, fair: bool = True) -> str:
    """Return the verdict in a word, the same wherever it is told.

    Args:
        said: The verdict.
        ended: Whether everybody of the plan has had the window.
        smallest: Ready people of the smaller arm.
        fair: Whether the split is.

    >>> word("not_yet", ended=True), word("not_yet", ended=True, smallest=0)
    ('Cannot tell', 'Not enough data')
    """
    if not fair:
        return "Withheld"
    if ended and smallest < SMALLEST:
        return NOT_ENOUGH
    return _WORDS.get(said, "Cannot tell" if ended else "Not yet")


def too_few(smallest: int) -> str:
    """Return the sentence for an arm that has too few people.

    >>> too_few(12)
    'Not enough people: 12 of 30 in an arm.'
    """
    if not smallest:
        return f"Nobody of one arm could be compared yet; it takes {SMALLEST} an arm."
    return f"Not enough people: {smallest} of {SMALLEST} in an arm."


def amount(value: float, scale: str, *, signed: bool = True) -> str:
    """Return an effect in words, with the true minus and a no-break space.

    >>> amount(-0.003, "absolute").split()
    ['−0.3', 'points']
    """
    sign = ("+" if value >= 0 else "−") if signed else ("" if value >= 0 else "−")
    unit = "%" if scale == "relative" else "points"
    return f"{sign}{abs(value) * 100:.1f}{_THIN}{unit}"


def half_headline(
    said: str,
    effect: Estimate,
    outcome: Outcome,
    *,
    ended: bool,
    is_short: bool,
    smallest: int = SMALLEST,
) -> str:
    """Return a half's part of the answer, one sentence.

    Args:
        said: The verdict.
        effect: The effect.
        outcome: What was measured.
        ended: Whether everybody of the plan has had the window.
        is_short: Whether it is the short-term half.
        smallest: Ready people of the smaller arm.
    """
    if ended and smallest < SMALLEST:
        what = "it helps now" if is_short else "people come back"
        few = plural(smallest, "person", "people") if smallest else "nobody"
        return f"Not enough data to say whether {what}: {few} in the smaller arm."
    told = f"{amount(effect.estimate or 0.0, outcome.scale)} {_lowered(outcome.label)}"
    known = "cannot be told" if ended else "is not known yet"
    if is_short:
        return {
            "better": f"It helps now: {told}.",
            "worse": f"It hurts now: {told}.",
            "no_difference": f"It changes nothing now that matters: {told}.",
        }.get(said, f"Whether it helps now {known}.")
    return {
        "better": f"More people come back: {told}.",
        "worse": f"Fewer people come back: {told}.",
        "no_difference": "People come back as before.",
    }.get(said, f"Whether people come back {known}.")


def half_sentence(
    effect: Estimate,
    naive: Estimate,
    outcome: Outcome,
    *,
    ready: tuple[float, date],
    ended: bool,
) -> str:
    """Return the range, naive beside adjusted, the margin, and what is still missing."""
    parts = []
    if effect.low is not None and effect.high is not None:
        low, high = _bare(effect.low), _bare(effect.high)
        margin = _bare(outcome.margin)
        parts.append(f"Low {low}, high {high}; within {margin} it would be no difference.")
    elif effect.note:
        parts.append(effect.note)
    if naive.estimate is not None and effect.estimate is not None:
        parts.append(_beside(naive.estimate, effect.estimate, outcome.scale))
    elif effect.estimate is not None and naive.note == NO_BEFORE:
        parts.append(f"No figure of before against after. {NO_BEFORE}")
    if not ended:
        days = stretch(outcome.last_day, "day")
        parts.append(
            f"{ready[0] * 100:.0f}{_THIN}% of people have had their {days}; "
            f"it can be read on {_day(ready[1])}."
        )
    return " ".join(parts)


def _beside(naive: float, adjusted: float, scale: str) -> str:
    """Return naive beside adjusted; a part of it came anyway only if it points the same way."""
    said = f"Before against after says {amount(naive, scale)}"
    rest = naive - adjusted
    if naive * adjusted > 0 and abs(naive) > abs(adjusted):
        return f"{said}; {amount(rest, scale)} of that would have happened anyway."
    return f"{said}, off by {amount(rest, scale)}."


def headline(short: Half, long: Half, *, withheld: str) -> str:
    """Return the answer of the page in one or two sentences."""
    if withheld:
        return "The split is not fair, so there is no answer."
    return f"{short.headline} {long.headline}"


def so(short: Half, long: Half, *, experiment: Experiment, withheld: str) -> str:
    """Return what to do."""
    if withheld:
        return "Find out why the arms fill unevenly before you read any effect."
    if NOT_ENOUGH in {short.word, long.word} and not {short.verdict, long.verdict} & {
        "better",
        "worse",
    }:
        return _mend_of_few(short, experiment)
    said = (short.verdict, long.verdict)
    if said == ("better", "worse"):
        return f"Stop it: it helps now and costs later. Rollback: {experiment.rollback}"
    if "worse" in said:
        return f"Stop it. Rollback: {experiment.rollback}"
    waiting = [half.readable_date for half in (short, long) if half.word == "Not yet"]
    if waiting:
        return f"Keep it running as planned and read again on {_day(min(waiting))}."
    if "better" in said and "not_yet" not in said:
        return "Give it to everyone."
    if "better" in said:
        return "Give it to everyone if that is enough; the other question could not be told."
    if said == ("no_difference", "no_difference"):
        return "Keep whichever is simpler; it makes no difference that matters."
    return "Run it again with more people, or let it be: this could not tell."


def _mend_of_few(short: Half, experiment: Experiment) -> str:
    """Return what to do where there were too few people to say anything."""
    if short.people:
        return "Run it again for longer or with more people: too few came to say anything."
    return (
        "Nobody was seen in it. See that the app sends `Experiment Viewed` with `experiment_id` "
        f"`{experiment.name}`, then run it again."
    )


def withheld(split: Split) -> str:
    """Return why the card is withheld."""
    meant = " : ".join(f"{share * 100:.1f}" for share in split.expected_shares)
    found = " : ".join(f"{share * 100:.1f}" for share in split.seen_shares)
    return (
        f"The split should be {meant} and is {found}; chance alone is this uneven less than once "
        "in 1,000 times (sample-ratio check)."
    )


def definition(outcome: Outcome) -> str:
    """Return what was counted and how.

    Which deed, in which days after the first exposure, of whom.
    """
    deed = (
        f"any of {', '.join(outcome.events)}"
        if outcome.events
        else "a session with at least one action begins"
    )
    if outcome.first_day == 1:
        hours = 24 * outcome.last_day
        when = f"within {hours} hours of the first exposure"
    else:
        when = f"in days {outcome.first_day} to {outcome.last_day} after the first exposure"
    return (
        f"Share of people with {deed} {when} (day 1 is the first 24 hours). Only people whose "
        "window has passed; people seen in several arms are left out."
    )


def naive_definition(experiment: Experiment, outcome: Outcome, *, newcomers: bool) -> str:
    """Return what before against after is.

    Who stands before, who after, and why it misleads.
    """
    who = "everybody who was new" if newcomers else "everybody first seen"
    return (
        f"Before against after: the treated arm against {who} in the "
        f"{stretch(experiment.planned_days, 'day')} before {_day(experiment.started_date)}, "
        f"{_lowered(outcome.label)} measured the same way from their first event in those days. "
        "It takes every other change of those weeks for an effect."
    )


def _evenly_lost(split: Split, kept: Sequence[int]) -> bool:
    lost = [max(count - rest, 0) for count, rest in zip(split.counts, kept, strict=True)]
    return min(split.counts) == 0 or stats.split_check(lost, split.counts).fair


def notes(experiment: Experiment, split: Split, *, kept: Sequence[int]) -> tuple[str, ...]:
    """Return what a reader has to know beside the figures.

    For which look the intervals hold, who was left out, and how many arms are compared.

    Args:
        experiment: As registered.
        split: People by the arm they saw first.
        kept: Those of them who are compared, in the same order.
    """
    found = [ONE_LOOK]
    if split.seen_twice:
        people = plural(split.seen_twice, "person is", "people are")
        found.append(f"{people} left out, as seen in several arms.")
        if not _evenly_lost(split, kept):
            found.append(
                "Leaving them out took more from one arm than from the other, so the arms are "
                "less alike than they were: be careful with the effects."
            )
    if split.unknown_arm:
        people = plural(split.unknown_arm, "person was", "people were")
        found.append(f"{people} seen in an arm that is not registered.")
    if split.without_person:
        exposures = plural(split.without_person, "exposure comes", "exposures come")
        found.append(f"{exposures} without a person.")
    if len(experiment.treatments) > 1:
        found.append("Several arms are compared with the control; each interval is for itself.")
    return tuple(found)


def _lowered(label: str) -> str:
    return label[:1].lower() + label[1:]


def _bare(value: float) -> str:
    return f"{'−' if value < 0 else ''}{abs(value) * 100:.1f}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
