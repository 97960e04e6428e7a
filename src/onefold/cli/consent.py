"""Commands about consent: where somebody stands, their yes and no, and what was done about it."""

from pathlib import Path

import click

from onefold.cli.options import group
from onefold.cli.reach import answer

_BASES = ("consent", "contract", "legitimate interest", "legal obligation")
_basis = click.option("--basis", type=click.Choice(_BASES), help="The legal basis.")
_region = click.option("--region", metavar="NAME", help="Where they are, such as eea.")
_environment = click.option("--environment", help="Of which environment. Default: production.")


@group("consent")
def consent_command() -> None:
    """What people said may be done with what they do."""


@consent_command.command("show")
@click.argument("identifier", metavar="ID")
@_environment
def _show(identifier: str, environment: str | None) -> int:
    """Show where ID stands with each purpose, and all that was said, over time."""
    return answer("consent show", {"id": identifier, "environment": environment})


@consent_command.command("grant")
@click.argument("identifier", metavar="ID")
@click.argument("purpose")
@_basis
@_region
def _grant(identifier: str, purpose: str, basis: str | None, region: str | None) -> int:
    """Record that ID agrees to PURPOSE, from now on."""
    given = {"id": identifier, "purpose": purpose, "basis": basis, "region": region}
    return answer("consent grant", given)


@consent_command.command("withdraw")
@click.argument("identifier", metavar="ID")
@click.argument("purpose", required=False)
@_region
def _withdraw(identifier: str, purpose: str | None, region: str | None) -> int:
    """Record that ID withdraws from PURPOSE, or from all of them."""
    return answer("consent withdraw", {"id": identifier, "purpose": purpose, "region": region})


@consent_command.command("record")
@click.argument("identifier", metavar="ID")
@click.argument("string")
def _record(identifier: str, string: str) -> int:
    """Record what ID's TC string (TCF 2.2) or GPP string says."""
    return answer("consent record", {"id": identifier, "string": string})


@consent_command.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Read and judge everything, keep nothing.")
def _import(path: str, *, dry_run: bool) -> int:
    """Record what the CSV at PATH says: id, purpose, answer; time, region and basis may be."""
    return answer("consent import", {"path": str(Path(path).resolve()), "dry_run": dry_run})


@consent_command.command("proofs")
@click.option("--last", default=100, show_default=True, help="How many, the latest first.")
def _proofs(last: int) -> int:
    """List withdrawals, and when and where each was applied."""
    return answer("consent proofs", {"last": last})


@consent_command.command("summary")
def _summary() -> int:
    """Count what was said, by purpose, and what came before anybody was asked."""
    return answer("consent summary")


@consent_command.command("settle")
def _settle() -> int:
    """Let in what was held before a yes, where there is one; the house does so by itself."""
    return answer("consent settle")


@group("personalization")
def personalization_command() -> None:
    """Whether what people see may be made for them."""


@personalization_command.command("show")
def _switched() -> int:
    """Tell whether it is on for everybody."""
    return answer("personalization show")


@personalization_command.command("switch")
@click.argument("to", type=click.Choice(("on", "off")))
def _switch(to: str) -> int:
    """Switch it on or off for everybody."""
    return answer("personalization switch", {"to": to})


@personalization_command.command("allowed")
@click.argument("identifier", metavar="ID")
@_environment
def _allowed(identifier: str, environment: str | None) -> int:
    """Tell whether it is allowed for ID; 1 if it is not."""
    return answer("personalization allowed", {"id": identifier, "environment": environment})
