"""A destination holds each event once, wherever in a run the process is ended with SIGKILL."""

import csv
import subprocess
import sys

import pytest

from onefold.model.records import OWNER
from onefold.runtime import call
from onefold.runtime.leaving import run_destination
from receivers import House, Receiver, event

pytestmark = pytest.mark.long

WHO = ("ann", "bob", "ann", "cleo")
CHILD = """
import os, sys
from importlib import import_module
from pathlib import Path
holder, name, when, folder = sys.argv[1:]
from onefold.model.records import OWNER
from onefold.runtime import Workspace
from onefold.runtime.leaving import run_destination
module, _, owner = holder.partition(":")
held = import_module(module)
held = getattr(held, owner) if owner else held
former = getattr(held, name)
def dies(*args, **named):
    if when == "after":
        former(*args, **named)
    if when == "halfway":
        path, content = args
        path.with_name(path.name + ".part").write_bytes(content[: len(content) // 2])
    os.kill(os.getpid(), 9)
workspace = Workspace(Path(folder))
workspace.catch_up()
setattr(held, name, dies)
run_destination(workspace, OWNER, "out")
"""
SENDING, DROPS = "onefold.sharing.sending", "onefold.sharing.drops"
STEPS = {
    "files": (
        (DROPS, "_put", "halfway"),
        (DROPS, "_put", "after"),
        (f"{SENDING}:_Trip", "delivered", "before"),
        ("onefold.sharing.store", "add_to_ledger", "after"),
        (f"{SENDING}:_Trip", "_commit", "after"),
    ),
    "webhook": (
        ("onefold.sharing.store", "intend", "after"),
        (f"{SENDING}:_Trip", "delivered", "before"),
        ("onefold.sharing.store", "add_to_ledger", "after"),
        (f"{SENDING}:_Trip", "_commit", "after"),
    ),
}
"""Where a run dies: before a batch is with the receiver, before it is noted, while, after."""


def killed(house: House, holder: str, name: str, when: str) -> None:
    """Run the destination in a process that dies at a step; the workspace is open again then."""
    house.world.close()
    died = subprocess.run(
        [sys.executable, "-c", CHILD, holder, name, when, str(house.world.folder)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert died.returncode == -9, died.stderr
    house.world.open()


def told(house: House, first: int) -> None:
    """Send one event of each, with ids that go on from a number."""
    house.world.send(
        *(event("pin_saved", f"m{at}", who, at) for at, who in enumerate(WHO, start=first))
    )
    house.world.fold()


def in_files(house: House) -> list[dict[str, str]]:
    """Return the rows of all files, each as often as it stands there."""
    found = []
    for path in sorted((house.world.folder / "outgoing" / "out").iterdir()):
        assert path.suffix == ".csv", f"{path.name} is half of a file"
        with path.open(newline="") as lines:
            found += csv.DictReader(lines)
    return found


@pytest.fixture
def house(tmp_path):
    made = House.make(tmp_path)
    yield made
    made.world.close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.mark.parametrize("step", STEPS["files"], ids="-".join)
def test_a_folder_has_each_row_once_wherever_a_run_dies(house, step):
    house.add("out", "files", settings={"format": "csv"})
    told(house, 0)
    run_destination(house.world.workspace, OWNER, "out")
    told(house, 4)
    killed(house, *step)
    told(house, 8)
    run_destination(house.world.workspace, OWNER, "out")
    rows = [row["message_id"] for row in in_files(house)]
    assert (len(rows), len(set(rows))) == (12, 12)
    standing = house.standing("out")
    assert (standing.sent_events, standing.pending_to) == (12, None)
    assert run_destination(house.world.workspace, OWNER, "out").events == 0


@pytest.mark.parametrize("step", STEPS["webhook"], ids="-".join)
def test_a_receiver_that_puts_by_id_has_each_row_once_wherever_a_run_dies(house, receiver, step):
    settings = {"url": receiver.url, "allow": ["127.0.0.1"]}
    receiver.secret = house.add("out", "webhook", settings=settings).secret
    told(house, 0)
    killed(house, *step)
    told(house, 4)
    run_destination(house.world.workspace, OWNER, "out")
    assert len(receiver.held()) == 8
    again = [headers["webhook-id"] for headers in receiver.headers]
    sent = [len(message["data"]["events"]) for message in receiver.messages]
    assert sum(sent) - 8 == 4 * (len(again) - len(set(again))), "what comes twice has one id"
    standing = house.standing("out")
    assert (standing.sent_events, standing.pending_to) == (8, None)


@pytest.mark.parametrize(
    "step",
    [
        (DROPS, "_put", "after"),
        (f"{DROPS}:FileDrop", "take_back", "after"),
        ("onefold.sharing.store", "take_from_ledger", "after"),
        (f"{SENDING}:_Trip", "_commit", "after"),
    ],
    ids="-".join,
)
def test_who_withdrew_is_gone_and_nobody_else_wherever_taking_back_dies(house, step):
    house.add("out", "files", settings={"format": "csv"})
    told(house, 0)
    run_destination(house.world.workspace, OWNER, "out")
    call(house.world.workspace, OWNER, "consent withdraw", {"id": "user_id:ann"})
    house.world.fold()
    killed(house, *step)
    house.world.fold()
    run_destination(house.world.workspace, OWNER, "out")
    rows = in_files(house)
    assert len(rows) == 2
    assert len({row["subject"] for row in rows}) == 2
    assert house.standing("out").sent_events == 2
