"""A load that remembers what it attempted and what was acknowledged."""

import datetime as dt
import random
import threading
from dataclasses import dataclass, field
from typing import Any

import httpx

START = 1_760_000_000
BATCH = 20


def events(rng: random.Random, *, first: int, count: int) -> list[dict[str, Any]]:
    """Return events of a few hundred people, each with a number of its own."""
    return [event(rng, number) for number in range(first, first + count)]


def event(rng: random.Random, number: int) -> dict[str, Any]:
    """Return one event of somebody, with a number of its own."""
    person = rng.randrange(300)
    moment = START + number * 3
    common: dict[str, Any] = {
        "messageId": f"m-{number}",
        "anonymousId": f"a-{person}-{rng.randrange(3)}",
        "timestamp": f"{stamp(moment)}",
        "context": {"consent": {"categoryPreferences": {"analytics": True, "advertising": True}}},
    }
    if rng.random() < 0.1:
        return common | {
            "type": "identify",
            "userId": f"u-{person}",
            "traits": {"plan": rng.choice(["free", "paid"]), "number": number},
        }
    name = rng.choice(["search_made", "pin_opened", "pin_saved"])
    return common | {
        "type": "track",
        "event": name,
        "properties": {"number": number, "surface": "home_feed"},
    }


def stamp(moment: int) -> str:
    """Return a moment in seconds as the SDKs write it."""
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat().replace("+00:00", "Z")


@dataclass
class Load:
    """Senders that go on, each with batches of its own, until they are told to end."""

    seed: int
    write_key: str
    senders: int = 3
    attempted: dict[str, dict[str, Any]] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    answers: list[int] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)
    _next: int = 0

    def start(self, url: str) -> None:
        """Begin to send to a server that may die at any moment."""
        self._end.clear()
        self._threads = [
            threading.Thread(target=self._send, args=(url,)) for _ in range(self.senders)
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop sending, and wait for the last answers."""
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _batch(self) -> list[dict[str, Any]]:
        with self._lock:
            first, self._next = self._next, self._next + BATCH
            batch = events(random.Random(f"{self.seed}-{first}"), first=first, count=BATCH)
            self.attempted.update({one["messageId"]: one for one in batch})
        return batch

    def _send(self, url: str) -> None:
        with httpx.Client(timeout=20) as client:
            while not self._end.is_set():
                batch = self._batch()
                body = {"batch": batch, "writeKey": self.write_key}
                try:
                    status = client.post(f"{url}/v1/batch", json=body).status_code
                except httpx.HTTPError:
                    status = 0
                    self._end.wait(0.1)
                with self._lock:
                    self.answers.append(status)
                    if status == httpx.codes.OK:
                        self.acknowledged.update(one["messageId"] for one in batch)
