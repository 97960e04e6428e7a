"""The command line: one module a domain; whoever asks for help waits for no engine."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.cli.entry import main as main

__getattr__ = door(__name__, {"main": "entry"})
