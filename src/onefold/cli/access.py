"""Commands about who sees what: policies by row and column, and teams."""

import click

from onefold.cli.options import group
from onefold.cli.reach import answer
from onefold.model.personal import CLASSES

NOTHING = "none"
_WHO = "Whom it binds: user:NAME, role:ROLE, team:NAME or key:NAME."
_OWNER = "Accounts of this owner; @me is who asks, @team the asker's teams."
_CAMPAIGN = "Rows of this campaign, and nothing that is of none."


@group("policy")
def policy_command() -> None:
    """Who sees which rows, and what of persons in clear."""


@policy_command.command("list")
def _list() -> int:
    """Show every policy."""
    return answer("policy list")


@policy_command.command("set")
@click.argument("name")
@click.option("--who", multiple=True, required=True, metavar="KIND:NAME", help=_WHO)
@click.option("--account", "accounts", multiple=True, metavar="ID", help="Rows of this account.")
@click.option("--owner", "owners", multiple=True, metavar="NAME", help=_OWNER)
@click.option("--region", "regions", multiple=True, metavar="COUNTRY", help="Accounts from there.")
@click.option("--campaign", "campaigns", multiple=True, metavar="ID", help=_CAMPAIGN)
@click.option(
    "--clear",
    "classes",
    multiple=True,
    type=click.Choice((*CLASSES, NOTHING)),
    help="What of persons may be read in clear; `none` for nothing. Default: as the role.",
)
@click.option("--note", default="", help="Why.")
def _set(name: str, classes: tuple[str, ...], **given: object) -> int:
    """Let the policy NAME hold, in the place of one of that name."""
    clear = None if not classes else [each for each in classes if each != NOTHING]
    lists = {part: list(v) if isinstance(v, tuple) else v for part, v in given.items()}
    return answer("policy set", {"name": name, "classes": clear, **lists})


@policy_command.command("remove")
@click.argument("name")
def _remove(name: str) -> int:
    """End the policy NAME."""
    return answer("policy remove", {"name": name})


@policy_command.command("sight")
@click.argument("name", default="", metavar="USER")
def _sight(name: str) -> int:
    """Show what USER may see, as all policies together say."""
    return answer("policy sight", {"user": name})


@group("team")
def team_command() -> None:
    """Who works on the same accounts; policies speak of @team and team:NAME."""


@team_command.command("list")
def _teams() -> int:
    """Show every team and who is of it."""
    return answer("team list")


@team_command.command("set")
@click.argument("name")
@click.argument("members", nargs=-1, required=True)
def _team_set(name: str, members: tuple[str, ...]) -> int:
    """Say that MEMBERS, and nobody else, are of the team NAME."""
    return answer("team set", {"name": name, "members": list(members)})


@team_command.command("remove")
@click.argument("name")
def _team_remove(name: str) -> int:
    """End the team NAME, where no policy binds it."""
    return answer("team remove", {"name": name})
