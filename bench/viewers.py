"""How soon 500 who look at a live page hear of a click, and what they cost those who send.

The viewers are connections of one process, all on the page of one campaign, while events arrive at
a steady rate; a click is sent every second. The peer is the same without viewers: a single one, so
that a click's way to the page can be told. `--viewers N`, `--rate EVENTS_A_SECOND` and
`--seconds N` change the load; with `--questions N` so many heavy questions run meanwhile, one after
the other, while the many look. Sender and viewers run on the same machine and take their share of
the cores.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from asking import Asked, asking
from figures import Figure, quantile, report
from freshness import Watch
from page import CAMPAIGN, click
from sender import Plan, Seen, begin, finish
from serving import Server, Workspace

CLICK_SECONDS = 1.0
MOST_WAIT_SECONDS = 30.0


@dataclass
class Told:
    """What viewers were told: for each, when a message came and how fresh it was (microseconds)."""

    viewers: list[list[tuple[int, int]]] = field(default_factory=list)

    def delays(self, clicks: Sequence[tuple[int, int]]) -> list[float]:
        """Return, of each click and each viewer, the seconds until its page was told of it.

        A click is when it was sent and when it was answered: what holds an event that was
        received after the answer holds the click too.
        """
        found = []
        for told in self.viewers:
            for sent, taken in clicks:
                heard = next((came for came, fresh in told if fresh >= taken), None)
                found.append(MOST_WAIT_SECONDS if heard is None else (heard - sent) / 1e6)
        return found


@dataclass
class Viewer:
    """One stream: what it was told, and whether it was told anything."""

    told: list[tuple[int, int]] = field(default_factory=list)
    come: asyncio.Event = field(default_factory=asyncio.Event)


async def look(port: int, cookie: str, viewer: Viewer) -> None:
    """Read one stream for good, and note how fresh each reading of it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    address = f"/streams?of=/live/stream?campaign={CAMPAIGN}"
    head = f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n"
    writer.write(head.encode())
    status = await reader.readline()
    assert b"200" in status, status
    reading = False
    while line := await reader.readline():
        if line.startswith(b"event:"):
            reading = line == b"event: reading\n"
        elif reading and line.startswith(b"data:"):
            # What follows the page's own text is short: it need not be read as JSON by everybody.
            fresh = line.rpartition(b'"fresh_time":')[2].split(b",", 1)[0].rstrip(b"}\n")
            viewer.told.append((time.time_ns() // 1000, int(fresh) if fresh.isdigit() else 0))
            viewer.come.set()


async def crowd(port: int, cookie: str, count: int, seconds: float) -> Told:
    """Let so many look for a while; print a line as soon as all of them were told something."""
    viewers = [Viewer() for _ in range(count)]
    tasks = [asyncio.create_task(look(port, cookie, one)) for one in viewers]
    async with asyncio.timeout(MOST_WAIT_SECONDS):
        await asyncio.gather(*(one.come.wait() for one in viewers))
    print("all look", flush=True)
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    for one in ended:
        if isinstance(one, AssertionError | OSError):
            raise one
    return Told([one.told for one in viewers])


def signed_in(server: Server, link: str) -> str:
    """Return the cookie of a visit."""
    with httpx.Client(base_url=server.url, timeout=20) as visitor:
        visitor.get(link, follow_redirects=True)
        return "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())


def run(
    server: Server, cookie: str, viewers: int, wanted: argparse.Namespace
) -> tuple[Seen, list[float]]:
    """Return what the sender saw while so many looked, and how long clicks took to their pages."""
    given = [str(server.port), cookie, str(viewers), str(wanted.seconds + 5)]
    command = [sys.executable, __file__, "--look", *given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as looking:
        assert looking.stdout is not None
        assert looking.stdout.readline() == "all look\n"
        name = f"viewers-{viewers}"
        plan = Plan(
            server.port, server.workspace.write_key, wanted.seconds, 20, rate=wanted.rate, run=name
        )
        sender, pause = begin(plan), threading.Event()
        clicks: list[tuple[int, int]] = []
        end = time.monotonic() + wanted.seconds - 1
        while time.monotonic() < end:
            sent = time.time_ns() // 1000
            assert server.send([click(sent)]).is_success
            clicks.append((sent, time.time_ns() // 1000))
            pause.wait(CLICK_SECONDS)
        seen = finish(sender)
        told = Told([[(came, fresh) for came, fresh in one] for one in json.load(looking.stdout)])
    return seen, told.delays(clicks)


def beside(
    server: Server, cookie: str, wanted: argparse.Namespace
) -> tuple[Seen, list[float], list[float], Asked]:
    """Return what `run` does of the many, how fresh the facts were and what questions took."""
    watch = Watch(server.url)
    watcher = threading.Thread(target=watch.run)
    watcher.start()
    try:
        with asking(server, wanted.questions) as asked:
            seen, shown = run(server, cookie, wanted.viewers, wanted)
        server.wait_folded()
        watch.end.wait(0.2)
    finally:
        watch.end.set()
        watcher.join()
    return seen, shown, watch.delays(), asked


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=500)
    parser.add_argument("--rate", type=float, default=1_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--questions", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--look", nargs=4, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.look:
        port, cookie, count, seconds = wanted.look
        told = asyncio.run(crowd(int(port), cookie, int(count), float(seconds)))
        print(json.dumps(told.viewers))
        return
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.make(Path(folder) / "kept")
        with Server(workspace) as server:
            server.send([click(0)])
            server.wait_folded()
            cookie = signed_in(server, workspace.sign_in)
            run(server, cookie, 1, argparse.Namespace(rate=wanted.rate, seconds=3))
            server.wait_folded()
            few, of_one = run(server, cookie, 1, wanted)
            server.wait_folded()
            many, of_all, fresh, asked = beside(server, cookie, wanted)
    peer = "one viewer"
    report(
        "viewers-beside-questions" if wanted.questions else "viewers",
        [
            Figure("viewers of one page", wanted.viewers, "streams"),
            Figure("events taken", many.events / many.seconds, "events/s"),
            Figure(
                "click to page, p50",
                quantile(of_all, 0.5),
                "s",
                peer=quantile(of_one, 0.5),
                peer_name=peer,
            ),
            Figure(
                "click to page, p99",
                quantile(of_all, 0.99),
                "s",
                1,
                peer=quantile(of_one, 0.99),
                peer_name=peer,
            ),
            Figure("intake, p99", many.p99_ms, "ms", peer=few.p99_ms, peer_name=peer),
            Figure("event to queryable, p99", quantile(fresh, 0.99), "s", 1),
            Figure("requests refused", many.refused + few.refused, "requests", 0),
            *(
                [
                    Figure("questions answered meanwhile", len(asked.seconds), "questions"),
                    Figure("a question, p99", quantile(asked.seconds, 0.99), "s"),
                    Figure("questions not answered", asked.failed, "questions", 0),
                ]
                if wanted.questions
                else []
            ),
        ],
    )


if __name__ == "__main__":
    main()
