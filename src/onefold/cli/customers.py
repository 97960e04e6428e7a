"""Commands about customers: one person, one account, where they get stuck, what helped."""

from pathlib import Path

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


@person_command.command("graph")
@click.argument("id_given", metavar="ID")
def _graph(id_given: str) -> int:
    """Show the identifiers of ID's person and every link between them, with its evidence."""
    return answer("person graph", {"id": id_given})


@person_command.command("merge")
@click.argument("one", metavar="ID")
@click.argument("other", metavar="ID")
def _merge(one: str, other: str) -> int:
    """Let two be one person from now on; `unmerge` undoes it."""
    return answer("person merge", {"one": one, "other": other})


@person_command.command("unmerge")
@click.argument("one", metavar="ID")
@click.argument("other", metavar="ID")
def _unmerge(one: str, other: str) -> int:
    """Let one person be two; what made them one counts no more. `merge` undoes it."""
    return answer("person unmerge", {"one": one, "other": other})


@person_command.command("block")
@click.argument("id_given", metavar="ID")
def _block(id_given: str) -> int:
    """Let the identifier ID stand for nobody; `unblock` undoes it."""
    return answer("person block", {"id": id_given})


@person_command.command("unblock")
@click.argument("id_given", metavar="ID")
def _unblock(id_given: str) -> int:
    """Let the blocked identifier ID count again."""
    return answer("person unblock", {"id": id_given})


@person_command.command("review")
def _review() -> int:
    """List separated pairs of which new evidence says that they are one."""
    return answer("person review")


@person_command.command("decide")
@click.argument("separation")
@click.argument("verdict", type=click.Choice(["join", "apart"]))
def _decide(separation: str, verdict: str) -> int:
    """Decide what the review asks of SEPARATION: join the two, or keep them apart."""
    return answer("person decide", {"separation": separation, "verdict": verdict})


@person_command.command("check")
def _check() -> int:
    """Tell whether all links at one go make the persons that stand."""
    return answer("person check")


@person_command.command("erase")
@click.argument("id_given", metavar="ID")
def _erase(id_given: str) -> int:
    """Erase ID from every file of the workspace, so that nothing brings them back.

    It is an entry of the log. Events that others sent stay, and so do figures of closed periods.
    """
    return answer("person erase", {"id": id_given})


@person_command.command("export")
@click.argument("id_given", metavar="ID")
@click.option("--to", "folder", type=click.Path(path_type=Path), metavar="DIR")
def _export(id_given: str, folder: Path | None) -> int:
    """Write everything about ID into DIR: person.json, and person.html to read.

    Without --to it stands in `exports` of the workspace, where an erasure removes it.
    """
    place = str(folder.resolve()) if folder else ""
    return answer("person export", {"id": id_given, "folder": place})


@person_command.command("request")
@click.argument("id_given", metavar="ID")
@click.option("--kind", type=click.Choice(["erase", "export"]), required=True)
@click.option("--received", metavar="DATE", help="When it came. Default: now.")
@click.option("--days", type=click.IntRange(1, 366), default=30, help="Due within. Default: 30.")
def _request(id_given: str, kind: str, received: str | None, days: int) -> int:
    """Note that ID asked for something, so that its deadline is kept."""
    given = {"id": id_given, "kind": kind, "received": received, "days": days}
    return answer("person request", given)


@person_command.command("requests")
def _requests() -> int:
    """List what people asked for, until when it is due, and what became of it."""
    return answer("person requests")


@group("account")
def account_command() -> None:
    """One account."""


@account_command.command("show")
@click.argument("id_given", metavar="ID")
def _account(id_given: str) -> int:
    """Show the account ID: spend, open issues, last interactions, timeline."""
    return answer("account show", {"id": id_given})


@account_command.command("money")
@click.argument("id_given", metavar="ID")
@click.option("--as-of", help="As of the end of this day; now without it.")
def _money(id_given: str, as_of: str | None) -> int:
    """Show money of the account ID and of all below it: spend, invoices, credits, overdue."""
    return answer("account money", {"id": id_given, **({"as_of": as_of} if as_of else {})})


@account_command.command("parent")
@click.argument("id_given", metavar="ID")
@click.argument("parent", required=False)
@click.option("--none", is_flag=True, help="It stands below none, whatever imports say.")
def _parent(id_given: str, parent: str | None, *, none: bool) -> int:
    """Let the account ID stand below PARENT; without one, where the imports say."""
    given = {"id": id_given, "parent": "" if none else parent}
    return answer("account parent", given)


@command("friction")
def friction_command() -> int:
    """Show where customers get stuck and what it costs."""
    return answer("friction")


@command("services")
def services_command() -> int:
    """Show what help really changed, naive and adjusted side by side."""
    return answer("services")
