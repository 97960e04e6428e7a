"""Commands about who may do what and who did what: users and the audit trail."""

import click

from onefold.cli.options import group, terms
from onefold.cli.reach import answer, ask
from onefold.model.records import ROLES


@group("audit")
def audit_command() -> None:
    """The trail, and whether it is whole."""


@audit_command.command("show")
@click.option("--last", default=50, show_default=True, help="How many entries, the latest first.")
@click.option("--action", metavar="NAME", help="Only actions that begin so, such as source.")
@click.option("--by", "actor", metavar="NAME", help="Only by somebody whose name holds this.")
@click.option("--subject", metavar="TEXT", help="Only to what holds this.")
@click.option("--before", type=int, metavar="ENTRY", help="Only entries older than this one.")
def _show(**given: object) -> int:
    """Show who changed what, and when."""
    return answer("audit show", given)


@audit_command.command("verify")
def _verify() -> int:
    """Follow the chain of hashes; 1 if an entry was changed, removed or moved."""
    return answer("audit verify")


@audit_command.command("export")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl")
def _export(form: str) -> int:
    """Print the whole trail, with the hashes by which it can be followed."""
    if terms().as_json:
        return answer("audit export", {"format": form})
    body, _ = ask(terms(), "audit export", {"format": form})
    click.echo(body["text"], nl=False)
    return 0


@group("key")
def key_command() -> None:
    """Keys of programs: scoped, for a while, shown once."""


@key_command.command("list")
def _keys() -> int:
    """Show what each key may do, until when, and when it was used last."""
    return answer("key list")


@key_command.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["read", "persons", "write", "admin"]),
    default=["read"],
    show_default=True,
)
@click.option("--days", default=0, help="For how long; 0, the default, until it is revoked.")
def _key_add(name: str, scopes: tuple[str, ...], days: int) -> int:
    """Make the key NAME and print it, once."""
    return answer("key add", {"name": name, "scopes": list(scopes), "days": days})


@key_command.command("revoke")
@click.argument("name")
def _key_revoke(name: str) -> int:
    """End the key NAME at once."""
    return answer("key revoke", {"name": name})


@group("user")
def user_command() -> None:
    """Who may sign in, and as what."""


@user_command.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True)
def _add(name: str, role: str) -> int:
    """Add the user NAME; `onefold user link NAME` lets them in."""
    return answer("user add", {"name": name, "role": role})


@user_command.command("set")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), help="The new role.")
@click.option("--out/--in", "out", default=None, help="Shut out, or let in again.")
def _set(name: str, role: str | None, out: bool | None) -> int:
    """Give the user NAME another role, shut them out with all sessions, or let them in again."""
    given: dict[str, object] = {"name": name, "role": role, "out": out}
    return answer("user set", {key: kept for key, kept in given.items() if kept is not None})


@user_command.command("link")
@click.argument("name")
def _link(name: str) -> int:
    """Print a path that signs NAME in once, within a day."""
    return answer("user link", {"name": name})
