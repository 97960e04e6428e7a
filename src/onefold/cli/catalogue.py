"""Commands about the catalogue: described from what came, brought in, handed out, checked."""

import json
from pathlib import Path

import click

from onefold.cli.options import command, group, terms
from onefold.cli.reach import answer, ask
from onefold.cli.show import show
from onefold.model.errors import BadInput, MachineFailed, NotFound

KINDS = ("segment", "iglu")

_overwrite = click.option("--overwrite", is_flag=True, help="Replace descriptions that stand.")
_dry_run = click.option(
    "--dry-run", is_flag=True, help="Tell what would be written; write nothing."
)


@group("catalogue")
def catalogue_command() -> None:
    """Descriptions of events: made, brought in, handed out."""


@catalogue_command.command("infer")
@click.option("--event", metavar="NAME", help="Only this event; described ones too.")
@_overwrite
@_dry_run
def _infer(event: str | None, *, overwrite: bool, dry_run: bool) -> int:
    """Describe recorded events that nobody described, by what was seen of them.

    The files go to definitions/events; read them, then run `onefold apply`.
    """
    return answer("catalogue infer", {"event": event, "overwrite": overwrite, "dry_run": dry_run})


@catalogue_command.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--format", "kind", type=click.Choice(KINDS), help="Told by the file itself if left out."
)
@_overwrite
@_dry_run
def _import(path: Path, kind: str | None, *, overwrite: bool, dry_run: bool) -> int:
    """Bring in PATH: a Segment tracking plan (JSON), or a folder of Iglu schemas."""
    if not path.exists():
        raise NotFound(f"No file {path}.", "Give a tracking plan, or a folder of schemas.")
    wanted = {"path": str(path.resolve()), "kind": kind}
    return answer("catalogue import", {**wanted, "overwrite": overwrite, "dry_run": dry_run})


@catalogue_command.command("export")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--format", "kind", type=click.Choice(KINDS), default="segment", show_default=True)
@click.option("--vendor", default="", help="Of the Iglu schemas, such as com.acme.")
def _export(path: Path, kind: str, vendor: str) -> int:
    """Write the catalogue to PATH: a new file for Segment, a new folder for Iglu."""
    if path.exists() and not (kind == "iglu" and path.is_dir() and not any(path.iterdir())):
        raise BadInput(f"{path} is there already.", "Name a new file, or an empty folder.")
    given = terms()
    body, good = ask(given, "catalogue export", {"kind": kind, "vendor": vendor})
    files: dict[str, object] = body["files"]
    try:
        for name, document in files.items():
            _put(path if kind == "segment" else path / name, document)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}."
        raise MachineFailed(message, "Make room, or name another place.") from error
    show({"path": str(path), "files": len(files)}, given)
    return 0 if good else 1


def _put(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@command("check")
@click.option(
    "--definitions",
    type=click.Path(path_type=Path),
    help="A folder of definitions. Default: that of the workspace.",
)
def check_command(definitions: Path | None) -> int:
    """Tell what changed definitions would break; 1 if anything.

    Every changed description is tried on recorded events, and every metric and experiment is
    asked which fields it reads.
    """
    if definitions is not None and not definitions.is_dir():
        raise NotFound(f"No folder {definitions}.", "Name a folder with events, metrics.")
    folder = None if definitions is None else str(definitions.resolve())
    return answer("check", {"definitions": folder})


@command("audit-instrumentation")
def audit_instrumentation_command() -> int:
    """Tell what is wrong with what is sent; 1 if anything.

    Unseen, unplanned, undocumented and stale events, drift of fields, odd volumes, ids that stand
    for nobody or for many, planned journeys that break.
    """
    return answer("audit-instrumentation")
