"""Commands that bring the definitions of the folder into force."""

from onefold.cli.options import command
from onefold.cli.reach import answer


@command("plan")
def plan_command() -> int:
    """Show what the definitions in the folder would change; 1 if anything."""
    return answer("plan")


@command("apply")
def apply_command() -> int:
    """Let the definitions in the folder hold, and wait until the folds follow them."""
    return answer("apply")
