"""Command of the door for assistants: the Model Context Protocol over standard input and output."""

from importlib.util import find_spec

from onefold.cli.options import command, terms
from onefold.cli.reach import ask
from onefold.model.errors import BadInput


@command("mcp")
def mcp_command() -> int:
    """Let an assistant ask, read-only, by the Model Context Protocol over stdin and stdout.

    Needs `pip install 'onefold[mcp]'`. Give it a user of its own with `--as USER`: it sees what
    that user's role and policies show, and nothing else. Ends when its input does.
    """
    given = terms()
    if find_spec("mcp") is None:
        message = "The Model Context Protocol needs its SDK, which is not installed."
        raise BadInput(message, "Install it with `pip install 'onefold[mcp]'`.")
    # A workspace or user that is not there is told before the assistant waits for an answer.
    ask(given, "metrics")
    from onefold.cli.assistant_server import serve

    serve(given)
    return 0
