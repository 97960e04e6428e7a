"""What every command takes: the workspace, JSON or a table, under whose policy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from onefold.model.errors import BadInput, did_you_mean

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_KEPT = "onefold."


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms a command runs.

    Attributes:
        folder: The workspace.
        as_json: Whether the answer is to be one JSON document.
        user: Under whose policy to ask; None is the owner.
    """

    folder: Path
    as_json: bool = False
    user: str | None = None


def terms() -> Terms:
    """Return the terms of the command that runs."""
    meta = click.get_current_context().meta
    return Terms(
        folder=Path(meta.get(_KEPT + "folder", ".")),
        as_json=bool(meta.get(_KEPT + "as_json", False)),
        user=meta.get(_KEPT + "user"),
    )


def _keep(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    # Given before or after the subcommand; the later one holds.
    if value is not None and value is not False:
        ctx.meta[_KEPT + str(option.name)] = value


def _shared() -> list[click.Parameter]:
    make = partial(click.Option, expose_value=False, callback=_keep)
    return [
        make(
            ["-w", "--workspace", "folder"],
            metavar="DIR",
            help="The workspace. Default: this folder.",
        ),
        make(["--json", "as_json"], is_flag=True, help="Answer with one JSON document."),
        make(["--as", "user"], metavar="USER", help="Ask under this user's policy."),
    ]


class Command(click.Command):
    """A command that takes the shared options too."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params += _shared()


class Group(click.Group):
    """A group whose commands stand in files of their own and are fetched when called.

    Args:
        rooms: Heading -> {name of the command: (file of this room, one line of help)}.
    """

    command_class = Command

    def __init__(
        self,
        *args: Any,
        rooms: Mapping[str, Mapping[str, tuple[str, str]]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.params += _shared()
        self._rooms = rooms or {}
        self._files = {n: file for room in self._rooms.values() for n, (file, _) in room.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the loop."""
        return [*self._files, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, fetching its file at its first call."""
        if cmd_name not in self._files:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"onefold.cli.{self._files[cmd_name]}")
        found = getattr(module, cmd_name.replace("-", "_") + "_command")
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant, or say which was near."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            near = did_you_mean(name, self.list_commands(ctx))
            ctx.fail(f"No command `{name}`.{near}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings, without fetching any."""
        for heading, room in self._rooms.items():
            with formatter.section(heading):
                formatter.write_dl([(name, line) for name, (_, line) in room.items()])
        if not self._rooms:
            super().format_commands(ctx, formatter)


def command(name: str, **options: Any) -> Callable[[Callable[..., Any]], Command]:
    """Return the decorator of a command with the shared options."""
    return click.command(name, cls=Command, **options)


def group(name: str, **options: Any) -> Callable[[Callable[..., Any]], Group]:
    """Return the decorator of a group with the shared options."""
    return click.group(name, cls=Group, **options)


def text_of(file: Path) -> str:
    """Return the text of a file that is handed over whole.

    Raises:
        BadInput: It is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        message = f"{file.name} is not UTF-8."
        raise BadInput(message, "Save it as UTF-8.") from error
