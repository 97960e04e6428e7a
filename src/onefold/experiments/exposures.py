"""The exposures of an experiment: who saw which variant first, of which version of the flag."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from onefold.experiments import queries
from onefold.experiments.analysis import sample_of
from onefold.experiments.records import Experiment
from onefold.model.records import Answer, Column
from onefold.model.words import plural

if TYPE_CHECKING:
    from onefold.store import View

MOST_PEOPLE = 10_000
"""Rows of the log by person; the first ones are told, and how many there are."""

DEFINITION = (
    "People by the variant and the flag's version of their first exposure since the start, up to "
    "the planned end. Exposures are `{event}` events of this experiment; later ones of the same "
    "people count as exposures, not as people."
)


@dataclass(frozen=True, slots=True)
class ExposedGroup:
    """People whose first exposure was to one variant under one version of the flag.

    Attributes:
        variant: As sent; empty where the exposure names none.
        flag_version: As sent; empty where the exposure names none.
        people: How many.
        exposures: How often they were exposed in all, to whatever variant.
        first_time: The first of their first exposures, microseconds UTC.
        last_time: Their last exposure.
        several_variants: How many of them saw more than one variant.
        several_versions: How many of them saw more than one version of the flag.
    """

    variant: str
    flag_version: str
    people: int
    exposures: int
    first_time: int
    last_time: int
    several_variants: int
    several_versions: int


def exposed_groups(view: "View", experiment: Experiment) -> tuple[ExposedGroup, ...]:
    """Return the exposures of an experiment by first variant and first version of its flag."""
    question = queries.exposed_groups(view, experiment, sample_of(view, experiment))
    return tuple(
        ExposedGroup(
            **(row | {name: queries.micros(row[name]) for name in ("first_time", "last_time")})
        )
        for row in view.ask(question).to_pylist()
    )


def exposure_log(view: "View", experiment: Experiment, *, by_person: bool = False) -> Answer:
    """Return the exposures of an experiment as a table that explains itself.

    Args:
        view: Under which terms it is asked.
        experiment: As registered.
        by_person: A row a person, the first exposed first, in place of one a variant and version.
    """
    sample = sample_of(view, experiment)
    groups = exposed_groups(view, experiment)
    nobodys = queries.exposures_without_person(view, experiment, sample)
    notes = quality_notes(experiment, groups, nobodys=nobodys)
    question = queries.exposed_groups(view, experiment, sample)
    if by_person:
        question = queries.exposed_people(view, experiment, sample, most=MOST_PEOPLE)
        people = sum(group.people for group in groups)
        if people > MOST_PEOPLE:
            notes = (*notes, f"The first {MOST_PEOPLE:,} of {people:,} people.")
    found = view.ask(question)
    return Answer(
        columns=tuple(_column(name) for name in found.column_names),
        rows=tuple(tuple(map(_plain, row.values())) for row in found.to_pylist()),
        definition=DEFINITION.format(event=queries.EXPOSURE),
        query=view.sql(question),
        as_of_time=view.fresh_time,
        excluded_by_consent=view.left_out(sample.start_time, sample.read_time),
        notes=(*notes, *view.marked_notes(sample.start_time, sample.read_time)),
    )


def quality_notes(
    experiment: Experiment, groups: Sequence[ExposedGroup], *, nobodys: int
) -> tuple[str, ...]:
    """Return what is amiss with the exposures; nothing where they are as registered."""
    known = {arm.name for arm in experiment.arms}
    strange = sorted({group.variant for group in groups} - known - {""})
    unnamed = sum(group.people for group in groups if not group.variant)
    found = []
    if several := sum(group.several_variants for group in groups):
        people = plural(several, "person", "people")
        found.append(f"{people} saw more than one variant; the effects leave them out.")
    if changed := sum(group.several_versions for group in groups):
        found.append(
            f"{plural(changed, 'person', 'people')} saw more than one version of the flag."
        )
    if strange:
        found.append(f"Not registered as arms: {', '.join(strange)}.")
    if unnamed:
        found.append(
            f"{plural(unnamed, 'person was', 'people were')} first exposed without a variant."
        )
    if nobodys:
        found.append(f"{plural(nobodys, 'exposure comes', 'exposures come')} without a person.")
    return tuple(found)


def _column(name: str) -> Column:
    if name.endswith("_time"):
        return Column(name, "time")
    return Column(name, "text" if name in {"variant", "flag_version", "person"} else "integer")


def _plain(value: object) -> object:
    return queries.micros(value) if isinstance(value, datetime) else value
