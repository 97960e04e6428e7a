"""Commands about records: bring them in, see what was brought in, take it back."""

from pathlib import Path

import click

from onefold.cli.options import command
from onefold.cli.reach import answer
from onefold.model.errors import BadInput, NotFound


@command("import")
@click.argument("mapping", type=click.Path(path_type=Path), required=False)
@click.option("--dry-run", is_flag=True, help="Read and judge every record; keep none.")
@click.option("--list", "list_them", is_flag=True, help="List what comes by itself, and when.")
def import_command(mapping: Path | None, *, dry_run: bool, list_them: bool) -> int:
    """Bring in the records that the file MAPPING describes.

    A mapping in the workspace's folder `imports` that says `every: 1h` comes by itself while the
    server runs.
    """
    if list_them:
        return answer("imports")
    if mapping is None:
        fix = "Give the path of a mapping file, or --list for those that come by themselves."
        raise BadInput("No mapping file is named.", fix)
    if not mapping.is_file():
        fix = "Give the path of a mapping file; see docs/how-to/import-records.md."
        raise NotFound(f"No mapping file {mapping}.", fix)
    return answer("import", {"mapping": str(mapping.resolve()), "dry_run": dry_run})


@command("runs")
def runs_command() -> int:
    """List the runs of imports, the newest first: what each brought, whether it stands."""
    return answer("runs")


@command("undo")
@click.argument("run")
def undo_command(run: str) -> int:
    """Take the import RUN back: what stands is then as if it had never been.

    Rows that another run told as well stay. The same file can be brought in again.
    """
    return answer("undo", {"run": run})


@command("links")
def links_command() -> int:
    """List the links between imported rows, and how many name what nobody knows."""
    return answer("links")


@command("purchases")
def purchases_command() -> int:
    """Count purchases, online and offline: one that was told both ways counts once."""
    return answer("purchases")
