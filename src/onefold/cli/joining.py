"""Commands about what two parties have in common, and figures that may be published."""

from pathlib import Path
from typing import Any

import click

from onefold.cli.options import command, group
from onefold.cli.reach import answer
from onefold.model.errors import BadInput

_FILE = click.Path(path_type=Path)
_field = click.option("--field", type=click.Choice(("email", "phone")), help="What to join by.")
_k = click.option("--k", type=int, help="Persons that a group needs; 20 or more.")
_environment = click.option(
    "--environment",
    type=click.Choice(("production", "staging", "development")),
    help="Whose people.",
)


@command("join")
@click.argument("file", type=_FILE)
@click.option("--column", required=True, help="The column of e-mail addresses, phones or hashes.")
@_field
@click.option("--by", help="A column to tell groups by.")
@click.option("--salt-file", type=_FILE, help="Holds the key of the hashes in the column.")
@click.option("--event", help="Count beside how many did this.")
@_k
@_environment
def join_command(file: Path, salt_file: Path | None, **given: Any) -> int:
    """Count who of a partner's FILE (CSV) is a customer who agreed to sharing, by groups.

    Only groups of at least 20 are told. Each answer takes from a privacy budget; one that would
    tell of a few persons beside another answer is refused.
    """
    salt = None if salt_file is None else _salt(salt_file)
    return answer("join", {"file": str(file.resolve()), "salt": salt, **given})


def _salt(path: Path) -> str:
    try:
        found = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The key in {path} cannot be read.", "Give a text file.") from error
    if not found:
        raise BadInput(f"The key in {path} is empty.", "Write the key that was agreed on.")
    return found


@group("intersect")
def intersect_command() -> None:
    """People in common with a partner, where neither shows the other a list."""


@intersect_command.command("ask")
@click.argument("to", type=_FILE)
@_field
@click.option("--events", metavar="NAMES", help="Ask also of who did these, apart by commas.")
@_k
@_environment
def _ask(to: Path, **given: Any) -> int:
    """Write a request to the file TO; send it to the partner."""
    return answer("intersect ask", {"to": str(to.resolve()), **given})


@intersect_command.command("answer")
@click.argument("file", type=_FILE)
@click.argument("to", type=_FILE)
@_environment
def _answer(file: Path, to: Path, **given: Any) -> int:
    """Write the response to a partner's request FILE to TO; send it back."""
    told = {"file": str(file.resolve()), "to": str(to.resolve()), **given}
    return answer("intersect answer", told)


@intersect_command.command("result")
@click.argument("file", type=_FILE)
@_k
def _result(file: Path, **given: Any) -> int:
    """Read a partner's response FILE: how many are in common. It can be read once."""
    return answer("intersect result", {"file": str(file.resolve()), **given})


@command("release")
@click.argument("event")
@click.option("--from", "first", metavar="DAY", required=True, help="The first day, of UTC.")
@click.option("--to", "after", metavar="DAY", required=True, help="The day after the last.")
@click.option("--by", type=click.Choice(("day", "source")), help="Count by this.")
@click.option("--epsilon", type=float, help="How much of the budget it takes; less is more noise.")
@click.option("--each", type=int, help="In how many groups one person counts at most.")
@_k
@_environment
def release_command(event: str, first: str, after: str, **given: Any) -> int:
    """Count who did EVENT for publication, with noise (differential privacy)."""
    return answer("release", {"event": event, "from": first, "to": after, **given})


@command("budget")
def budget_command() -> int:
    """List what was told of the people here, and what is left of the privacy budget."""
    return answer("budget")
