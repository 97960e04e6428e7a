"""What an event says of its person's consent from then on.

The consent object of an ordinary event speaks of that event; it is remembered in the event's
`purposes` beside the mask, so that a refusal can be held against what came before. An event that
says that consent was changed (Segment's `Segment Consent Preference Updated`) speaks of the person.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Raw

from onefold.collect.dialects.split import mend_surrogates
from onefold.collect.records import Incoming
from onefold.consent import Gate
from onefold.model.ids import identifier_key

TOLD = b'"consent"'
"""What a context holds that tells consent."""

CHANGES = frozenset({"segment consent preference updated", "consent preference updated"})
"""Names, in small letters, of events by which a person's consent is changed."""

MASK = 15
"""The purposes an event is kept for, in the lowest bits of `purposes`."""
REFUSED, GRANTED = 4, 8
"""From which bit on `purposes` tells what the event itself refused, and granted."""

DROPPED = "dropped"
"""Under which a row's reasons tell how many of its request consent let nothing be kept of."""


ENTRY = "consent"
"""The route of the control entry."""


class ConsentEntry(msgspec.Struct, gc=False):
    """A control entry: what was said of consent beside the events.

    Attributes:
        keys: Of the identifiers that it is about.
        answers: Purpose -> yes or no.
        time: Since when, microseconds.
        means: How it came: `api`, `tcf`, `gpp`.
        source: Who said it.
        region: Where.
        basis: The legal basis.
    """

    keys: list[int]
    answers: dict[str, bool]
    time: int
    means: str = "api"
    source: str = ""
    region: str = ""
    basis: str = "consent"


class Statement(msgspec.Struct, frozen=True, gc=False):
    """What is said of one identifier's consent to one purpose, from a time on.

    Attributes:
        key: The identifier's.
        purpose: Any of the rules', own ones too.
        granted: Yes or no.
        from_time: Since when, microseconds.
        means: How it was said: `categories`, `tcf`, `gpp`, `api`, `event`, ...
        source: Which source, or who.
        region: Where; a region of the rules, or empty.
        basis: The legal basis; `consent` unless said otherwise.
        clocked: The time rests on our clock.
        log_offset: Where it stands in the log; with `place` the evidence.
        place: Place in the log row.
    """

    key: int
    purpose: str
    granted: bool
    from_time: int
    means: str
    source: str = ""
    region: str = ""
    basis: str = "consent"
    clocked: bool = False
    log_offset: int = 0
    place: int = 0


class _Around(msgspec.Struct, gc=False):
    consent: Raw = Raw()
    country: object = None


class _Subjects(msgspec.Struct, gc=False, rename="camel"):
    subjects: list[int] | None = None
    latest_time: int | None = None


_around = msgspec.json.Decoder(_Around)
_subjects = msgspec.json.Decoder(_Subjects)
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def is_change(kind: str, event: str) -> bool:
    """Return whether an event says that a person's consent was changed."""
    return kind == "track" and event.casefold() in CHANGES


def consent_in(context: bytes) -> tuple[bytes, str]:
    """Return the consent object of a context as sent, or nothing, and the country it tells."""
    try:
        found = _around.decode(context)
    except _BROKEN:
        try:
            found = _around.decode(mend_surrogates(context))
        except _BROKEN:
            return b"", ""
    consent = bytes(found.consent)
    country = found.country if isinstance(found.country, str) else ""
    return (consent if consent.startswith(b"{") else b""), country


def with_subjects(item: bytes, event: Incoming, gate: Gate) -> bytes:
    """Return a change of consent, kept as nobody's, with the keys of whom it is about.

    A refusal has to be known to be obeyed: what is kept of its person is the keyed hash of each
    identifier, and no more.
    """
    answers = gate.answers(event.sent_consent) if event.sent_consent else None
    if answers is None or not answers.readable or not gate.identity_key:
        return item
    told = (("user_id", event.user_id), ("anonymous_id", event.anonymous_id))
    keys = [identifier_key(gate.identity_key, kind, value) for kind, value in told if value]
    fields = msgspec.json.decode(item, type=dict[str, object])
    context = fields.get("context")
    consent: dict[str, object] = {"categoryPreferences": dict(answers.told), "subjects": keys}
    if answers.latest_time is not None:
        consent["latestTime"] = answers.latest_time
    fields["context"] = (context if isinstance(context, dict) else {}) | {"consent": consent}
    return msgspec.json.encode(fields)


def statements_in(
    consent: bytes, gate: Gate, *, keys: Iterable[int | None], time: int, received_time: int
) -> list[tuple[int, str, bool, int, str]]:
    """Return (key, purpose, answer, since when, means) as a change of consent says them.

    Args:
        consent: Its consent object.
        gate: Reads it.
        keys: Of the identifiers that it came with; none where it was kept as nobody's.
        time: When it was, microseconds.
        received_time: When it came. Nothing holds from later than that on, nor from later than
            the string that it carries was made.
    """
    answers = gate.answers(consent)
    if answers is None or not answers.readable:
        return []
    since = min(time, received_time)
    if answers.latest_time is not None:
        since = min(since, answers.latest_time)
    found = {key for key in keys if key is not None}
    if not found:
        try:
            kept = _subjects.decode(consent)
        except _BROKEN:
            return []
        found = {key for key in kept.subjects or () if -(1 << 63) <= key < 1 << 63}
        since = min(since, since if kept.latest_time is None else kept.latest_time)
    return [
        (key, purpose, answer, since, answers.means)
        for key in sorted(found)
        for purpose, answer in sorted(answers.told.items())
    ]
