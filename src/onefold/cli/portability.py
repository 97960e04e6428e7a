"""Commands that carry a whole workspace: out in open formats, and in again."""

from pathlib import Path

import click

from onefold.cli.options import command, terms
from onefold.cli.reach import answer, is_served
from onefold.cli.show import note, show, show_progress
from onefold.cli.workspace import sign_in_address
from onefold.model.errors import Conflict


@command("export")
@click.argument("target", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--with-secrets",
    is_flag=True,
    help="Take write keys, API keys, passwords and sign-ins along.",
)
def export_command(target: Path, *, with_secrets: bool) -> int:
    """Write the whole workspace into DIR, new or empty, while it runs.

    The log and the facts as Parquet, the state as JSON lines, definitions as YAML, and a manifest
    with a hash of each file. The log holds events as they came, so the export holds personal data.
    """
    return answer("export", {"folder": str(target.resolve()), "with_secrets": with_secrets})


@command("restore")
@click.argument("source", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--log", metavar="URL", help="kafka://BROKER/TOPIC, new. Default: a file in -w.")
@click.option("--state", metavar="URL", help="postgresql://..., empty. Default: a file in -w.")
@click.option(
    "--erased",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A later export: whoever was erased by then stays so.",
)
def restore_command(source: Path, log: str | None, state: str | None, erased: Path | None) -> int:
    """Make the workspace -w from the export in DIR; 1 if its facts are not equal.

    The workspace must not exist yet, or hold no events; a topic or database that it is to use must
    be new.
    """
    from onefold.runtime import restore

    given = terms()
    if is_served(given.folder):
        message = f"A server holds the workspace {given.folder}."
        raise Conflict(message, "End it first, or name another folder.")
    with show_progress() as progress:
        made = restore(
            source,
            given.folder,
            log=log or "",
            state=state or "",
            erased=erased,
            progress=progress,
        )
    body = made.answer.to_json()
    link = sign_in_address(made.sign_in_path) if made.sign_in_path else ""
    if given.as_json:
        more = {"write_keys": made.keys, "api_key": made.api_key, "sign_in": link}
        show({**body, "equal": made.equal, **more}, given)
        return 0 if made.equal else 1
    show(body, given)
    for name, key in made.keys.items():
        click.echo(f"write key of {name}: {key}")
    if made.api_key:
        click.echo(f"api key: {made.api_key}")
    if link:
        click.echo(f"sign in: onefold serve -w {given.folder}, then open {link} once")
    if made.keys:
        note("These are new, and shown only now: the export held none.")
    return 0 if made.equal else 1
