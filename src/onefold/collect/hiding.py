"""Identifiers that hide in other fields of their event: plain, URL-encoded, in base64."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote_plus

import msgspec

from onefold.collect.personal import personal_key, personal_text, tracking_key

REMOVED = "removed"
"""Stands where an identifier stood in a text that has to stay."""

_SHORTEST = 4
"""Characters from which an identifier is looked for inside other texts; a shorter one is taken
out only where it is the whole of a value, else `1` would empty the event."""
_SHORTEST_CODED = 6
"""Characters of base64, and digits of a number, from which a piece of it tells anything."""
_ADDRESSES = {"url", "referrer", "referer", "href", "path", "link", "location", "uri"}
_SEARCHES = {"search", "querystring", "hash", "fragment"}
_GONE = object()


class Scan:
    """Finds the identifiers of one event in its other fields."""

    def __init__(self, values: Iterable[str]) -> None:
        """`values`: the identifiers, as the event has them."""
        self._whole = {value.lower() for value in values}
        self._forms = {form for value in self._whole for form in forms_of(value)}
        self._forms |= {form for value in values for form in pieces_of(value)}
        self.resting = False
        """Nothing is looked for: the event as a whole gives nothing away."""

    def clears(self, text: str) -> bool:
        """Return whether an event's whole text gives nothing away."""
        if any(len(value) < _SHORTEST for value in self._whole):
            return False
        return not self._inside(text.lower())

    def tells(self, text: str) -> bool:
        """Return whether a text gives one of the identifiers away."""
        if self.resting:
            return False
        lower = text.lower()
        return lower in self._whole or self._inside(lower)

    def _inside(self, lower: str) -> bool:
        if any(form in lower for form in self._forms):
            return True
        if "%" not in lower:
            return False
        plain = unquote_plus(lower)
        return any(form in plain for form in self._forms)

    def cleaned(self, text: str) -> str:
        """Return a text that has to stay, without the identifiers in it."""
        if not self.tells(text):
            return text
        if not self._forms:
            return REMOVED
        forms = sorted(self._forms, key=len, reverse=True)
        rest = re.sub("|".join(map(re.escape, forms)), REMOVED, text, flags=re.IGNORECASE)
        return REMOVED if self.tells(rest) else rest

    def fields(self, fields: Mapping[str, object]) -> Iterator[tuple[str, object]]:
        """Yield the fields that may stay."""
        for key, value in fields.items():
            if telling_key(key) or self.tells(key):
                continue
            if key.lower() in _SEARCHES and isinstance(value, str) and value[:1] in {"?", "#"}:
                continue
            kept = self._value(value, key.lower())
            if kept is not _GONE:
                yield key, kept

    def _value(self, value: object, key: str) -> object:
        if isinstance(value, str):
            text = _without_query(value, key)
            return _GONE if personal_text(text) or self.tells(text) else text
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, dict):
            return dict(self.fields(value))
        if isinstance(value, list):
            kept = [self._value(one, key) for one in value]
            return [one for one in kept if one is not _GONE]
        return _GONE if self._tells_number(str(value)) else value

    def _tells_number(self, text: str) -> bool:
        if self.resting:
            return False
        if text in self._whole or text.removesuffix(".0") in self._whole:
            return True
        return any(len(form) >= _SHORTEST_CODED and form in text for form in self._forms)


@lru_cache(maxsize=20_000)
def telling_key(key: str) -> bool:
    """Return whether a field of this name tells of a person by its name alone."""
    return tracking_key(key) or personal_key(key) or personal_text(key)


def _without_query(text: str, key: str) -> str:
    if key not in _ADDRESSES and "://" not in text:
        return text
    text = re.split(r"[?#;]", text, maxsplit=1)[0]
    return re.sub(r"://[^/@]*@", "://", text)


@lru_cache(maxsize=4096)
def forms_of(value: str) -> tuple[str, ...]:
    """Return a value as it may stand in other texts; nothing for one that is too short."""
    if len(value) < _SHORTEST:
        return ()
    if value.isalnum() and value.isascii():
        return (value,)
    written = msgspec.json.encode(value).decode()[1:-1]
    quoted = (quote(value), quote(value, safe=""), quote_plus(value))
    return (value, written, *(form.lower() for form in quoted))


@lru_cache(maxsize=4096)
def pieces_of(value: str) -> tuple[str, ...]:
    """Return the pieces of base64 that any text with this value in it must show.

    Three bytes are four characters, so a value shows in one of three ways, by its offset; the
    characters that share bits with its neighbours are left out.
    """
    raw = value.encode("utf-8", "surrogatepass")
    found: list[str] = []
    for offset, shared in enumerate((0, 2, 3)):
        whole = (offset + len(raw)) * 8 // 6
        piece = b64encode(bytes(offset) + raw).decode()[shared:whole].lower()
        if len(piece) >= _SHORTEST_CODED:
            found += [piece, piece.replace("+", "-").replace("/", "_")]
    return tuple(found)
