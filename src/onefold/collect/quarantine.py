"""One event that waits, read again from the log, fit to be shown."""

import msgspec

from onefold.collect.dialects import segment
from onefold.collect.personal import personal_key, personal_text, tracking_key
from onefold.collect.records import Record
from onefold.model.errors import OnefoldError
from onefold.store import Log

HIDDEN = "…"
"""Stands for what only those may see who may see persons."""

_IDENTIFIERS = frozenset({"userId", "anonymousId", "previousId", "groupId", "traits", "writeKey"})
_MOST_SHOWN = 4000
_records = msgspec.json.Decoder(list[Record])


def waiting_event(log: Log, offset: int, place: int, *, persons: bool) -> str:
    """Return an event that waits as indented JSON; empty if it cannot be read any more.

    Args:
        log: The log that keeps it.
        offset: The row it came with.
        place: Its place there.
        persons: Show identifiers and personal fields too.
    """
    row = log.row(offset)
    if row is None:
        return ""
    try:
        if row.dialect == "records":
            content: object = _records.decode(row.body)[place].fields
        else:
            raw = segment.readable(segment.read(row.route, row.body).items[place])
            content = None if raw is None else msgspec.json.decode(raw)
    except (OnefoldError, msgspec.DecodeError, IndexError):
        return ""
    if content is None:
        return ""
    shown = content if persons else masked(content)
    return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()[:_MOST_SHOWN]


def masked(value: object, key: str = "") -> object:
    """Return a value of an event without identifiers and whatever looks personal in it."""
    if value is None or isinstance(value, bool):
        return value
    if key in _IDENTIFIERS or personal_key(key) or tracking_key(key):
        return HIDDEN
    if isinstance(value, dict):
        return {name: masked(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [masked(one, key) for one in value]
    return HIDDEN if isinstance(value, str) and personal_text(value) else value
