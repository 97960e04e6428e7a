"""Sampling at the door: a person is kept or nobody, by a keyed hash of the identifier.

Whole histories survive so, and the rate stands on each event that is kept. One key for all sources
makes the samples nested: who is in that of a small rate is in that of every greater one.
"""

from hashlib import blake2b

import msgspec
from msgspec import Raw

from onefold.collect.dialects.split import mend_surrogates
from onefold.collect.records import Incoming

KEY_BYTES = 32
_SPACE = 1 << 64
_raw_objects = msgspec.json.Decoder(dict[str, Raw])


def sampling_key(identity_key: bytes) -> bytes:
    """Return the key of the draw: nobody outside can tell who is drawn."""
    return blake2b(b"sampling", key=identity_key, digest_size=KEY_BYTES).digest()


def is_drawn(event: Incoming, rate: float, key: bytes) -> bool:
    """Return whether an event's person is in a sample of a rate.

    The device goes before the user, so that a history from before a sign-in stays whole. An event
    of nobody is drawn by its own id.
    """
    return int.from_bytes(whose(event, key), "big") < rate * _SPACE


def whose(event: Incoming, key: bytes) -> bytes:
    """Return a hash of whose an event is: of the device, else the user, else of itself alone."""
    who = event.anonymous_id or event.user_id or event.message_id
    return blake2b(who.encode("utf-8", "replace"), key=key, digest_size=8).digest()


def with_rate(item: bytes, rate: float) -> bytes:
    """Return an event that says by which rate it was kept; a sender's own sampling counts too."""
    fields = _fields(item)
    context = bytes(fields.get("context", b"{}"))
    around = _raw_objects.decode(context) if context.startswith(b"{") else {}
    said = _number(bytes(around.get("sample_rate", b"")))
    around["sample_rate"] = Raw(msgspec.json.encode(rate * said))
    fields["context"] = Raw(msgspec.json.encode(around))
    return msgspec.json.encode(fields)


def _fields(item: bytes) -> dict[str, Raw]:
    try:
        return _raw_objects.decode(item)
    except msgspec.DecodeError:
        return _raw_objects.decode(mend_surrogates(item))


def _number(text: bytes) -> float:
    try:
        value = msgspec.json.decode(text, type=float)
    except msgspec.DecodeError:
        return 1.0
    return value if 0 < value < 1 else 1.0
