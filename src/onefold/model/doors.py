"""A room's door that opens only what is asked for, so that importing a room stays cheap."""

from collections.abc import Callable, Mapping
from importlib import import_module


def door(room: str, names: Mapping[str, str]) -> Callable[[str], object]:
    """Return the `__getattr__` of a room: each name is fetched from its file on first use.

    Args:
        room: The room's `__name__`.
        names: Public name -> file of the room that defines it; `=file` is the file itself.

    Raises:
        AttributeError: The room has no such door; the message lists those it has.
    """

    def fetch(name: str) -> object:
        if name in names:
            module = import_module(f"{room}.{names[name].removeprefix('=')}")
            return module if names[name].startswith("=") else getattr(module, name)
        message = f"{room} has no {name!r}; its door offers {', '.join(sorted(names))}"
        raise AttributeError(message)

    return fetch
