"""What is personal in imported rows: kept as keys in the facts, as text in the vault alone."""

import re

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect.entities import FREE_TEXTS, KEYED, NAMING_IDS
from onefold.collect.hiding import REMOVED
from onefold.collect.personal import masked, personal_text
from onefold.model.ids import identifier_key, message_hash
from onefold.model.kinds import normal_value

Names = dict[int, tuple[str, str]]
"""Key -> kind and value, for the vault."""

_MANY = "participant_keys"
_APART = re.compile(r"[;,\n]")
_MOST_MANY = 200
_SUSPICIOUS = r"@|%40|[0-9][0-9 ().\-/]{5,}[0-9]"


class Veil:
    """Turns fields of imported rows into columns of the facts, under the identity key."""

    def __init__(self, identity_key: bytes) -> None:
        self._identity_key = identity_key

    def needs(self, column: str) -> bool:
        """Return whether a column holds anything but what the file says."""
        return column in KEYED or column in FREE_TEXTS or column in NAMING_IDS

    def value(self, column: str, text: object, names: Names) -> object:
        """Return what the facts hold of a field; what its keys stand for goes into `names`."""
        if not isinstance(text, str) or not text:
            return None
        if column == _MANY:
            return self._many(text, names)
        if column in KEYED:
            return self._key(KEYED[column], text, names)
        if column in NAMING_IDS:
            return self.id_of(column, text, names)
        return masked(text, REMOVED)

    def message(self, message_id: str) -> tuple[int, int]:
        """Return the hash by which a message is known, in two halves."""
        return message_hash(message_id, self._identity_key)

    def id_of(self, field: str, text: str, names: Names) -> str:
        """Return an id; one that is an address stands as its key."""
        if not personal_text(text):
            return text
        return f"~{self._key(field, text, names) & (1 << 64) - 1:016x}"

    def link(self, field: str, text: str) -> object:
        """Return what the facts hold of a field that names something else."""
        if field == "user_id":
            return self._key(field, text, {})
        return self.id_of(field, text, {}) if field in NAMING_IDS else text

    def column(
        self, column: str, told: pa.ChunkedArray, names: Names
    ) -> pa.ChunkedArray | pa.Array:
        """Return a column of the facts from the texts of a file, each text looked at once."""
        kind = pa.int64() if column in KEYED and column != _MANY else pa.string()
        if column not in KEYED and not _any(told):
            return told
        texts = told.combine_chunks().dictionary_encode()
        told_once = texts.dictionary.to_pylist()
        made = pa.array([self.value(column, text, names) for text in told_once], kind)
        return made.take(texts.indices)

    def _key(self, kind: str, text: str, names: Names) -> int:
        value = normal_value(kind, text) or text
        key = identifier_key(self._identity_key, kind, value)
        names[key] = (kind, value)
        return key

    def _many(self, text: str, names: Names) -> str | None:
        keys = [
            self._key("email" if "@" in one else "user_id", one, names)
            for one in parts(text)[:_MOST_MANY]
        ]
        return "," + "".join(f"{key}," for key in dict.fromkeys(keys)) if keys else None


def _any(told: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.match_substring_regex(told, _SUSPICIOUS)).as_py())


def parts(text: str) -> list[str]:
    """Return those whom a text names: a JSON list, or names apart by `;`, `,` or lines.

    >>> parts("u1; u2"), parts('["u1", 7]')
    (['u1', 'u2'], ['u1', '7'])
    """
    told: list[object] = [*_APART.split(text)]
    if text.startswith("["):
        try:
            found = msgspec.json.decode(text)
        except msgspec.DecodeError:
            found = None
        if isinstance(found, list):
            told = found
    said = (str(one).strip() for one in told if one is not None)
    return [one for one in said if one]
