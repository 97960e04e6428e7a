"""The command that advises."""

import click

from onefold.cli.options import command
from onefold.cli.reach import answer


@command("advise")
@click.option("--account", metavar="ID", help="For one account. Default: for the whole market.")
def advise_command(account: str | None) -> int:
    """Show the three to five things worth doing next: what, why, worth, when."""
    return answer("advise", {"account": account})
