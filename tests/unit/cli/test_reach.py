"""A command finds the running house, or does without."""

import fcntl
import json
import re
import socket
import threading
from contextlib import contextmanager

import pytest

from onefold.cli import reach
from onefold.cli.options import Terms
from onefold.cli.reach import ask, is_served
from onefold.model.errors import MachineFailed, NotFound


def whole(line):
    """Return one request, head and body."""
    raw = b""
    while True:
        piece = line.recv(65536)
        raw += piece
        head, _, body = raw.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if not piece or (length and len(body) >= int(length.group(1))):
            return raw


@contextmanager
def house(folder, *lines, status=200, kind="application/x-ndjson"):
    """A house that says the same to everybody; yields what it was asked."""
    (folder / "run").mkdir(parents=True)
    heard = []
    with socket.socket(socket.AF_UNIX) as listener:
        # A relative address, as the folder may be longer than an address can be.
        with pytest.MonkeyPatch.context() as place:
            place.chdir(folder / "run")
            listener.bind("owner.sock")
        listener.listen()

        def serve():
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                with line:
                    request = whole(line)
                    if not request:
                        continue
                    heard.append(request)
                    body = "".join(json.dumps(one) + "\n" for one in lines).encode()
                    head = f"HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\n"
                    line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join()


def test_a_running_house_is_asked_by_its_socket(tmp_path):
    with house(tmp_path, {"progress": ["Folding", 1, 2]}, {"answer": {"a": 1}}) as heard:
        body, good = ask(Terms(tmp_path, user="Ines"), "source list", {"x": None, "y": 2})
    assert (body, good) == ({"a": 1}, True)
    head, _, sent = heard[0].decode().partition("\r\n\r\n")
    assert head.startswith("POST /api/v1/source/list")
    assert "Onefold-As: Ines" in head
    assert json.loads(sent) == {"y": 2}


def test_an_answer_that_is_no_comes_back_as_no(tmp_path):
    with house(tmp_path, {"answer": {"whole": False}, "good": False}):
        assert ask(Terms(tmp_path), "audit verify") == ({"whole": False}, False)


def test_a_problem_is_raised_as_the_error_it_was(tmp_path):
    problem = {"status": 404, "detail": "No metric `x`.", "fix": "Use y."}
    with house(tmp_path, {"problem": problem}), pytest.raises(NotFound) as caught:
        ask(Terms(tmp_path), "metric", {"name": "x"})
    assert caught.value.exit_code == 4
    assert (caught.value.message, caught.value.fix) == ("No metric `x`.", "Use y.")


def test_a_refusal_of_the_whole_request_is_raised_too(tmp_path):
    problem = {"status": 404, "detail": "No call.", "fix": ""}
    with house(tmp_path, problem, status=404), pytest.raises(NotFound):
        ask(Terms(tmp_path), "nothing")


def test_a_house_that_breaks_off_is_a_failure(tmp_path):
    with house(tmp_path, {"progress": ["Folding", 1, None]}), pytest.raises(MachineFailed):
        ask(Terms(tmp_path), "rebuild")


def test_a_folder_longer_than_an_address_is_reached(tmp_path):
    folder = tmp_path / ("deep" * 30)
    with house(folder, {"answer": {"deep": True}}):
        assert is_served(folder)
        assert ask(Terms(folder), "status") == ({"deep": True}, True)


def test_a_socket_left_behind_is_nobody(tmp_path):
    (tmp_path / "run").mkdir()
    with socket.socket(socket.AF_UNIX) as dead, pytest.MonkeyPatch.context() as place:
        place.chdir(tmp_path / "run")
        dead.bind("owner.sock")
    assert not is_served(tmp_path)
    with pytest.raises(NotFound):
        ask(Terms(tmp_path), "status")


def test_a_workspace_that_is_held_and_silent_is_waited_for_and_then_left(tmp_path, monkeypatch):
    monkeypatch.setattr(reach, "_PATIENCE_SECONDS", 0.2)
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / "door.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(MachineFailed, match="did not answer"):
            ask(Terms(tmp_path), "status")
