"""The command that the first page shows: a market made, loaded, served, asked, and ended."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SMALL = ("--people", "120", "--days", "45", "--seed", "3")


def demo(*arguments, **options):
    # Whoever starts tests in the background has Ctrl-C ignored, for them and for all below.
    heard = ("env", "--default-signal=INT")
    command = [*heard, sys.executable, "-m", "onefold", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes_of(folder):
    """Return the command lines of processes that name a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(entry.read_bytes().replace(b"\0", b" "))
    return [line for line in found if str(folder).encode() in line]


def test_the_check_asks_every_page_and_leaves_nothing_behind(tmp_path):
    checked = demo("-w", str(tmp_path / "d"), "demo", "--check", *SMALL, "--json")
    out, err = checked.communicate(timeout=280)
    assert checked.returncode == 0, err
    body = json.loads(out)
    asked = {page["address"]: page for page in body["pages"]}
    assert {"/", "/live", "/customers", "/experiments", "/explore", "/data", "/truth"} <= set(asked)
    assert all(page["status"] == 200 and page["seconds"] >= 0 for page in body["pages"])
    assert body["counts"]["events"] > 1000
    assert body["counts"]["accounts"] >= 80
    planted = json.loads((tmp_path / "d" / "demo" / "truth.json").read_text())["effects"]
    assert [row["id"] for row in body["truth"]] == [effect["id"] for effect in planted]
    assert not processes_of(tmp_path)


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_stays_up_with_traffic_until_it_is_ended(tmp_path, way):
    port = free_port()
    sizes = ("--people", "40", "--days", "40", "--port", str(port))
    running = demo("-w", str(tmp_path / "d"), "demo", *sizes, "--json", start_new_session=True)
    try:
        said = json.loads(running.stdout.readline())
        assert said["sign_in"].startswith(f"http://127.0.0.1:{port}/sign-in/link/")
        running.send_signal(way)
        running.communicate(timeout=60)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
    assert running.returncode == 0
    assert not processes_of(tmp_path)


def test_the_demo_overwrites_nothing_but_a_demo(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    refused = demo("-w", str(tmp_path), "demo", *SMALL)
    _, err = refused.communicate(timeout=120)
    assert refused.returncode == 2
    assert "no demo" in err
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_a_port_that_is_taken_is_told_before_anything_is_made(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = demo("-w", str(tmp_path / "d"), "demo", *SMALL, "--port", port)
        _, err = refused.communicate(timeout=120)
    assert refused.returncode == 2
    assert f"Port {port}" in err
    assert not (tmp_path / "d").exists()
