"""Commands about records: bring them in, see what was brought in, take it back."""

from pathlib import Path

import click

from onefold.cli.options import command
from onefold.cli.reach import answer
from onefold.model.errors import NotFound


@command("import")
@click.argument("mapping", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Read and judge every record; keep none.")
def import_command(mapping: Path, *, dry_run: bool) -> int:
    """Bring in the records that the file MAPPING describes."""
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
