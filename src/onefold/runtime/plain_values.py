"""What every value of a call must be, whatever it means: none that a plane cannot hold."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from onefold.model.errors import BadInput

LARGEST = 2**63 - 1
"""The largest whole number that every plane holds."""


def check_plain(call: str, params: msgspec.Struct, places: Collection[str] = ()) -> None:
    """Pass when every plane can hold each value of a call.

    Args:
        call: Its name.
        params: What was given.
        places: Parameters that name a file or folder.

    Raises:
        BadInput: A whole number is longer than eight bytes, or a place has a null character.
    """
    given = msgspec.structs.asdict(params)
    for name, value in _values(given, ""):
        if isinstance(value, int) and abs(value) > LARGEST:
            message = f"`{call}` cannot take a number of {value.bit_length()} bits as `{name}`."
            raise BadInput(message, f"Give a whole number of at most {LARGEST}.")
    for name in places:
        if "\0" in (given[name] or ""):
            message = f"`{name}` has a null character, which no file's name may have."
            raise BadInput(message, "Leave it out.")


def _values(value: object, place: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from _values(below, f"{place}{name}.")
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for number, below in enumerate(value):
            yield from _values(below, f"{place}{number}.")
    else:
        yield place.rstrip("."), value
