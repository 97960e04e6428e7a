"""What an event tells of its person beside what was done: traits in its context, `$set_once`.

Segment's SDKs repeat the traits of who is signed in in `context.traits`; PostHog sets them with any
event by `$set`, and by `$set_once` unless they are known. Only personal fields of them are kept,
for the person's page; the table of traffic may mark a person by them.
"""

import msgspec
from msgspec import Raw

from onefold.collect.dialects.split import mend_surrogates
from onefold.collect.personal import personal

ONCE = "$set_once"
TOLD = b'"traits"'
"""What a context holds that tells traits."""


class _Around(msgspec.Struct, gc=False):
    traits: Raw = Raw()


_around = msgspec.json.Decoder(_Around)


def traits_in(context: bytes) -> bytes:
    """Return the traits in a context as sent, a JSON object; nothing where there are none."""
    try:
        found = bytes(_around.decode(context).traits)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            found = bytes(_around.decode(mend_surrogates(context)).traits)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return b""
    return found if found.startswith(b"{") else b""


def personal_traits(traits: bytes) -> dict[str, str]:
    """Return the personal fields of traits, by their path; nothing of what cannot be read."""
    try:
        return personal(traits, traits=True)[1]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def dated(name: str, time: int) -> tuple[str, int]:
    """Return a personal field as the vault keeps it: its name and when it was told.

    Of all that is told the latest stands. What is told by `$set_once` is dated before everything,
    the first of it last, so that it stands until something is told for good.

    >>> dated("email", 7), dated("$set_once.email", 7)
    (('email', 7), ('email', -7))
    """
    if name.startswith(f"{ONCE}."):
        return name.removeprefix(f"{ONCE}."), -time
    return name, time
