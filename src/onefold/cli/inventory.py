"""Commands about what there is: touchpoints, the vendor scorecard."""

import click

from onefold.cli.options import command
from onefold.cli.reach import answer


@command("touchpoints")
@click.option("--control", type=click.Choice(["controllable", "influenceable"]))
def touchpoints_command(control: str | None) -> int:
    """Every kind of contact with people: owner, controllable or not, volume, last use."""
    return answer("touchpoints", {"control": control})


@command("scorecard")
@click.option("--empty", is_flag=True, help="The form without answers, for any vendor.")
def scorecard_command(*, empty: bool) -> int:
    """What to ask of a vendor, and how this workspace answers; 1 if a check fails."""
    return answer("scorecard", {"empty": empty})
