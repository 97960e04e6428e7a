"""Commands about use: what nobody asks for, and who asks how much."""

import click

from onefold.cli.options import command
from onefold.cli.reach import answer


@command("stale")
@click.option("--days", type=int, help="Not used over so many last days. Default: 90.")
def stale_command(days: int | None) -> int:
    """List events, metrics, segments, dashboards that nobody uses any more."""
    return answer("stale", {"days": days})


@command("usage")
@click.option("--days", type=int, help="Over so many last days, today with them. Default: 28.")
def usage_command(days: int | None) -> int:
    """Show how many questions were asked, by whom, and how much of that was self-served."""
    return answer("usage", {"days": days})
