"""Commands about how long events are kept."""

from onefold.cli.options import group
from onefold.cli.reach import answer


@group("expiry")
def expiry_command() -> None:
    """For how many days events serve a purpose, and rows stay; by `[retention]` in onefold.toml."""


@expiry_command.command("show")
def _show() -> int:
    """Show the days of each purpose and table, and how much has expired."""
    return answer("expiry show")


@expiry_command.command("enforce")
def _enforce() -> int:
    """Erase now what is kept no longer; the server does so once a day."""
    return answer("expiry enforce")
