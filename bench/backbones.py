"""What the log costs on each backbone: rows a second durable, one at a time and in groups."""

import json
import os
import tempfile
import time
from pathlib import Path

from kafka import Broker
from onefold.store import Log, NewRow, planes

EVENTS = 100
ROWS_ALONE, GROUPS, GROUP = 150, 10, 200


def row() -> NewRow:
    """Return a request of a hundred events, as senders batch them."""
    event = {"type": "track", "event": "pin_saved", "userId": "u-1", "properties": {"n": 1}}
    batch = [{**event, "messageId": os.urandom(16).hex()} for _ in range(EVENTS)]
    body = json.dumps({"batch": batch}).encode()
    return NewRow(
        time.time_ns() // 1000, "app", "production", "segment", "batch", body, b"\1" * 100
    )


def rates(log: Log) -> dict[str, float]:
    """Return rows a second: durable one by one, durable in groups, read back."""
    rows = [row() for _ in range(GROUP)]
    seen: dict[str, float] = {}
    begin = time.perf_counter()
    for one in range(ROWS_ALONE):
        log.append([rows[one % GROUP]])
    seen["alone"] = ROWS_ALONE / (time.perf_counter() - begin)
    begin = time.perf_counter()
    for _ in range(GROUPS):
        log.append(rows)
    seen["grouped"] = GROUPS * GROUP / (time.perf_counter() - begin)
    begin, after, read = time.perf_counter(), 0, 0
    while found := log.read(after):
        after, read = found[-1].offset, read + len(found)
    seen["read"] = read / (time.perf_counter() - begin)
    return seen


def main() -> None:
    """Measure both and print them side by side; a ratio holds where seconds do not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Broker.start(folder / "said")
        try:
            found = {}
            for backbone, url in (("sqlite", ""), ("kafka", broker.new_url())):
                log = planes.open_log(url, folder)
                found[backbone] = rates(log)
                log.close()
        finally:
            broker.stop()
    for what in ("alone", "grouped", "read"):
        sqlite, kafka = found["sqlite"][what], found["kafka"][what]
        ratio = f"ratio {kafka / sqlite:.2f}"
        print(f"{what:8} sqlite {sqlite:9,.0f} rows/s  kafka {kafka:9,.0f} rows/s  {ratio}")


if __name__ == "__main__":
    main()
