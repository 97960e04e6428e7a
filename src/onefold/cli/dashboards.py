"""Commands about dashboards."""

from pathlib import Path

import click

from onefold.cli.options import group, text_of
from onefold.cli.reach import answer
from onefold.model.errors import BadInput


@group("dashboard")
def dashboard_command() -> None:
    """Dashboards: questions that stand together, from git or kept here."""


@dashboard_command.command("list")
def _list() -> int:
    """List the dashboards, those that come with Onefold too."""
    return answer("dashboard list")


@dashboard_command.command("show")
@click.argument("name")
@click.option("--without-answers", is_flag=True, help="The questions alone, and their YAML.")
def _show(name: str, *, without_answers: bool) -> int:
    """Ask the questions of the dashboard NAME."""
    return answer("dashboard show", {"name": name, "answers": not without_answers})


@dashboard_command.command("keep")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def _keep(file: Path) -> int:
    """Keep the dashboard of the YAML FILE, in place of the one of its name."""
    return answer("dashboard keep", {"text": text_of(file)})


@dashboard_command.command("pin")
@click.argument("name")
@click.argument("ask")
@click.argument("params", nargs=-1, metavar="[PARAM=VALUE]...")
@click.option("--label", default="", help="Its title on the dashboard.")
@click.option("--days", type=int, default=0, help="Over so many last days. Default: 28.")
def _pin(name: str, ask: str, params: tuple[str, ...], label: str, days: int) -> int:
    """Put the question ASK (metric, funnel, retention) on the dashboard NAME.

    A parameter that is given several times makes a list: events=seen events=saved.
    """
    given: dict[str, str | list[str]] = {}
    for param in params:
        key, sign, value = param.partition("=")
        if not sign or not key:
            message = f"`{param}` is no parameter."
            raise BadInput(message, "Write it as name=saves_per_session.")
        before = given.get(key)
        if before is None:
            given[key] = value
        else:
            given[key] = [*([before] if isinstance(before, str) else before), value]
    asked = {"name": name, "ask": ask, "params": given, "label": label, "days": days}
    return answer("dashboard pin", asked)


@dashboard_command.command("unpin")
@click.argument("name")
@click.argument("place", type=int)
def _unpin(name: str, place: int) -> int:
    """Take the question at PLACE (from 1) off the dashboard NAME."""
    return answer("dashboard unpin", {"name": name, "place": place})


@dashboard_command.command("drop")
@click.argument("name")
def _drop(name: str) -> int:
    """Remove the dashboard NAME that is kept here."""
    return answer("dashboard drop", {"name": name})
