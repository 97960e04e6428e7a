"""How soon Onefold answers: help, the first event taken, the first figure, and idle memory."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import Figure, quantile, report
from serving import ONEFOLD, Server, Workspace, memory

RUNS = 5
CLICK = (
    "import click\n@click.command()\ndef hello(): 'Say hello.'\nhello(['--help'])"  # the bare peer
)


def cpu_ms(*command: str) -> float:
    """Return the processor time of one run of a command, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def median_cpu_ms(*command: str) -> float:
    """Return the median of a few runs, the first of which only warms the disk's cache."""
    return quantile([cpu_ms(*command) for _ in range(RUNS + 1)][1:], 0.5)


def probe() -> dict[str, object]:
    """Return the smallest event there is."""
    return {"type": "track", "event": "search_made", "anonymousId": "a-1"}


def starts(folder: Path) -> tuple[list[float], list[float], list[float]]:
    """Return seconds to take an event, seconds to answer a question, idle megabytes."""
    workspace = Workspace.make(folder / "kept")
    taking, ready, idle = [], [], []
    for _ in range(RUNS):
        server = Server(workspace)
        begin = time.perf_counter()
        server.start()
        try:
            server.wait_live()
            assert server.send([probe()]).is_success
            taking.append(time.perf_counter() - begin)
            server.wait_ready()
            ready.append(time.perf_counter() - begin)
            server.wait_folded()
            processes = [server.door, *server.houses]
            idle.append(sum(map(memory, processes)) / 1e6)
        finally:
            server.stop()
    return taking, ready, idle


def main() -> None:
    """Measure, print, keep."""
    help_ms = median_cpu_ms(str(ONEFOLD), "--help")
    click_ms = median_cpu_ms(sys.executable, "-c", CLICK)
    with tempfile.TemporaryDirectory() as folder:
        taking, ready, idle = starts(Path(folder))
    report(
        "start",
        [
            Figure("onefold --help", help_ms, "ms CPU", 150, peer=click_ms, peer_name="click"),
            Figure("ready to take events", quantile(taking, 0.5), "s", 2),
            Figure("ready to answer questions", quantile(ready, 0.5), "s"),
            Figure("idle memory, both processes", quantile(idle, 0.5), "MB", 400),
        ],
    )


if __name__ == "__main__":
    main()
