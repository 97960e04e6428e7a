"""How soon a withdrawal is obeyed: by the facts, by files and at a webhook, each with proof."""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from figures import Figure, report
from serving import Server, Workspace, until

ROUNDS = 5
LIMIT_SECONDS = 60.0
CHANGE = "Segment Consent Preference Updated"
YES = {"consent": {"categoryPreferences": {"analytics": True, "sharing": True}}}
NO = {"consent": {"categoryPreferences": {"analytics": False, "sharing": False}}}


class Hook:
    """A webhook's other end: it holds events by subject, and drops subjects as it is told."""

    def __init__(self) -> None:
        self.subjects: set[str] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.take(json.loads(body)["data"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def take(self, data: dict[str, Any]) -> None:
        """Put and drop."""
        self.subjects |= {row["subject"] for row in data.get("events", ())}
        self.subjects -= set(data.get("subjects", ()))

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def saved(user: str) -> dict[str, object]:
    """Return an event of somebody who agreed."""
    return {"type": "track", "event": "saved", "userId": user, "context": YES}


def withdrawn(user: str) -> dict[str, object]:
    """Return the event by which somebody withdraws."""
    return {"type": "track", "event": CHANGE, "userId": user, "context": NO}


def holds(folder: Path, user: str) -> bool:
    """Return whether a file that left the house names somebody."""
    for path in folder.rglob("*.csv"):
        try:
            if user in path.read_text():
                return True
        except FileNotFoundError:
            # It is being written anew.
            return True
    return False


def seconds_until(done: Callable[[], bool], begin: float) -> float:
    """Return how long after a moment something is so."""
    until(done, seconds=3 * LIMIT_SECONDS)
    return time.perf_counter() - begin


def measure(folder: Path, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the longest time of some withdrawals until each place obeyed, in seconds."""
    workspace = Workspace.make(folder / "kept")
    terms = ("--purpose", "sharing", "--basis", "contract 7", "--region", "eu")
    shape = ("--kind", "files", "--format", "csv", "--names", "--every", "1m")
    hook_shape = ("--kind", "webhook", "--allow", "127.0.0.1", "--every", "1m")
    found: dict[str, float] = {}
    with Hook() as hook, Server(workspace) as server:
        workspace.ask("source", "set", "app", "--region", "eu")
        workspace.ask("destination", "add", "lake", *shape, *terms)
        workspace.ask("destination", "add", "hook", *hook_shape, "--url", hook.url, *terms)
        users = [f"somebody-{number}" for number in range(rounds)]
        assert server.send([saved(user) for user in users]).is_success
        server.wait_folded()
        workspace.ask("destination", "run", "lake")
        workspace.ask("destination", "run", "hook")
        for user in users:
            assert holds(workspace.folder, user), "it has left"
            assert hook.subjects, "to both"
            for name, seconds in obeyed(workspace, server, hook, user).items():
                found[name] = max(found.get(name, 0.0), seconds)
        assert not hook.subjects, "everybody withdrew"
    return found


def obeyed(workspace: Workspace, server: Server, hook: Hook, user: str) -> dict[str, float]:
    """Return how long after somebody withdrew each place obeyed, in seconds."""
    facts, lake = proven(workspace, "facts"), proven(workspace, "destination:lake")
    told, held = proven(workspace, "destination:hook"), len(hook.subjects)
    begin = time.perf_counter()
    assert server.send([withdrawn(user)]).is_success
    return {
        "facts": seconds_until(lambda: proven(workspace, "facts") > facts, begin),
        "files": seconds_until(lambda: not holds(workspace.folder, user), begin),
        "webhook": seconds_until(lambda: len(hook.subjects) < held, begin),
        "proof": seconds_until(lambda: proven(workspace, "destination:lake") > lake, begin),
        "proof of webhook": seconds_until(
            lambda: proven(workspace, "destination:hook") > told, begin
        ),
    }


def proven(workspace: Workspace, place: str) -> int:
    """Return how many withdrawals from sharing the register says that a place obeyed."""
    answer = workspace.ask("consent", "proofs", "--last", "1000")
    return sum("sharing" in row and place in row for row in answer["rows"])


def main() -> None:
    """Measure, print, keep."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder))
    report(
        "withdrawal",
        [
            Figure(f"withdrawal until {name} obey", seconds, "s", LIMIT_SECONDS)
            for name, seconds in found.items()
        ],
    )
    sys.exit(max(found.values()) > LIMIT_SECONDS)


if __name__ == "__main__":
    main()
