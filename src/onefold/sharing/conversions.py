"""Events as Pinterest's conversions API takes them: hashed, at most 1,000 a batch."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from onefold.model.time import SECOND, parse_time
from onefold.sharing.hashing import PINTEREST, hashed
from onefold.sharing.queries import VALUES

MOST_A_BATCH = 1000
SOURCES = {"web": "web", "ios": "app_ios", "android": "app_android"}
_NEEDED = ("em", "hashed_maids")


def batches_of(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield events as the API takes them, at most 1,000 at a time.

    An event of nobody whom Pinterest could know is left out: it needs an e-mail address or a
    hashed device id (we keep no IP address).
    """
    events = [found for row in rows if (found := conversion_of(row))]
    for start in range(0, len(events), MOST_A_BATCH):
        yield events[start : start + MOST_A_BATCH]


def conversion_of(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return one event as the API takes it; None where Pinterest could not know whose it is."""
    user = hashed(PINTEREST, row.get(VALUES) or {})
    if not any(name in user for name in _NEEDED):
        return None
    moment = row["event_time"] or row["received_time"]
    return {
        "event_name": row["event"],
        "event_id": row["message_id"],
        "event_time": parse_time(moment) // SECOND,
        "action_source": "web",
        "partner_subject": row["subject"],
        "user_data": {
            # Each may hold several; the subject is the one that we can take back by.
            **{name: [value] for name, value in user.items() if name != "external_id"},
            "external_id": [sha256(row["subject"].encode()).hexdigest()],
        },
    }
