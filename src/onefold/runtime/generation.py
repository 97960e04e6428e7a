"""Generations of the facts: one folder each, and a link that says which one answers."""

import os
import shutil
from pathlib import Path

import msgspec
import pyarrow as pa

from onefold.collect import FoldRules
from onefold.model.errors import DiskFull, MachineFailed
from onefold.model.facts import PROMOTED_TYPES, VERSION
from onefold.runtime.engines import engine_of, note_engine
from onefold.runtime.view_consent import Stated, stated_in
from onefold.store import Facts, FactsWriter, SeenIds, planes

_CURRENT = "current"


class Generation:
    """One build of the facts: its engine, its ids seen and the rules it was built by."""

    def __init__(self, folder: Path, facts: Facts, seen: SeenIds) -> None:
        self.folder = folder
        self.engine = engine_of(folder)
        """Where its facts stand, a URL; empty for its folder."""
        self.facts = facts
        self.seen = seen
        meta = _meta(facts)
        self.rules = msgspec.json.decode(meta["rules"], type=FoldRules)
        self.version = int(meta["version"])
        self.offset, self.received_time = _progress(facts)
        self.marked = _is_marked(facts)
        """Somebody or something in it is marked as no customer's."""
        self.sampled = _is_sampled(facts)
        """Some of its events are of a sample."""
        self.stated: Stated = frozenset()
        """What was ever stated of consent."""
        self.note_stated()
        self.linked = bool(facts.ask(facts.tables()["account_heads"].limit(1)).num_rows)
        """Some of its accounts or contacts are one."""
        _remember_tail(facts, seen)

    def fits(self, rules: FoldRules) -> bool:
        """Return whether it was built by these rules and this version of the folds."""
        return self.version == VERSION and self.rules == rules

    def note_stated(self) -> None:
        """Look anew what was ever stated of consent."""
        rows = self.facts.ask(stated_in(self.facts.tables())).to_pylist()
        self.stated = frozenset((row["purpose"], row["granted"], row["by_event"]) for row in rows)

    def note_rules(self, rules: FoldRules, writer: FactsWriter) -> None:
        """Write by which rules it is built from now on."""
        writer.delete("meta", pa.table({"key": ["rules"]}), ["key"])
        value = msgspec.json.encode(rules).decode()
        writer.insert("meta", pa.table({"key": ["rules"], "value": [value]}))

    def close(self) -> None:
        """Let go of the files."""
        # The end should not wait for a merge that can as well begin after the next start.
        self.seen.flush(merging=False)
        self.seen.close()
        self.facts.close()


def open_current(folder: Path) -> Generation | None:
    """Return the generation that answers, or None when there is none yet.

    Raises:
        MachineFailed: It is held by another process, or cannot be read.
    """
    link = folder / _CURRENT
    if not link.exists():
        return None
    return open_at(link.resolve())


def open_at(place: Path) -> Generation:
    """Return the generation that stands in a folder of its own, in the engine noted there."""
    facts = planes.open_facts(engine_of(place), place)
    return Generation(place, facts, SeenIds(place / "ids"))


def next_place(folder: Path) -> Path:
    """Return the folder of the next generation, which is not there; unfinished ones go."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    current = (folder / _CURRENT).resolve().name
    for path in folder.glob("gen-*"):
        if path.name != current:
            shutil.rmtree(path)
    number = int(current.removeprefix("gen-")) + 1 if current.startswith("gen-") else 1
    return folder / f"gen-{number}"


def make_next(folder: Path, rules: FoldRules, engine: str) -> Generation:
    """Return a new, empty generation beside the one that answers, in an engine by its URL."""
    place = next_place(folder)
    place.mkdir()
    note_engine(place, engine)
    facts = planes.open_facts(engine, place)
    facts.create({column: PROMOTED_TYPES[kind] for column, kind in rules.promoted.items()})
    values = {"rules": msgspec.json.encode(rules).decode(), "version": str(VERSION)}
    with facts.transaction() as writer:
        writer.insert("meta", pa.table({"key": list(values), "value": list(values.values())}))
    return Generation(place, facts, SeenIds(place / "ids"))


def compacted(folder: Path, generation: Generation) -> Generation:
    """Return a generation of the same facts and ids, in files that hold nothing deleted.

    Raises:
        DiskFull: There is no room for a second one.
    """
    generation.seen.flush(merging=False)
    # A run that is being merged would be neither here nor there.
    generation.seen.close()
    generation.facts.checkpoint()
    place = next_place(folder)
    place.mkdir()
    try:
        note_engine(place, generation.engine)
        generation.facts.copy_to(place)
        # Runs of ids hold hashes and never change: both generations have the same files.
        ids = generation.folder / "ids"
        shutil.copytree(ids, place / "ids", copy_function=_linked)
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        message = f"The facts cannot be written anew: {error.strerror or error}."
        raise DiskFull(message, "Make room on the disk.") from error
    return open_at(place)


def _linked(source: str, place: str) -> None:
    if source.endswith(".json"):
        shutil.copy2(source, place)
    else:
        os.link(source, place)


def put_in_force(folder: Path, generation: Generation) -> None:
    """Let a generation answer from now on: one rename."""
    aside = folder / "current.next"
    aside.unlink(missing_ok=True)
    aside.symlink_to(generation.folder.name)
    aside.replace(folder / _CURRENT)


def drop(generation: Generation) -> None:
    """Remove the files of a generation that answers no more, and its tables elsewhere."""
    generation.facts.drop()
    shutil.rmtree(generation.folder, ignore_errors=True)


def _meta(facts: Facts) -> dict[str, str]:
    rows = facts.ask(facts.tables()["meta"]).to_pylist()
    found = {row["key"]: row["value"] for row in rows}
    if not {"rules", "version"} <= set(found):
        raise MachineFailed("The facts do not say how they were built.", "Run `onefold rebuild`.")
    return found


def _progress(facts: Facts) -> tuple[int, int | None]:
    rows = facts.ask(facts.tables()["progress"])
    if not rows.num_rows:
        return 0, None
    times = rows.column("received_time").cast(pa.int64())
    return int(rows.column("log_offset")[0].as_py()), int(times[0].as_py())


def _is_marked(facts: Facts) -> bool:
    tables = facts.tables()
    events = tables["events"]
    marked = (tables["marked"], events.filter(events.traffic.notnull()))
    return any(facts.ask(table.select("traffic").limit(1)).num_rows for table in marked)


def _is_sampled(facts: Facts) -> bool:
    events = facts.tables()["events"]
    sampled = events.filter(events.sample_rate.notnull()).select("sample_rate")
    return bool(facts.ask(sampled.limit(1)).num_rows)


def _remember_tail(facts: Facts, seen: SeenIds) -> None:
    """Read ids again that were committed after the last run was written."""
    events, reached = facts.tables()["events"], seen.offset
    for table in (events, facts.tables()["erased"]):
        tail = facts.ask(
            table.filter(table.log_offset > reached).select(
                "message_hi", "message_lo", "log_offset", "place"
            )
        )
        hi, lo, offset, place = (column.to_numpy() for column in tail.columns)
        seen.add(hi, lo, offset, place.astype("int64"))
