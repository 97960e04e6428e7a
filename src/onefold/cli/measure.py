"""Commands that measure: metrics and experiments."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click

from onefold.cli.options import command, group, text_of
from onefold.cli.reach import answer

Command = TypeVar("Command", bound=Callable[..., object])
Given = TypeVar("Given")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_include = click.option(
    "--include",
    metavar="MARKS",
    help="Marked traffic to let in: bots, internal, test, synthetic, apart by commas, or all.",
)


def _days(command: Command) -> Command:
    first = click.option("--from", "from_date", metavar="D", help="First day, such as 2026-11-01.")
    return first(
        click.option("--to", "to_date", metavar="D", help="The day after the last.")(command)
    )


@command("metrics")
@click.option("--key-results", is_flag=True, help="By the key result that each serves, or none.")
@click.option("--try", "trial", type=_FILE, help="The figure of the metric of a YAML file.")
@click.option("--keep", type=_FILE, help="Keep the metric of a YAML file here, as pages do.")
@click.option("--drop", metavar="NAME", help="Remove a metric that is kept here.")
def metrics_command(
    *, key_results: bool, trial: Path | None, keep: Path | None, drop: str | None
) -> int:
    """List the metrics that are defined: what each says, owner, version, whose word it has."""
    if trial:
        return answer("metric try", {"text": text_of(trial)})
    if keep:
        return answer("metric keep", {"text": text_of(keep)})
    if drop:
        return answer("metric drop", {"name": drop})
    return answer("key results" if key_results else "metrics")


@command("metric")
@click.argument("name")
@_days
@click.option("--every", type=click.Choice(("day", "week", "month")), help="One row each.")
@click.option("--by", metavar="DIMENSION", help="One row for each value of a dimension.")
@click.option("--purpose", metavar="NAME", help="What the answer is for. Default: analytics.")
@click.option("--environment", help="Of which environment. Default: production.")
@_include
@click.option("--segment", metavar="NAME", help="Of its members alone, at the end of the days.")
@click.option("--compare", is_flag=True, help="Beside the same of as many days before.")
@click.option("--cumulative", is_flag=True, help="A count or a sum from the first day on, so far.")
@click.option("--history", is_flag=True, help="Instead: the definitions that held, and whose.")
def metric_command(
    name: str, *, compare: bool, cumulative: bool, history: bool, **asked: str | None
) -> int:
    """Measure the metric NAME, with its intervals; without days, over the last 28 whole ones."""
    if history:
        return answer("metric history", {"name": name})
    told = {"compare": "former" if compare else None, "cumulative": cumulative or None}
    return answer("metric", {"name": name, **told, **_named_days(asked)})


@command("funnel")
@click.argument("events", nargs=-1, required=True, metavar="EVENT...")
@click.option("--within", default="7d", metavar="LENGTH", help="As 30m, 12h or 7d. Default: 7d.")
@click.option("--segment", metavar="NAME", help="Of its members alone, at the end of the days.")
@_days
@click.option("--by", metavar="DIMENSION", help="Apart by a property of the first step.")
@click.option("--purpose", metavar="NAME", help="What the answer is for. Default: analytics.")
@click.option("--environment", help="Of which environment. Default: production.")
@_include
@click.option("--times", is_flag=True, help="Instead: how long they took to each later step.")
def funnel_command(events: tuple[str, ...], *, times: bool, **asked: str | None) -> int:
    """Count who did the EVENTs in this order; without days, over the last 28 whole ones."""
    name = "funnel times" if times else "funnel"
    return answer(name, {"events": events, **_named_days(asked)})


@command("paths")
@click.argument("event")
@click.option("--before", is_flag=True, help="What they did before it, in place of after.")
@click.option("--steps", type=int, help="So many steps, 1 to 10. Default: 4.")
@click.option("--within", metavar="LENGTH", help="As 30m or 7d. Default: the same visit.")
@click.option("--top", type=int, help="So many events a step; the rest together. Default: 6.")
@click.option("--until", metavar="EVENT", help="Ways end at this event; how many come to it.")
@click.option("--skip", multiple=True, metavar="EVENT", help="As if it were not; may be repeated.")
@click.option("--collapse", is_flag=True, help="The same event in a row is one step.")
@click.option("--segment", metavar="NAME", help="Of its members alone, at the end of the days.")
@_days
@click.option("--by", metavar="DIMENSION", help="Apart by a property of the beginning.")
@click.option("--purpose", metavar="NAME", help="What the answer is for. Default: analytics.")
@click.option("--environment", help="Of which environment. Default: production.")
@_include
def paths_command(*, before: bool, collapse: bool, skip: tuple[str, ...], **asked: object) -> int:
    """Show what people did after their first EVENT; without days, over the last 28 whole ones."""
    given = {
        **_named_days(asked),
        "direction": "before" if before else None,
        "collapse": "repeats" if collapse else None,
        "skip": skip or None,
    }
    return answer("paths", given)


@command("retention")
@click.option("--start", required=True, metavar="EVENT", help="What begins.")
@click.option("--return", "back", required=True, metavar="EVENT", help="What tells of a return.")
@click.option("--every", type=click.Choice(("day", "week", "month")), help="Default: week.")
@click.option(
    "--kind",
    type=click.Choice(("bounded", "rolling")),
    help="Back in just that period, or in it or later. Default: bounded.",
)
@click.option("--segment", metavar="NAME", help="Of its members alone, at the end of the days.")
@_days
@click.option("--purpose", metavar="NAME", help="What the answer is for. Default: analytics.")
@click.option("--environment", help="Of which environment. Default: production.")
@_include
def retention_command(back: str, **asked: str | None) -> int:
    """Show who came back after the first time, by cohort; without days, over the last 28."""
    return answer("retention", {"return": back, **_named_days(asked)})


@group("segment")
def segment_command() -> None:
    """Segments of people, from definitions/segments and kept here."""


@segment_command.command("list")
def _segments() -> int:
    """List the segments, with how many belong to each now."""
    return answer("segment list")


@segment_command.command("show")
@click.argument("name")
@click.option("--every", type=click.Choice(("day", "week", "month")), help="Over time.")
@_days
@click.option("--purpose", metavar="NAME", help="What the answer is for. Default: analytics.")
@_include
def _segment(name: str, **asked: str | None) -> int:
    """Show how many belong to the segment NAME, and who came and went."""
    return answer("segment show", {"name": name, **_named_days(asked)})


@segment_command.command("try")
@click.argument("file", type=_FILE)
@click.option("--every", type=click.Choice(("day", "week", "month")), help="Over time.")
@_days
def _try(file: Path, **asked: str | None) -> int:
    """Show how many would belong to the segment of the YAML FILE; nothing is kept."""
    return answer("segment try", {"text": text_of(file), **_named_days(asked)})


@segment_command.command("keep")
@click.argument("file", type=_FILE)
def _keep(file: Path) -> int:
    """Keep the segment of the YAML FILE here, as pages do."""
    return answer("segment keep", {"text": text_of(file)})


@segment_command.command("drop")
@click.argument("name")
def _drop(name: str) -> int:
    """Remove the segment NAME that is kept here."""
    return answer("segment drop", {"name": name})


@command("economics")
@click.option("--metric", "name", metavar="NAME", help="Default: acquisition_cost.")
@click.option("--margin", type=float, help="The share of what people pay that is earned.")
@_days
@click.option("--purpose", metavar="NAME", help="What the answer is for. Default: analytics.")
@click.option("--environment", help="Of which environment. Default: production.")
@_include
def economics_command(**asked: object) -> int:
    """Show what the people of each month brought since, and when they paid back their cost."""
    names = {"from_date": "from", "to_date": "to"}
    given = {names.get(name, name): value for name, value in asked.items() if value is not None}
    return answer("economics", given)


@command("distribution")
@click.argument("event")
@click.option("--of", metavar="PROPERTY", help="What its numbers add up to. Default: how often.")
@click.option("--edges", metavar="NUMBERS", help="Where buckets begin and end, as 1,5,20.")
@click.option("--segment", metavar="NAME", help="Of its members alone, at the end of the days.")
@_days
@click.option("--by", metavar="DIMENSION", help="Apart by a property of the event.")
@click.option("--purpose", metavar="NAME", help="What the answer is for. Default: analytics.")
@click.option("--environment", help="Of which environment. Default: production.")
@_include
def distribution_command(edges: str | None, **asked: str | None) -> int:
    """Show how often people did EVENT, how many each; without days, over the last 28."""
    parts = [one for one in map(str.strip, (edges or "").split(",")) if one]
    return answer("distribution", {"edges": parts or None, **_named_days(asked)})


@command("calendar")
@_days
@click.option("--purpose", metavar="NAME", help="What the answer is for. Default: analytics.")
def calendar_command(**asked: str | None) -> int:
    """Show what stands in the marketing calendar; without days, of the last 28."""
    return answer("calendar", _named_days(asked))


@command("lifecycle")
@click.option("--event", metavar="EVENT", help="What tells that somebody was there. Default: any.")
@click.option("--every", type=click.Choice(("day", "week", "month")), help="Default: week.")
@click.option("--segment", metavar="NAME", help="Of its members alone, at the end of the days.")
@_days
@click.option("--purpose", metavar="NAME", help="What the answer is for. Default: analytics.")
@click.option("--environment", help="Of which environment. Default: production.")
@_include
def lifecycle_command(**asked: str | None) -> int:
    """Show who is new, returning, resurrected and dormant; without days, over the last 28."""
    return answer("lifecycle", _named_days(asked))


@command("stickiness")
@click.option("--event", metavar="EVENT", help="What tells that somebody was there. Default: any.")
@click.option("--every", type=click.Choice(("day", "week", "month")), help="Default: day.")
@click.option("--segment", metavar="NAME", help="Of its members alone, at the end of the days.")
@_days
@click.option("--purpose", metavar="NAME", help="What the answer is for. Default: analytics.")
@click.option("--environment", help="Of which environment. Default: production.")
@_include
def stickiness_command(**asked: str | None) -> int:
    """Show on how many days people were there; without days, over the last 28."""
    return answer("stickiness", _named_days(asked))


def _named_days(asked: Mapping[str, Given]) -> dict[str, Given]:
    names = {"from_date": "from", "to_date": "to"}
    return {names.get(name, name): value for name, value in asked.items()}


@group("experiment")
def experiment_command() -> None:
    """Experiments and their verdicts."""


@experiment_command.command("list")
def _list() -> int:
    """List the experiments with their arms, days and what each half says."""
    return answer("experiment list")


@experiment_command.command("show")
@click.argument("name")
@_include
def _show(name: str, include: str | None) -> int:
    """Show the experiment NAME: split, effects with intervals, verdicts."""
    return answer("experiment show", {"name": name, "include": include})


@experiment_command.command("exposures")
@click.argument("name")
@click.option("--people", is_flag=True, help="A row a person, the first exposed first.")
@_include
def _exposures(name: str, people: bool, include: str | None) -> int:
    """Show who saw which variant of NAME first, of which version of the flag."""
    return answer(
        "experiment exposures", {"name": name, "people": people or None, "include": include}
    )
