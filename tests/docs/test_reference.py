"""The reference says what the commands and the API say of themselves.

`ONEFOLD_WRITE_DOCS=1 pytest tests/docs/test_reference.py` writes it anew.
"""

import os
import re
from pathlib import Path

import click
import pytest

from onefold.cli.entry import root
from onefold.runtime import CALLS
from onefold.web.api import description

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def put_between(document: Path, word: str, text: str) -> str:
    """Return the document with what stands between its two marks replaced."""
    whole = document.read_text()
    pattern = rf"(<!-- {word}: [^>]*-->\n).*?(<!-- end of {word} -->)"
    made, count = re.subn(pattern, lambda m: f"{m[1]}\n{text}\n{m[2]}", whole, flags=re.DOTALL)
    assert count == 1
    return made


def helped(command: click.Command, path: str) -> str:
    """Return what a command says of itself, asked as the command line asks it."""
    # Click keeps the help option of whoever asked first, and tests ask in any order.
    command._help_option = None
    names = root.context_settings["help_option_names"]
    settings = {"help_option_names": names, "max_content_width": 96}
    with click.Context(command, info_name=path, **settings) as context:
        context.terminal_width = 96
        return command.get_help(context)


def commands_text() -> str:
    """Return every command's help, the frame first."""
    shared = "Every command takes `-w`, `--json` and `--as`, before or after its name. Answers go"
    parts = [
        f"{shared}\nto stdout, notes and progress to stderr.\n",
        f"```text\n{helped(root, 'onefold')}\n```\n",
    ]
    with click.Context(root) as context:
        for name in root.list_commands(context):
            command = root.get_command(context, name)
            parts.append(f"## onefold {name}\n```text\n{helped(command, f'onefold {name}')}\n```\n")
            if isinstance(command, click.Group):
                for inner in command.list_commands(context):
                    path = f"onefold {name} {inner}"
                    text = helped(command.get_command(context, inner), path)
                    parts.append(f"### {path}\n```text\n{text}\n```\n")
    return "\n".join(parts)


def calls_text() -> str:
    """Return a table of every call: address, what it takes, what it needs, what it answers."""
    rows = ["| address | takes | right | answers |", "|---|---|---|---|"]
    schemas = description()["components"]["schemas"]
    for name, call in CALLS.items():
        schema = schemas[call.takes.__name__]
        required = set(schema.get("required", ()))
        names = [f"`{n}`{'*' if n in required else ''}" for n in schema["properties"]]
        method = "POST" if call.changes else "GET"
        address = f"`{method} /api/v1/{name.replace(' ', '/')}`"
        rows.append(f"| {address} | {', '.join(names) or '–'} | `{call.action}` | {call.summary} |")
    return "\n".join([*rows, "", "Parameters with a star are required.", ""])


@pytest.mark.parametrize(
    ("file", "word", "made"),
    [("commands.md", "commands", commands_text), ("api.md", "calls", calls_text)],
)
def test_the_reference_is_what_they_say(file, word, made):
    document = REFERENCE / file
    text = put_between(document, word, made())
    if os.environ.get("ONEFOLD_WRITE_DOCS"):
        document.write_text(text)
    assert document.read_text() == text
