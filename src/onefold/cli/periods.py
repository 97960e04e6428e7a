"""Commands about closed periods."""

import click

from onefold.cli.options import group
from onefold.cli.reach import answer

_every = click.option(
    "--every",
    type=click.Choice(("day", "week", "month")),
    default="day",
    show_default=True,
    help="Which length of periods.",
)
_purpose = click.option(
    "--purpose", metavar="NAME", help="Of metrics asked for it. Default: analytics."
)


@group("period")
def period_command() -> None:
    """Closed periods: their figures stay as they were, what is counted now is told beside."""


@period_command.command("list")
@_every
@_purpose
def _list(every: str, purpose: str | None) -> int:
    """List closed periods, the latest first."""
    return answer("period list", {"every": every, "purpose": purpose})


@period_command.command("show")
@click.argument("start", metavar="DAY")
@_every
@_purpose
def _show(start: str, every: str, purpose: str | None) -> int:
    """Show the figures of the closed period that starts on DAY."""
    return answer("period show", {"start": start, "every": every, "purpose": purpose})


@period_command.command("close")
@click.option("--to", "to_date", metavar="D", help="Close all that ended by the start of this day.")
def _close(to_date: str | None) -> int:
    """Close now what is due; the house does so by itself, 72 hours after the end of a period."""
    return answer("period close", {"to": to_date})
