"""Commands about who may do what and who did what: users and the audit trail."""

import click

from onefold.cli.options import group
from onefold.cli.reach import answer
from onefold.model.records import ROLES


@group("audit")
def audit_command() -> None:
    """The trail, and whether it is whole."""


@audit_command.command("show")
@click.option("--last", default=50, show_default=True, help="How many entries, the latest first.")
@click.option("--action", metavar="NAME", help="Only actions that begin so, such as source.")
def _show(last: int, action: str | None) -> int:
    """Show who changed what, and when."""
    return answer("audit show", {"last": last, "action": action})


@audit_command.command("verify")
def _verify() -> int:
    """Follow the chain of hashes; 1 if an entry was changed, removed or moved."""
    return answer("audit verify")


@group("user")
def user_command() -> None:
    """Who may sign in, and as what."""


@user_command.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True)
def _add(name: str, role: str) -> int:
    """Add the user NAME; `onefold user link NAME` lets them in."""
    return answer("user add", {"name": name, "role": role})


@user_command.command("link")
@click.argument("name")
def _link(name: str) -> int:
    """Print a path that signs NAME in once, within a day."""
    return answer("user link", {"name": name})
