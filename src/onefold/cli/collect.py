"""Commands about what comes in: sources, quarantine."""

import click

from onefold.cli.options import group
from onefold.cli.reach import answer

ENVIRONMENTS = ("production", "staging", "development")
BASES = ("opt-in", "notice", "contract")
UNPLANNED = ("allow", "strip", "quarantine")

_environment = click.option(
    "--environment", type=click.Choice(ENVIRONMENTS), help="Where its events belong."
)
_basis = click.option(
    "--basis",
    type=click.Choice(BASES),
    help="What may be kept of an event that carries no consent.",
)
_region = click.option("--region", help="Where its people are, such as eu.")
_unplanned = click.option(
    "--unplanned", type=click.Choice(UNPLANNED), help="What to do with events nobody described."
)

_sample = click.option(
    "--sample",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of persons whose events are kept; figures weigh them.",
)

_country = click.option(
    "--country",
    metavar="WHENCE",
    help="Where countries are read from: header:NAME, ip or connection.",
)


@group("source")
def source_command() -> None:
    """Sources: where events come from, and on what basis."""


@source_command.command("list")
def _list() -> int:
    """List the sources with their keys and policies."""
    return answer("source list")


@source_command.command("add")
@click.argument("name")
@_environment
@_basis
@_region
@_unplanned
@_sample
@_country
def _add(name: str, **policy: str | float | None) -> int:
    """Add the source NAME and show its write key."""
    return answer("source add", {"name": name, **policy})


@source_command.command("set")
@click.argument("name")
@_environment
@_basis
@_region
@_unplanned
@_sample
@_country
def _set(name: str, **policy: str | float | None) -> int:
    """Change the policy of the source NAME; what is not given stays."""
    return answer("source set", {"name": name, **policy})


@group("quarantine")
def quarantine_command() -> None:
    """What was refused, and why; let mended ones in."""


@quarantine_command.command("list")
@click.option("--event", metavar="NAME", help="Only this event.")
def _waiting(event: str | None) -> int:
    """List what waits: event, source, reason, how many, since when."""
    return answer("quarantine list", {"event": event})


@quarantine_command.command("retry")
@click.option("--event", metavar="NAME", help="Only this event.")
def _retry(event: str | None) -> int:
    """Judge what waits anew by the definitions in force, and let in what fits."""
    return answer("quarantine retry", {"event": event})
