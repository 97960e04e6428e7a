"""How soon Onefold answers: help, the first event taken, the first figure, and idle memory."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import Figure, quantile, report
from serving import ONEFOLD, Server, Workspace, cpu_seconds, memory

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


def starts(folder: Path) -> dict[str, float]:
    """Return the medians of a few starts: seconds until something is so, and idle megabytes."""
    workspace = Workspace.make(folder / "kept")
    seen: dict[str, list[float]] = {"taking": [], "taking_cpu": [], "ready": [], "idle": []}
    for _ in range(RUNS):
        server = Server(workspace)
        begin = time.perf_counter()
        server.start()
        try:
            server.wait_live()
            assert server.send([probe()]).is_success
            seen["taking"].append(time.perf_counter() - begin)
            seen["taking_cpu"].append(cpu_seconds(server.door))
            server.wait_ready()
            seen["ready"].append(time.perf_counter() - begin)
            server.wait_folded()
            processes = [server.door, *server.houses]
            seen["idle"].append(sum(map(memory, processes)) / 1e6)
        finally:
            server.stop()
    return {name: quantile(values, 0.5) for name, values in seen.items()}


def main() -> None:
    """Measure, print, keep."""
    help_ms = median_cpu_ms(str(ONEFOLD), "--help")
    click_ms = median_cpu_ms(sys.executable, "-c", CLICK)
    with tempfile.TemporaryDirectory() as folder:
        seen = starts(Path(folder))
    report(
        "start",
        [
            Figure("onefold --help", help_ms, "ms CPU", 150, peer=click_ms, peer_name="click"),
            Figure("ready to take events", seen["taking"], "s", 2),
            Figure("processor time until then, the door's", seen["taking_cpu"], "s CPU"),
            Figure("ready to answer questions", seen["ready"], "s"),
            Figure("idle memory, both processes", seen["idle"], "MB", 400),
        ],
    )


if __name__ == "__main__":
    main()
