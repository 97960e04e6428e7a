"""What stands still ends in a refusal that says when to come back, never in a loss."""

import json
import os
import random
import signal
import socket
import sqlite3
import threading

import httpx
import pytest

from load import events
from serving import Server, Workspace, until


def batch(first: int, count: int = 20) -> list[dict[str, object]]:
    return events(random.Random(first), first=first, count=count)


def test_a_locked_log_refuses_with_503_stays_answering_and_loses_nothing(tmp_path):
    workspace = Workspace.make(tmp_path / "kept")
    with Server(workspace) as server:
        assert server.send(batch(0)).status_code == httpx.codes.OK
        server.wait_folded()
        holder = sqlite3.connect(workspace.folder / "log.sqlite", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        answers: list[httpx.Response] = []
        first = threading.Thread(target=lambda: answers.append(server.send(batch(20))))
        first.start()
        # While the first waits for the lock the door answers others, and soon refuses.
        until(lambda: (server.readiness() or {"ready": True})["ready"] is False, seconds=8)
        told = server.readiness()
        assert "taken nothing" in told["reason"]
        assert told["fix"]
        refused = server.send(batch(40), timeout=5)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        first.join()
        assert answers[0].status_code == 503
        holder.execute("ROLLBACK")
        holder.close()
        for start in (20, 40):
            until(
                lambda start=start: server.send(batch(start)).status_code == httpx.codes.OK,
                seconds=20,
            )
        server.wait_ready()
        server.wait_folded()
        assert workspace.checksums()["events"][0] == 60


def test_folds_that_stand_too_long_refuse_until_they_go_on(tmp_path):
    workspace = Workspace.make(tmp_path / "kept")
    with (workspace.folder / "onefold.toml").open("a") as settings:
        settings.write("\nmost_behind_seconds = 2\n")
    with Server(workspace) as server:
        assert server.send(batch(0)).status_code == httpx.codes.OK
        server.wait_folded()
        (house,) = server.houses
        os.kill(house, signal.SIGSTOP)
        try:
            sent = 1
            assert server.send(batch(20)).status_code == httpx.codes.OK
            refused: list[httpx.Response] = []

            def refuses() -> bool:
                nonlocal sent
                answer = server.send(batch(20 + sent * 20))
                if answer.status_code == httpx.codes.OK:
                    sent += 1
                    return False
                refused.append(answer)
                return True

            until(refuses, seconds=30, every=0.2)
            assert refused[0].status_code == 503
            assert "behind" in refused[0].json()["detail"]
            assert int(refused[0].headers["retry-after"]) >= 1
            assert server.readiness()["ready"] is False
        finally:
            os.kill(house, signal.SIGCONT)
        server.wait_ready()
        server.wait_folded()
        until(lambda: server.send(batch(20 + sent * 20)).status_code == httpx.codes.OK, every=0.3)
        server.wait_folded()
        assert workspace.checksums()["events"][0] == 20 * (sent + 2)


@pytest.mark.parametrize("told", [True, False], ids=["length", "chunks"])
def test_who_sends_five_megabytes_reads_why_they_are_refused(tmp_path, told):
    workspace = Workspace.make(tmp_path / "kept")
    large = b" " * 5_000_000

    def pieces():
        for first in range(0, len(large), 100_000):
            yield large[first : first + 100_000]

    with Server(workspace) as server:
        for _ in range(5):
            body = large if told else pieces()
            answer = httpx.post(f"{server.url}/v1/batch", content=body, timeout=20)
            assert answer.status_code == 413
            assert answer.json()["fix"]


def test_a_sender_that_reads_nothing_before_it_has_written_all_reads_the_answer(tmp_path):
    workspace = Workspace.make(tmp_path / "kept")
    with Server(workspace) as server, socket.create_connection(("127.0.0.1", server.port)) as line:
        size = 5_000_000
        head = f"POST /v1/batch HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n"
        line.sendall(head.encode() + b" " * size)
        line.settimeout(10)
        answer = line.recv(65536)
        assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_key_over_its_rate_is_429_and_comes_back(tmp_path):
    workspace = Workspace.make(tmp_path / "kept")
    with (workspace.folder / "onefold.toml").open("a") as settings:
        settings.write("\nevents_per_second = 100\n")
    with Server(workspace) as server:
        statuses = [server.send(batch(first, 200)) for first in range(0, 2000, 200)]
        refused = [answer for answer in statuses if answer.status_code == 429]
        taken = [json.loads(a.text)["accepted"] for a in statuses if a.status_code == 200]
        assert refused
        assert int(refused[0].headers["retry-after"]) >= 1
        until(lambda: server.send(batch(2000, 10)).status_code == httpx.codes.OK, every=0.5)
        server.wait_folded()
        assert workspace.checksums()["events"][0] == sum(taken) + 10
