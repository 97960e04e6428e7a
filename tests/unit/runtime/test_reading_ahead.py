"""What is read ahead of the writing gives the same facts, also where a writing fails."""

import os
import select
import subprocess
import sys

import pytest

from onefold.collect.aside import ReaderAside
from onefold.model.errors import DiskFull
from onefold.model.records import OWNER
from onefold.runtime import call
from worlds import World, track

pytestmark = pytest.mark.long

ROWS = 12


def opened(n: int) -> dict:
    """Return one event of a few people, some of them known by name."""
    user = f"u{n % 7}" if n % 3 else None
    return track("opened", id=f"{n}", anonymous=f"a{n % 5}", user=user, at=n * 600.0)


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    for n in range(ROWS):
        # Each comes again with the one after it.
        found.send(*(opened(one) for one in range(max(n - 1, 0), n + 1)))
    yield found
    found.close()


def to_the_end(folds, *, most_bytes: int) -> None:
    while folds.step(most_bytes=most_bytes):
        pass


def begun(world: World, *, cores: int = 1):
    """Return the folds of a new generation that may use so many cores."""
    folds = world.workspace.new_generation()
    folds.cores, folds.catch_up_bytes = cores, 1
    return folds


def sums(folds) -> dict[str, tuple[int, str]]:
    """Return the checksums of the facts, and let go of them."""
    found = {table: (rows, hashed) for table, rows, hashed in folds.generation.facts.checksums()}
    folds.close()
    folds.generation.close()
    return found


def folded(world: World, *, most_bytes: int) -> dict[str, tuple[int, str]]:
    """Return the checksums of facts made anew in batches of a size."""
    folds = begun(world)
    to_the_end(folds, most_bytes=most_bytes)
    return sums(folds)


def test_batches_of_one_row_read_ahead_give_what_one_batch_gives(world) -> None:
    whole = folded(world, most_bytes=8_000_000)
    assert whole["events"][0] == ROWS
    assert folded(world, most_bytes=1) == whole


def test_a_writing_that_fails_is_done_again_and_nothing_is_forgotten(world, monkeypatch) -> None:
    whole = folded(world, most_bytes=8_000_000)
    vault = world.workspace.vault
    keep, tries = vault.remember, []

    def remember(names, fields) -> None:
        tries.append(len(names))
        if len(tries) % 2:
            raise DiskFull("No room for a name.", "Make room.")
        keep(names, fields)

    monkeypatch.setattr(vault, "remember", remember)
    folds = begun(world)
    failures = 0
    while True:
        try:
            if not folds.step(most_bytes=1):
                break
        except DiskFull:
            failures += 1
    assert failures > 3
    assert sums(folds) == whole


def test_rows_that_cannot_be_read_stop_the_fold_before_anything_of_them(world, monkeypatch) -> None:
    folds = begun(world)
    log = world.workspace.log
    read, broken = log.read, [True]

    def reading(after, *, most_bytes):
        if broken[0] and after >= 5:
            raise OSError("The disk does not answer.")
        return read(after, most_bytes=most_bytes)

    monkeypatch.setattr(log, "read", reading)
    with pytest.raises(OSError, match="does not answer"):
        to_the_end(folds, most_bytes=1)
    stood = folds.offset
    broken[0] = False
    to_the_end(folds, most_bytes=1)
    events = folds.generation.facts.tables()["events"]
    count = folds.generation.facts.ask(events).num_rows
    folds.generation.close()
    assert 5 <= stood < folds.offset
    assert count == ROWS


class Beside:
    """Says of a reader in another process what it was asked, and waits until it is there."""

    def __init__(self, monkeypatch) -> None:
        self.asked: list[int] = []
        self.processes: list[ReaderAside] = []
        ask, answer = ReaderAside.ask, ReaderAside.answer

        def asking(reader, after, most_bytes):
            if reader not in self.processes:
                self.processes.append(reader)
                select.select([reader._out], [], [], 30)
            begun = ask(reader, after, most_bytes)
            self.asked += [after] if begun else []
            return begun

        def answering(reader, after):
            found = answer(reader, after)
            self.answered += found is not None
            return found

        self.answered = 0
        monkeypatch.setattr(ReaderAside, "ask", asking)
        monkeypatch.setattr(ReaderAside, "answer", answering)


@pytest.fixture
def beside(monkeypatch):
    return Beside(monkeypatch)


def test_a_process_beside_reads_and_the_facts_are_the_same(world, beside) -> None:
    whole = folded(world, most_bytes=8_000_000)
    folds = begun(world, cores=2)
    to_the_end(folds, most_bytes=1)
    assert beside.answered > 6
    assert sums(folds) == whole


def test_a_process_beside_that_dies_costs_nothing(world, beside) -> None:
    whole = folded(world, most_bytes=8_000_000)
    folds = begun(world, cores=2)
    while folds.step(most_bytes=1):
        if len(beside.asked) == 5:
            beside.processes[0]._process.kill()
    assert beside.answered < 10
    assert sums(folds) == whole


def test_a_writing_that_fails_ends_the_process_that_read_for_it(world, beside, monkeypatch) -> None:
    whole = folded(world, most_bytes=8_000_000)
    vault = world.workspace.vault
    keep, tries = vault.remember, []

    def remember(names, fields) -> None:
        tries.append(len(names))
        if len(tries) == 5:
            raise DiskFull("No room for a name.", "Make room.")
        keep(names, fields)

    monkeypatch.setattr(vault, "remember", remember)
    for n in range(ROWS, 2 * ROWS):
        world.send(opened(n) | {"userId": f"new{n}"})
    folds = begun(world, cores=2)
    with pytest.raises(DiskFull):
        to_the_end(folds, most_bytes=1)
    to_the_end(folds, most_bytes=1)
    assert len(beside.processes) == 2
    again = sums(folds)
    assert again == folded(world, most_bytes=8_000_000)
    assert again["events"][0] == whole["events"][0] + ROWS


def test_imported_rows_are_read_by_the_fold_itself(world, beside, tmp_path) -> None:
    (tmp_path / "crm.csv").write_text("id,name\na1,Acme\na2,Zeta\n")
    (tmp_path / "crm.yaml").write_text(
        "import: crm\ntable: accounts\nfile: crm.csv\ncolumns: {account_id: id, name: name}\n"
    )
    call(world.workspace, OWNER, "import", {"mapping": str(tmp_path / "crm.yaml")})
    for n in range(40, 45):
        world.send(opened(n))
    folds = begun(world, cores=2)
    to_the_end(folds, most_bytes=1)
    assert 6 < beside.answered < len(beside.asked)
    assert sums(folds) == folded(world, most_bytes=8_000_000)


def test_a_process_beside_ends_with_who_began_it(tmp_path, world) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "onefold.collect.aside"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    said, told = process.communicate(b"", timeout=30)
    assert (said, told, process.returncode) == (b"", b"", 0)


def test_ctrl_c_is_not_for_a_process_beside(world, beside) -> None:
    folds = begun(world, cores=2)
    to_the_end(folds, most_bytes=1)
    (process,) = beside.processes
    group = os.getpgid(process._process.pid)
    assert sums(folds)["events"][0] == ROWS
    assert group != os.getpgid(0)
