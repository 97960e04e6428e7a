"""Commands about the facts as files."""

from onefold.cli.options import group
from onefold.cli.reach import answer


@group("facts")
def facts_command() -> None:
    """The facts as Parquet files, for engines beside this one."""


@facts_command.command("export")
def _export() -> int:
    """Write the facts out now; a server does so by itself where [facts_export] stands."""
    return answer("facts export")
