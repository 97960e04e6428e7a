"""How long a click takes until the live page of its campaign has it."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from serving import Server, until

CAMPAIGN = "cmp-bench"
EVERY_SECONDS = 0.6


@dataclass
class Viewer:
    """Somebody signed in who looks at a campaign's page: what it was told, and when.

    Attributes:
        told: Pairs of when a message came and how fresh it was, both microseconds UTC.
    """

    server: Server
    told: list[tuple[int, int]] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Listen to the page's stream until told to end."""
        with httpx.Client(base_url=self.server.url, timeout=20) as visitor:
            visitor.get(self.server.workspace.sign_in, follow_redirects=True)
            with visitor.stream("GET", f"/live/stream?campaign={CAMPAIGN}") as stream:
                for kind, content in messages(stream.iter_lines()):
                    if kind != "beat":
                        fresh = content.get("fresh_time") or 0
                        self.told.append((time.time_ns() // 1000, fresh))
                    if self.end.is_set():
                        return


def messages(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield the kind and content of each message of a stream of server-sent events."""
    kind = "message"
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)
        elif not line:
            kind = "message"


def click(number: int) -> dict[str, object]:
    """Return one click on the campaign's ad."""
    properties = {
        "campaign_id": CAMPAIGN,
        "account_id": "acc-bench",
        "item_id": "i-1",
        "surface": "home_feed",
        "revenue": 0.5,
        "currency": "USD",
    }
    return {
        "type": "track",
        "event": "ad_clicked",
        "messageId": f"click-{number}",
        "anonymousId": f"a-{number}",
        "properties": properties,
        "context": {"consent": {"categoryPreferences": {"analytics": True, "advertising": True}}},
    }


def delays(server: Server, clicks: int = 20) -> list[float]:
    """Return, click by click, the seconds until the page was told of it."""
    # A page can be looked at only once its campaign has been heard of.
    server.send([click(clicks + 1)])
    server.wait_folded()
    viewer = Viewer(server)
    looking = threading.Thread(target=viewer.look)
    looking.start()
    sent = []
    try:
        until(lambda: viewer.told, seconds=60, what=lambda: "the page's first message")
        for number in range(clicks):
            sent.append(time.time_ns() // 1000)
            assert server.send([click(number)]).is_success
            viewer.end.wait(EVERY_SECONDS)
        last = sent[-1]
        until(lambda: viewer.told[-1][1] >= last, seconds=30)
    finally:
        viewer.end.set()
        server.send([click(clicks)])
        looking.join()
    return [
        min(came for came, fresh in viewer.told if fresh >= moment) / 1e6 - moment / 1e6
        for moment in sent
    ]
