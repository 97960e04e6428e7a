"""Commands about what has to be signed: the queue, early checks, who signs what."""

import click

from onefold.cli.options import group
from onefold.cli.reach import answer

FUNCTIONS = ("product", "marketing", "infrastructure", "legal")
STANDINGS = ("waiting", "approved", "making", "failed", "done", "refused", "withdrawn")
_for = click.option("--for", "function", type=click.Choice(FUNCTIONS), help="For which function.")


@group("approval")
def approval_command() -> None:
    """Changes that have to be signed: who, what the early checks found, what was said."""


@approval_command.command("list")
@_for
@click.option("--standing", type=click.Choice(STANDINGS))
def _list(function: str | None, standing: str | None) -> int:
    """Show changes; `--for legal` what waits for legal."""
    return answer("approval list", {"function": function, "standing": standing})


@approval_command.command("show")
@click.argument("draft", type=int)
def _show(draft: int) -> int:
    """Show what the change DRAFT does, what was found, what was said."""
    return answer("approval show", {"draft": draft})


@approval_command.command("checks")
def _checks() -> int:
    """Run the four early checks over what `apply` would change; 1 if one finds something."""
    return answer("approval checks")


@approval_command.command("draft")
def _draft() -> int:
    """Ask for what `apply` would change, so that it can be signed before."""
    return answer("approval draft")


@approval_command.command("sign")
@click.argument("draft", type=int)
@_for
@click.option("--comment", default="")
def _sign(draft: int, function: str | None, comment: str) -> int:
    """Sign the change DRAFT."""
    return answer("approval sign", {"draft": draft, "function": function, "comment": comment})


@approval_command.command("refuse")
@click.argument("draft", type=int)
@_for
@click.option("--comment", required=True, help="Why.")
def _refuse(draft: int, function: str | None, comment: str) -> int:
    """Refuse the change DRAFT."""
    return answer("approval refuse", {"draft": draft, "function": function, "comment": comment})


@approval_command.command("comment")
@click.argument("draft", type=int)
@click.argument("comment")
def _comment(draft: int, comment: str) -> int:
    """Say COMMENT of the change DRAFT."""
    return answer("approval comment", {"draft": draft, "comment": comment})


@approval_command.command("withdraw")
@click.argument("draft", type=int)
@click.option("--comment", default="", help="Why.")
def _withdraw(draft: int, comment: str) -> int:
    """Take the change DRAFT back, which waits, is approved or failed."""
    return answer("approval withdraw", {"draft": draft, "comment": comment})


@approval_command.command("matrix")
def _matrix() -> int:
    """Show who has to sign which kind of change."""
    return answer("approval matrix")


@approval_command.command("need")
@click.argument("kind")
@click.argument("functions", nargs=-1, type=click.Choice(FUNCTIONS))
@click.option("--four-eyes", is_flag=True, help="Whoever asks may not sign.")
def _need(kind: str, functions: tuple[str, ...], *, four_eyes: bool) -> int:
    """Say that FUNCTIONS have to sign changes of KIND."""
    given = {"kind": kind, "needs": list(functions), "four_eyes": four_eyes}
    return answer("approval need", given)


@approval_command.command("assign")
@click.argument("function", type=click.Choice(FUNCTIONS))
@click.argument("users", nargs=-1)
def _assign(function: str, users: tuple[str, ...]) -> int:
    """Say that USERS sign for FUNCTION besides the owners."""
    return answer("approval assign", {"function": function, "users": list(users)})
