"""Commands about what leaves the house: destinations, transfers across borders."""

from typing import Any

import click

from onefold.cli.options import group
from onefold.cli.reach import answer

KINDS = ("files", "webhook", "postgres", "audience")
FORMATS = ("parquet", "csv", "pinterest")
PLATFORMS = ("pinterest", "meta", "google")
ENVIRONMENTS = ("production", "staging", "development")
BASES = ("adequacy", "scc", "bcr", "derogation", "same-law")

_OPTIONS = (
    click.option("--purpose", help="What the receiver may use it for, such as sharing."),
    click.option("--region", help="Where the receiver is, such as us."),
    click.option("--basis", help="The contract or consent that handing it over rests on."),
    click.option("--environment", type=click.Choice(ENVIRONMENTS), help="Whose events."),
    click.option("--every", metavar="WHEN", help="1m, 1h, 1d, or five fields as cron has them."),
    click.option("--format", type=click.Choice(FORMATS), help="Of files."),
    click.option("--url", help="Of a webhook (https), or of a database (postgresql)."),
    click.option("--table", help="Of a database; default: onefold_events."),
    click.option("--platform", type=click.Choice(PLATFORMS), help="Of an audience."),
    click.option("--events", metavar="NAMES", help="Only these events, apart by commas."),
    click.option("--allow", metavar="HOSTS", help="Hosts a webhook may reach that are private."),
    click.option("--names/--no-names", default=None, help="Tell user ids in words, not as keys."),
)


def _described(command: Any) -> Any:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@group("destination")
def destination_command() -> None:
    """Where data goes: files, webhooks, databases, audiences for ad platforms."""


@destination_command.command("list")
def _list() -> int:
    """List the destinations: purpose, region, basis, what stands there, what is wrong."""
    return answer("destination list")


@destination_command.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="How data gets there.")
@_described
def _add(name: str, **given: Any) -> int:
    """Register the destination NAME and show its secret once.

    It carries only what consent to its purpose allows. What is withdrawn or erased later is taken
    back there by itself.
    """
    return answer("destination add", {"name": name, **given})


@destination_command.command("set")
@click.argument("name")
@click.option("--stop/--resume", "stopped", default=None, help="Send nothing new, or go on.")
@_described
def _set(name: str, **given: Any) -> int:
    """Change the destination NAME; what is not given stays."""
    return answer("destination set", {"name": name, **given})


@destination_command.command("run")
@click.argument("name")
def _run(name: str) -> int:
    """Send what is new to the destination NAME now."""
    return answer("destination run", {"name": name})


@destination_command.command("empty")
@click.argument("name")
def _empty(name: str) -> int:
    """Take everything back that the destination NAME was sent, and stop it."""
    return answer("destination empty", {"name": name})


@destination_command.command("remove")
@click.argument("name")
def _remove(name: str) -> int:
    """Remove the destination NAME, at which nothing stands any more."""
    return answer("destination remove", {"name": name})


@destination_command.command("letters")
@click.argument("name")
def _letters(name: str) -> int:
    """List what the receiver of NAME would not take, for whatever reason."""
    return answer("destination letters", {"name": name})


@destination_command.command("replay")
@click.argument("name")
def _replay(name: str) -> int:
    """Deliver the dead letters of NAME anew, as far as consent allows them now."""
    return answer("destination replay", {"name": name})


@group("transfer")
def transfer_command() -> None:
    """Data across borders: on what basis it may, and what went."""


@transfer_command.command("list")
def _transfers() -> int:
    """List the register: on what data may cross which border, who said so, until when."""
    return answer("transfer list")


@transfer_command.command("register")
@click.argument("from_region")
@click.argument("to_region")
@click.option("--basis", type=click.Choice(BASES), required=True, help="On what it rests.")
@click.option("--note", required=True, help="The decision or contract, so that it can be found.")
@click.option("--until", metavar="DAY", help="The first day on which it holds no more.")
def _register(from_region: str, to_region: str, **given: str | None) -> int:
    """Let data go from FROM_REGION to TO_REGION, on a basis that is named."""
    told = {"from_region": from_region, "to_region": to_region, **given}
    return answer("transfer register", told)


@transfer_command.command("revoke")
@click.argument("id", type=int)
def _revoke(**given: int) -> int:
    """Let the basis ID end now."""
    return answer("transfer revoke", given)


@transfer_command.command("happened")
@click.option("--last", type=int, default=100, help="How many.")
def _happened(last: int) -> int:
    """List what went across a border, and on what it rested."""
    return answer("transfer happened", {"last": last})
