"""Commands about records that share no key: look for them, review, decide, report."""

import click

from onefold.cli.options import group
from onefold.cli.reach import answer

_ENTITY = click.option(
    "--entity",
    type=click.Choice(["account", "contact"]),
    default="account",
    show_default=True,
    help="Which records.",
)


@group("link")
def link_command() -> None:
    """Records of one account or contact that share no key."""


@link_command.command("run")
@_ENTITY
@click.option("--apart", is_flag=True, help="Compare only records of different imports.")
def _run(entity: str, *, apart: bool) -> int:
    """Look for pairs that may be the same, and put them into the queue.

    Needs `pip install 'onefold[link]'`. What was decided stays, and moves how much each field
    counts.
    """
    return answer("link run", {"entity": entity, "apart": apart})


@link_command.command("review")
@_ENTITY
@click.option("--last", default=20, show_default=True, help="How many pairs.")
@click.option("--doubtful", is_flag=True, help="The most doubtful first; else drawn at random.")
def _review(entity: str, last: int, *, doubtful: bool) -> int:
    """List pairs that wait for a decision, and why they look alike."""
    return answer("link review", {"entity": entity, "last": last, "doubtful": doubtful})


@link_command.command("decide")
@click.argument("left")
@click.argument("right")
@click.argument("decision", type=click.Choice(["same", "different", "later", "open"]))
@_ENTITY
def _decide(left: str, right: str, decision: str, entity: str) -> int:
    """Say of LEFT and RIGHT that they are the same or different; `open` undoes it."""
    given = {"left": left, "right": right, "decision": decision, "entity": entity}
    return answer("link decide", given)


@link_command.command("accept")
@_ENTITY
@click.option("--above", type=float, required=True, help="From which probability on, 0.5 to 1.")
def _accept(entity: str, above: float) -> int:
    """Say of all waiting pairs from a probability on that they are the same."""
    return answer("link accept", {"entity": entity, "above": above})


@link_command.command("report")
@_ENTITY
@click.option("--above", type=float, default=0.9, show_default=True, help="What counts as same.")
def _report(entity: str, above: float) -> int:
    """Show precision and recall on the reviewed pairs, with their intervals."""
    return answer("link report", {"entity": entity, "above": above})
