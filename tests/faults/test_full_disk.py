"""A full disk refuses, says so, loses nothing, and is forgotten once there is room again."""

import contextlib
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from load import events
from serving import Server, Workspace, until

SIZE = 96 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a file system of its own that is soon full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system, and may not everywhere")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Leave no byte free on a disk; return the file that takes the room."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return ballast


def test_a_full_disk_refuses_with_503_and_loses_nothing(small_disk):
    workspace = Workspace.make(small_disk / "kept")
    rng = random.Random(5)
    server = Server(workspace)
    accepted: set[str] = set()
    refused: list[httpx.Response] = []
    sent: list[list[dict[str, object]]] = []

    def send(batch: list[dict[str, object]]) -> bool:
        answer = server.send(batch)
        if answer.status_code == httpx.codes.OK:
            accepted.update(str(one["messageId"]) for one in batch)
            return True
        refused.append(answer)
        return False

    with server:
        for first in range(0, 2000, 100):
            sent.append(events(rng, first=first, count=100))
            assert send(sent[-1])
        ballast = fill(small_disk)
        for first in range(2000, 12000, 500):
            sent.append(events(rng, first=first, count=500))
            send(sent[-1])
            if refused:
                break
        assert refused, "the disk never filled"
        assert {answer.status_code for answer in refused} == {503}
        assert int(refused[0].headers["retry-after"]) >= 1
        until(lambda: (server.readiness() or {"ready": True})["ready"] is False)

        ballast.unlink()
        for batch in sent:
            until(lambda batch=batch: send(batch), seconds=60, every=0.2)
        server.wait_ready()
        server.wait_folded()
        rows, _ = workspace.checksums()["events"]
        assert rows == len(accepted) == sum(len(batch) for batch in sent)
