"""Heavy questions, asked one after the other for as long as something else is measured."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from serving import Server

DAYS = 30
PATIENCE_SECONDS = 150


@dataclass
class Asked:
    """What the questions took: seconds each, and how many were not answered."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0


def questions() -> Sequence[tuple[str, dict[str, Any]]]:
    """Return questions that read every event of the last weeks."""
    now = time.time()
    first, last = (
        time.strftime("%Y-%m-%d", time.gmtime(moment))
        for moment in (now - DAYS * 86_400, now + 86_400)
    )
    span = {"from": first, "to": last}
    return (
        ("retention", {"start": "pin_opened", "return": "pin_opened", **span}),
        ("funnel", {"events": ["pin_opened", "pin_opened"], "within": "7d", **span}),
        ("lifecycle", {"event": "pin_opened", "every": "week", **span}),
    )


@contextmanager
def asking(server: Server, loops: int) -> Iterator[Asked]:
    """Yield what so many loops of questions take, until the block ends."""
    asked, end, lock = Asked(), threading.Event(), threading.Lock()

    def loop(first: int) -> None:
        told = itertools.cycle(questions())
        headers = {"authorization": f"Bearer {server.workspace.api_key}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
            for name, params in itertools.islice(told, first, None):
                if end.is_set():
                    return
                began = time.perf_counter()
                answer = client.post(f"/api/v1/{name}", json=params)
                with lock:
                    asked.seconds.append(time.perf_counter() - began)
                    asked.failed += not answer.is_success

    threads = [threading.Thread(target=loop, args=(number,)) for number in range(loops)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        end.set()
        for thread in threads:
            thread.join()
