"""A sender that costs little: raw HTTP over kept connections, in a process of its own.

Run as `python bench/sender.py '{"port": 8000, "write_key": "...", ...}'`; prints what it saw as
JSON. With a rate, latency counts from when a request was due, so that a server which stalls
pays for all that waited meanwhile; without one each connection sends as soon as it may.
"""

import asyncio
import base64
import itertools
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from figures import quantile

EVENT = (
    '{"type":"track","event":"pin_opened","messageId":"%s-%d","anonymousId":"a-%d",'
    '"timestamp":"%s","properties":{"item_id":"i-%d","creator_id":"c-%d","surface":"home_feed",'
    '"query":"oak shelves for a small room"},"context":{"library":{"name":"bench","version":"1"},'
    '"page":{"path":"/pins","url":"https://market.example/pins"},"locale":"en-GB",'
    '"consent":{"categoryPreferences":{"analytics":true,"advertising":true}}}}'
)
PEOPLE = 20_000


@dataclass(frozen=True)
class Plan:
    """What to send, where to, and how fast.

    Attributes:
        port: Of loopback.
        write_key: Of the source.
        seconds: For how long.
        batch: Events a request; 1 sends single events to `/v1/track`.
        connections: How many stand open.
        rate: Events a second, all together; 0 for as many as are taken.
        run: Distinguishes the message ids of one run from another's.
    """

    port: int
    write_key: str
    seconds: float
    batch: int = 1
    connections: int = 32
    rate: float = 0.0
    run: str = "r"


@dataclass
class Seen:
    """What a run saw."""

    events: int = 0
    requests: int = 0
    refused: int = 0
    seconds: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    latencies: list[float] = field(default_factory=list)


def text(run: str, number: int, stamp: str) -> str:
    """Return the JSON of one event."""
    return EVENT % (run, number, number * 7919 % PEOPLE, stamp, number % 5000, number % 400)


def body(plan: Plan, first: int) -> bytes:
    """Return the body of one request, its events numbered from `first` on."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if plan.batch == 1:
        return text(plan.run, first, stamp).encode()
    events = ",".join(text(plan.run, first + place, stamp) for place in range(plan.batch))
    return f'{{"batch":[{events}]}}'.encode()


def request(plan: Plan, first: int) -> bytes:
    """Return one request as it goes over the wire."""
    sent = body(plan, first)
    route = "track" if plan.batch == 1 else "batch"
    credentials = basic(plan.write_key)
    head = (
        f"POST /v1/{route} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\n"
        f"Authorization: Basic {credentials}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent


def basic(write_key: str) -> str:
    """Return a write key as basic authorization has it."""
    return base64.b64encode(f"{write_key}:".encode()).decode()


async def answer(reader: asyncio.StreamReader) -> bool:
    """Read one answer; return whether it was a 200."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    if b"content-length:" in lower:
        size = int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        await reader.readexactly(size)
    return head[9:12] == b"200"


async def connection(plan: Plan, numbers: "itertools.count[int]", end: float, seen: Seen) -> None:
    """Send over one connection until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", plan.port)
    start = end - plan.seconds
    while True:
        turn = next(numbers)
        due = start + turn * plan.batch / plan.rate if plan.rate else time.perf_counter()
        if due >= end:
            break
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        elif time.perf_counter() >= end + 5:
            break
        writer.write(request(plan, turn * plan.batch))
        good = await answer(reader)
        seen.latencies.append(time.perf_counter() - due)
        seen.requests += 1
        seen.events += plan.batch if good else 0
        seen.refused += 0 if good else 1
    writer.close()


async def send(plan: Plan) -> Seen:
    """Carry out a plan; return what it saw."""
    seen = Seen()
    numbers = itertools.count()
    begin = time.perf_counter()
    end = begin + plan.seconds
    await asyncio.gather(*(connection(plan, numbers, end, seen) for _ in range(plan.connections)))
    seen.seconds = time.perf_counter() - begin
    seen.p50_ms = 1000 * quantile(seen.latencies, 0.5)
    seen.p99_ms = 1000 * quantile(seen.latencies, 0.99)
    seen.latencies = []
    return seen


def begin(plan: Plan) -> "subprocess.Popen[str]":
    """Start a sender in a process of its own."""
    command = [sys.executable, str(Path(__file__)), json.dumps(asdict(plan))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(sender: "subprocess.Popen[str]") -> Seen:
    """Wait for a sender's end; return what it saw."""
    told, _ = sender.communicate(timeout=600)
    return msgspec.convert(json.loads(told), Seen)


def main(plan: Any) -> None:
    """Carry out the plan, print what it saw."""
    print(json.dumps(asdict(uvloop.run(send(Plan(**plan))))))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
