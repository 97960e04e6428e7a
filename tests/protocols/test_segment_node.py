"""The unmodified @segment/analytics-node."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from protocols import kept
from protocols.flaky import flaky

FOLDER = Path(__file__).parent / "node"
KINDS = {"track": 2, "identify": 1, "page": 1, "screen": 1, "group": 1, "alias": 1}


def send_every_kind(host, write_key):
    node = shutil.which("node")
    assert node, "Node is missing; `scripts/setup test` installs it"
    done = subprocess.run(
        [node, "send.mjs", host, write_key],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["failed"]


def test_every_kind_of_call_is_there_once(served, tmp_path):
    server = served()
    assert send_every_kind(server.url, server.workspace.write_key) == []
    server.wait_folded()
    assert server.workspace.checksums()["events"][0] == sum(KINDS.values())
    server.stop()
    rows = kept.events(server.workspace, tmp_path)
    assert kept.kinds(rows) == KINDS
    assert {row["account_id"] for row in rows if row["kind"] == "group"} == {"advertiser-1"}
    assert all(row["identifier"] is not None for row in rows)


@pytest.mark.parametrize("passed_on", [False, True])
def test_a_batch_sent_again_counts_once(served, tmp_path, passed_on):
    server = served()
    with flaky(server.url, failures=2, passed_on=passed_on) as between:
        assert send_every_kind(between.url, server.workspace.write_key) == []
        assert between.retries == ["", "1", "2"]
    server.wait_folded()
    server.stop()
    assert kept.kinds(kept.events(server.workspace, tmp_path)) == KINDS
