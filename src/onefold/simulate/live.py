"""Visitors of now: a bounded stream of events over HTTP, through the unmodified Segment SDK."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from segment.analytics.client import Client

from onefold.model.errors import BadInput
from onefold.simulate.arms import shipped_arms
from onefold.simulate.catalogue import QUERIES
from onefold.simulate.pins import pinboard
from onefold.simulate.records import LIFT, NULL

FASTEST = 200.0
CLICKED_SHARE = 0.08
FAVOURITE_SHARE = 0.14
"""Of the ads shown, and of those of the first campaign; history has 6 to 14 in a hundred."""
CONSENT = {"consent": {"categoryPreferences": {"analytics": True, "advertising": True}}}


@dataclass(frozen=True, slots=True)
class _Step:
    """One event of a visitor: its name (`page` for a page call) and properties."""

    event: str
    properties: dict[str, Any]


def live_traffic(
    url: str,
    write_key: str,
    *,
    stop: threading.Event,
    people: int = 6,
    per_second: float = 12.0,
    seed: int = 7,
    content: dict[str, Any] | None = None,
) -> int:
    """Send what a few visitors do until `stop` is set; return how many events were sent.

    More than half of the events show ads and one ad in ten is clicked on, as in history, so at
    the default rate a click comes about every second. Nothing is raised while the server is away:
    the SDK keeps trying.

    Args:
        url: Where the door listens, such as `http://127.0.0.1:8000`.
        write_key: Of the source.
        stop: Ends it; it returns within a second or two, when what is queued has been sent.
        people: Visitors at a time; each leaves after some 50 events and another comes.
        per_second: Events a second over all of them, at most 200.
        seed: Of the visitors' choices.
        content: What there is to see, of `pinboard`; by default that of the default market.

    Raises:
        BadInput: The address is none, or the rate is out of range.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise BadInput(f"{url!r} is no address.", "Give one such as http://127.0.0.1:8000.")
    if not 0 < per_second <= FASTEST:
        raise BadInput(f"{per_second} events a second is out of range.", "Give 0.1 to 200.")
    client = Client(write_key, host=url.rstrip("/"), upload_interval=0.1, max_retries=3, timeout=5)
    sent = 0
    try:
        for visitor, step in _steps(content or pinboard(seed), people, seed):
            if stop.wait(1 / per_second):
                break
            _send(client, visitor, step)
            sent += 1
    finally:
        client.flush()
        client.join()
    return sent


def _send(client: Client, visitor: str, step: _Step) -> None:
    if step.event == "page":
        client.page(
            name=step.properties["name"], anonymous_id=visitor, properties={}, context=CONSENT
        )
    else:
        client.track(
            event=step.event, anonymous_id=visitor, properties=step.properties, context=CONSENT
        )


def _steps(content: dict[str, Any], people: int, seed: int) -> Iterator[tuple[str, _Step]]:
    """Yield visitor and step for ever, one visitor after another in turn."""
    rng = np.random.default_rng([seed, 1_000])
    # A visitor of now is nobody of the history, nor of an earlier run.
    salt = np.random.default_rng().integers(0, 1 << 40)
    arm = shipped_arms()
    numbers = iter(range(1 << 40))
    visits: list[tuple[str, Iterator[_Step]]] = []
    while True:
        while len(visits) < people:
            name = f"live-{salt:x}-{next(numbers)}"
            visits.append((name, _visit(content, name, arm, rng)))
        place = int(rng.integers(0, len(visits)))
        name, visit = visits[place]
        step = next(visit, None)
        if step is None:
            visits.pop(place)
        else:
            yield name, step


def _visit(
    content: dict[str, Any], name: str, arm: Callable[[str, str], str], rng: np.random.Generator
) -> Iterator[_Step]:
    """Yield what one visitor does: a look around, pins, ads, now and then a save."""
    yield _Step("page", {"name": "Home"})
    for experiment in (LIFT, NULL):
        shown = {"variation_id": arm(experiment, name), "flag_version": 1}
        yield _Step("Experiment Viewed", {"experiment_id": experiment, **shown})
    for _ in range(int(rng.integers(4, 10))):
        surface = "home_feed"
        if rng.random() < 0.5:
            surface = "search_results"
            query = QUERIES[int(rng.integers(0, len(QUERIES)))]
            found = {"results": int(rng.integers(3, 90)), "surface": surface}
            yield _Step("search_made", {"query": query, **found})
        item = content["items"][int(rng.integers(0, len(content["items"])))]
        pin = {"item_id": item["item_id"], "creator_id": item["creator_id"], "surface": surface}
        yield _Step("pin_viewed", pin)
        if rng.random() < 0.6:
            yield _Step("pin_opened", pin)
            if rng.random() < 0.4:
                yield _Step("pin_saved", {**pin, "board_id": f"{name}-0"})
        yield from _advertisements(content["ads"], surface, rng)


def _advertisements(
    ads: list[dict[str, Any]], surface: str, rng: np.random.Generator
) -> Iterator[_Step]:
    """Yield a few ads that are seen; about one in ten is clicked on, the first more often."""
    for _ in range(int(rng.integers(3, 8))):
        place = min(int(len(ads) * rng.random() ** 2), len(ads) - 1)
        ad = ads[place]
        seen = {key: ad[key] for key in ("campaign_id", "account_id", "item_id")}
        yield _Step("ad_viewed", {**seen, "surface": surface})
        if rng.random() < (CLICKED_SHARE if place else FAVOURITE_SHARE):
            paid = {"revenue": ad["revenue"], "currency": ad["currency"]}
            yield _Step("ad_clicked", {**seen, "surface": surface, **paid})
