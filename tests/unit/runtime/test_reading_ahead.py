"""What is read ahead of the writing gives the same facts, also where a writing fails."""

import pytest

from onefold.model.errors import DiskFull
from worlds import World, track


def opened(n: int) -> dict:
    """Return one event of a few people, some of them known by name."""
    user = f"u{n % 7}" if n % 3 else None
    return track("opened", id=f"{n}", anonymous=f"a{n % 5}", user=user, at=n * 600.0)


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "w")
    for n in range(30):
        # Each comes again with the one after it.
        found.send(*(opened(one) for one in range(max(n - 1, 0), n + 1)))
    yield found
    found.close()


def to_the_end(folds, *, most_bytes: int) -> None:
    while folds.step(most_bytes=most_bytes):
        pass


def folded(world: World, *, most_bytes: int) -> dict[str, tuple[int, str]]:
    """Return the checksums of facts made anew in batches of a size."""
    folds = world.workspace.new_generation()
    try:
        to_the_end(folds, most_bytes=most_bytes)
        return {table: (rows, hashed) for table, rows, hashed in folds.generation.facts.checksums()}
    finally:
        folds.generation.close()


def test_batches_of_one_row_read_ahead_give_what_one_batch_gives(world) -> None:
    whole = folded(world, most_bytes=8_000_000)
    assert whole["events"][0] == 30
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
    folds = world.workspace.new_generation()
    failures = 0
    while True:
        try:
            if not folds.step(most_bytes=1):
                break
        except DiskFull:
            failures += 1
    sums = {table: (rows, hashed) for table, rows, hashed in folds.generation.facts.checksums()}
    folds.generation.close()
    assert failures > 3
    assert sums == whole


def test_rows_that_cannot_be_read_stop_the_fold_before_anything_of_them(world, monkeypatch) -> None:
    folds = world.workspace.new_generation()
    log = world.workspace.log
    read, broken = log.read, [True]

    def reading(after, *, most_bytes):
        if broken[0] and after >= 10:
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
    assert 10 <= stood < folds.offset
    assert count == 30
