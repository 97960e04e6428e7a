"""Commands about frozen cohorts."""

import click

from onefold.cli.options import group
from onefold.cli.reach import answer


@group("cohort")
def cohort_command() -> None:
    """Frozen cohorts: members stay as they were, changes of who is who are told beside."""


@cohort_command.command("freeze")
@click.argument("name")
@click.option("--event", required=True, help="What its members did.")
@click.option("--from", "from_date", required=True, metavar="DAY", help="First day.")
@click.option("--to", "to_date", required=True, metavar="DAY", help="The day after the last.")
def _freeze(name: str, event: str, from_date: str, to_date: str) -> int:
    """Freeze as NAME who did an event over days."""
    days = {"from": from_date, "to": to_date}
    return answer("cohort freeze", {"name": name, "event": event, **days})


@cohort_command.command("list")
def _list() -> int:
    """List frozen cohorts, and what has changed of who their members are."""
    return answer("cohort list")


@cohort_command.command("show")
@click.argument("name")
@click.option("--last", default=100, show_default=True, help="How many members at most.")
def _show(name: str, last: int) -> int:
    """Show the members of the cohort NAME, and beside them who they are now."""
    return answer("cohort show", {"name": name, "last": last})


@cohort_command.command("dissolve")
@click.argument("name")
def _dissolve(name: str) -> int:
    """Take the frozen cohort NAME back."""
    return answer("cohort dissolve", {"name": name})
