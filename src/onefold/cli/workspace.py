"""Commands about the workspace itself: make it, serve it, look after it."""

import shlex
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import click

from onefold.cli.options import command, terms
from onefold.cli.reach import answer, is_served
from onefold.cli.show import note, show
from onefold.model.errors import Conflict

BASES = ("opt-in", "notice", "contract")


@command("init")
@click.argument("folder_given", metavar="[DIR]", required=False)
@click.option(
    "--basis",
    type=click.Choice(BASES),
    default="opt-in",
    show_default=True,
    help="What may be kept of an event of the first source that carries no consent.",
)
@click.option(
    "--identity-key",
    metavar="HEX",
    help="32 bytes in hex that key every hash of an identifier. Default: made at random.",
)
@click.option("--name", help="What the pages call the workspace. Default: the folder's name.")
@click.option("--log", metavar="URL", help="kafka://BROKER/TOPIC. Default: a file in DIR.")
@click.option("--state", metavar="URL", help="postgresql://... Default: a file in DIR.")
@click.option("--facts", metavar="URL", help="clickhouse://... Default: a file in DIR.")
def init_command(
    folder_given: str | None,
    basis: str,
    identity_key: str | None,
    name: str | None,
    log: str | None,
    state: str | None,
    facts: str | None,
) -> None:
    """Make a workspace in DIR and print, once, its keys and how to sign in."""
    from onefold.runtime import create_workspace

    given = terms()
    folder = Path(folder_given) if folder_given else given.folder
    made = create_workspace(
        folder,
        basis=basis,
        identity_key=identity_key or "",
        name=name or "",
        log=log or "",
        state=state or "",
        facts=facts or "",
    )
    place = sign_in_address(made.sign_in_path)
    if given.as_json:
        body = {
            "workspace": str(folder),
            "write_key": made.write_key,
            "api_key": made.api_key,
            "sign_in": place,
        }
        show(body, given)
        return
    click.echo(f"write key: {made.write_key}")
    click.echo(f"api key: {made.api_key}")
    click.echo(f"sign in: onefold serve -w {folder}, then open {place} once")
    note("API key and link are shown only now; `onefold source list` tells the write key.")


def sign_in_address(path: str, *, host: str = "127.0.0.1", port: int = 8000) -> str:
    """Return the one-time address whose first visitor is signed in."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}{path}"


@command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, help="The port to listen on.")
@click.option(
    "--log",
    type=click.Choice(("quiet", "text", "json")),
    default="quiet",
    show_default=True,
    help="What to say on standard error: warnings alone, or every request too.",
)
@click.option(
    "--intake",
    is_flag=True,
    help="Take events in alone, beside another server of the same log; no pages, no folds.",
)
def serve_command(host: str, port: int, log: str, intake: bool) -> None:
    """Take events in, answer the API and show the pages, until ended.

    Keeps two processes: the door takes events in and never waits for a question; the house
    folds them and answers.
    """
    from onefold.web import serve

    given = terms()
    if not intake and is_served(given.folder):
        message = f"Another server holds the workspace {given.folder}."
        raise Conflict(message, "End it first, or use it.")
    ready = partial(_say_taking, intake=intake)
    opened = partial(_say_open, given.folder)
    serve(given.folder, host=host, port=port, log=log, intake=intake, ready=ready, opened=opened)


def _say_taking(address: str, *, intake: bool) -> None:
    pages = "There are no pages here." if intake else "The pages are opening ..."
    note(f"Taking events at {address}. {pages} Ctrl-C ends it.")


def _say_open(folder: Path, address: str) -> None:
    program = "onefold" if sys.argv[0].endswith("__main__.py") else sys.argv[0]
    link = shlex.join([program, "-w", str(folder), "user", "link", "owner"])
    note(f"Ready: the pages are open at {address}.")
    note(f"To sign in: `{link}` prints a path; open it at {address}.")


@command("status")
def status_command() -> int:
    """Show counts, lag, sizes and rates."""
    return answer("status")


@command("trace")
@click.argument("id_given", metavar="ID")
def trace_command(id_given: str) -> int:
    """Show the way of what was sent under the W3C trace ID: taken, judged, kept, folded."""
    return answer("trace", {"id": id_given})


@command("doctor")
def doctor_command() -> int:
    """Say what is wrong with the workspace and how to mend it; 1 if anything is."""
    given = terms()
    if not is_served(given.folder):
        # Opening the planes makes files that are missing, so files are looked at first.
        from onefold.runtime import diagnose

        findings = diagnose(given.folder)
        if any(finding.level == "wrong" for finding in findings):
            show(_table_of(findings), given)
            return 1
    return answer("doctor")


def _table_of(findings: Iterable[Any]) -> dict[str, object]:
    rows = [[f.level, f.what, f.where, f.fix] for f in findings]
    names = ("level", "what", "where", "fix")
    columns = [{"name": name, "type": "text", "unit": ""} for name in names]
    return {"ok": False, "columns": columns, "rows": rows, "definition": "", "notes": []}


@command("rebuild")
@click.option(
    "--from-offset",
    type=click.IntRange(min=0),
    metavar="N",
    help="Replay the log from row N on, over facts kept before it. Default: all of it.",
)
@click.option("--keep", is_flag=True, help="Keep a copy of what is built, to replay from later.")
def rebuild_command(from_offset: int | None, keep: bool) -> int:
    """Make the facts anew from the log; the old ones answer meanwhile.

    Facts are a fold of the whole log. With --from-offset those up to the latest kept copy before
    N are taken as they are, where definitions and folds are the same; without such a copy all is
    replayed. The result is the same either way.
    """
    return answer("rebuild", {"from_offset": from_offset, "keep": keep or None})


@command("migrate")
@click.option(
    "--facts",
    required=True,
    metavar="URL",
    help="clickhouse://USER:PASSWORD@HOST:8123/DATABASE, or duckdb for a file in the workspace.",
)
def migrate_command(facts: str) -> int:
    """Move the facts to another engine; the old ones answer until the new ones are whole.

    They are built there from the log, so every figure stays what it was. `onefold.toml` is
    changed to say where they stand. What is sent meanwhile is folded before the move ends.
    """
    return answer("migrate", {"facts": facts})


@command("checksum")
def checksum_command() -> int:
    """Show rows and hash of every table of the facts."""
    return answer("checksum")
