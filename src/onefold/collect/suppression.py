"""Who was erased does not return: at the door, what comes of them is kept as nobody's.

The door knows keyed hashes alone and opens no engine; the folds do the same by the order of the
log, so that what was under way is no exception.
"""

from collections.abc import Iterator

import msgspec

from onefold.collect.personal import address_kind
from onefold.collect.records import Incoming
from onefold.model.ids import identifier_key
from onefold.model.kinds import normal_value

_MOST_KNOWN = 200_000
_objects = msgspec.json.Decoder(dict[str, object])


class Suppressed:
    """The keys of what erased people were known by."""

    def __init__(self, identity_key: bytes, keys: frozenset[int]) -> None:
        self._identity_key = identity_key
        self._keys = keys
        self._known: dict[tuple[str, str], bool] = {}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def meets(self, event: Incoming) -> bool:
        """Return whether an event is of somebody who was erased, or tells their address."""
        return any(self._is(kind, value) for kind, value in _said(event))

    def _is(self, kind: str, value: str) -> bool:
        asked = (kind, value)
        found = self._known.get(asked)
        if found is None:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            key = identifier_key(self._identity_key, kind, value)
            found = self._known[asked] = key in self._keys
        return found


def _said(event: Incoming) -> Iterator[tuple[str, str]]:
    """Yield kind and value of what an event says somebody is known by."""
    if event.user_id is not None:
        yield "user_id", event.user_id
    if event.anonymous_id is not None:
        yield "anonymous_id", event.anonymous_id
    if event.previous_id is not None:
        yield "user_id", event.previous_id
        yield "anonymous_id", event.previous_id
    if event.kind != "identify" or event.code:
        return
    try:
        traits = _objects.decode(event.properties)
    except (msgspec.DecodeError, RecursionError):
        return
    for name, value in traits.items():
        if isinstance(value, str) and (kind := address_kind(name, value)):
            yield kind, value
            yield kind, normal_value(kind, value) or value
