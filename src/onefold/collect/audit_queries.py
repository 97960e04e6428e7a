"""What the audit of instrumentation asks of the facts: names, days, samples, identifiers, paths."""

from typing import TYPE_CHECKING, Any

import msgspec

from onefold.collect.inference import Sample
from onefold.collect.queries import moment_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

MOST_SAMPLED = 20_000
_objects = msgspec.json.Decoder(dict[str, Any])


def recorded(view: "View") -> dict[str, int]:
    """Return how many events of each name are recorded, the most frequent first."""
    tracks = _tracks(view)
    counted = tracks.group_by("event").aggregate(events=tracks.count())
    rows = view.ask(counted.order_by([counted.events.desc(), counted.event])).to_pylist()
    return {row["event"]: row["events"] for row in rows}


def sample(
    view: "View",
    event: str,
    recorded_events: int,
    *,
    most: int = MOST_SAMPLED,
    span: tuple[int, int] | None = None,
) -> Sample:
    """Return properties of an event, a random part of them where there are many.

    The part is chosen by the hash of the message id: at random, and the same whenever asked.

    Args:
        view: The facts.
        event: Its name.
        recorded_events: How many there are in all.
        most: How many to take at the most.
        span: Received from, until before (microseconds UTC); always when None.
    """
    tracks = _tracks(view)
    meant = tracks.filter(tracks.event == event)
    if span is not None:
        meant = meant.filter(
            (meant.received_time >= moment_of(span[0])) & (meant.received_time < moment_of(span[1]))
        )
    chosen = meant.order_by(["message_hi", "message_lo"]).limit(most).select("properties")
    texts = view.ask(chosen).column("properties").to_pylist()
    return Sample(event, recorded_events, tuple(map(_objects.decode, texts)))


def _tracks(view: "View") -> "ir.Table":
    return view.events.filter(view.events.kind == "track")
