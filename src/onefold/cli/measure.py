"""Commands that measure: metrics and experiments."""

import click

from onefold.cli.options import command, group
from onefold.cli.reach import answer

_include = click.option(
    "--include",
    metavar="MARKS",
    help="Marked traffic to let in: bots, internal, test, synthetic, apart by commas, or all.",
)


@command("metric")
@click.argument("name")
@click.option("--from", "from_date", metavar="D", help="First day, such as 2026-11-01.")
@click.option("--to", "to_date", metavar="D", help="The day after the last.")
@click.option("--every", type=click.Choice(("day", "week", "month")), help="One row each.")
@click.option("--by", metavar="DIMENSION", help="One row for each value of a dimension.")
@click.option("--purpose", metavar="NAME", help="What the answer is for. Default: analytics.")
@click.option("--environment", help="Of which environment. Default: production.")
@_include
def metric_command(
    name: str,
    from_date: str | None,
    to_date: str | None,
    every: str | None,
    by: str | None,
    purpose: str | None,
    environment: str | None,
    include: str | None,
) -> int:
    """Measure the metric NAME, with its intervals; without days, over the last 28 whole ones."""
    return answer(
        "metric",
        {
            "name": name,
            "from": from_date,
            "to": to_date,
            "every": every,
            "by": by,
            "purpose": purpose,
            "environment": environment,
            "include": include,
        },
    )


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
