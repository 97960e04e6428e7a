"""What crosses the doors of consent: what was said, where somebody stands, proofs."""

from dataclasses import dataclass

GRANTED, WITHDRAWN, UNKNOWN = "granted", "withdrawn", "not asked"
"""Where somebody may stand with a purpose."""

FACTS = "facts"
"""The place of a proof that questions, live counts and exports leave somebody out."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of a person's consent to one purpose.

    Attributes:
        purpose: Which.
        granted: Yes or no.
        from_time: Since when, microseconds.
        last_time: Said last, where events said it several times.
        means: How: `api`, `categories`, `tcf`, `gpp`, `import`, or `event` where ordinary events
            said it of themselves.
        source: Which source, or who.
        region: Where; a region of the rules, or empty.
        basis: The legal basis.
        of_key: The identifier it was said of.
        log_offset: Where it stands in the log.
        place: Place in the log row.
    """

    purpose: str
    granted: bool
    from_time: int
    last_time: int
    means: str
    source: str
    region: str
    basis: str
    of_key: int
    log_offset: int
    place: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands with a purpose, and the word that decides.

    Attributes:
        purpose: Which.
        state: `granted`, `withdrawn` or `not asked`; then each event decides for itself.
        said: What decides; None where nobody said anything.
    """

    purpose: str
    state: str
    said: Said | None


@dataclass(frozen=True, slots=True)
class Proof:
    """That a withdrawal was heard, and where and when it was applied.

    Attributes:
        key: The identifier that it was said of.
        purpose: Which purpose.
        means: How it was said.
        source: Where it was said.
        asked_time: Since when it holds, microseconds.
        log_offset: Where it stands in the log.
        place: Where it was applied: `facts`, or `destination:NAME`.
        applied_time: When, microseconds.
        applied_offset: Up to which offset of the log the place had heard then.
    """

    key: int
    purpose: str
    means: str
    source: str
    asked_time: int
    log_offset: int
    place: str
    applied_time: int
    applied_offset: int
