"""Commands about frozen cohorts."""

import click

from onefold.cli.options import group
from onefold.cli.reach import answer


@group("cohort")
def cohort_command() -> None:
    """Frozen cohorts: members stay as they were, changes of who is who are told beside."""


@cohort_command.command("freeze")
@click.argument("name")
@click.option("--event", default="", help="What its members did, from --from to --to.")
@click.option("--from", "from_date", default="", metavar="DAY", help="First day.")
@click.option("--to", "to_date", default="", metavar="DAY", help="The day after the last.")
@click.option("--segment", default="", metavar="NAME", help="Instead: its members, before --to.")
def _freeze(name: str, event: str, from_date: str, to_date: str, segment: str) -> int:
    """Freeze as NAME who did an event over days, or who is in a segment."""
    given = {"event": event, "from": from_date, "to": to_date, "segment": segment}
    told = {part: value for part, value in given.items() if value}
    return answer("cohort freeze", {"name": name, **told})


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
