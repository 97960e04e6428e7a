"""Commands about customers: one person, one account, where they get stuck, what helped."""

import click

from onefold.cli.options import command, group
from onefold.cli.reach import answer


@group("person")
def person_command() -> None:
    """One person; an ID is any identifier, such as user_id:u1, or a bare user id."""


@person_command.command("show")
@click.argument("id_given", metavar="ID")
def _person(id_given: str) -> int:
    """Show who ID is and what happened, from the first anonymous touch on."""
    return answer("person show", {"id": id_given})


@group("account")
def account_command() -> None:
    """One account."""


@account_command.command("show")
@click.argument("id_given", metavar="ID")
def _account(id_given: str) -> int:
    """Show the account ID: spend, open issues, last interactions, timeline."""
    return answer("account show", {"id": id_given})


@command("friction")
def friction_command() -> int:
    """Show where customers get stuck and what it costs."""
    return answer("friction")


@command("services")
def services_command() -> int:
    """Show what help really changed, naive and adjusted side by side."""
    return answer("services")
