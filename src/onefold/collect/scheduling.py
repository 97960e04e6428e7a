"""Imports that come by themselves: which, when next, and how the last one went.

A mapping file in the workspace's folder `imports` that says `every` is one. Each try stands in the
state, so that a restart forgets none; one that was broken off by it comes again at once.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from onefold.collect import store
from onefold.collect.mapping import read_mapping
from onefold.collect.records import Try
from onefold.collect.schedule import Every
from onefold.model.errors import BadInput, NotFound, OnefoldError
from onefold.model.records import Answer, Column
from onefold.model.time import HOUR, MINUTE

if TYPE_CHECKING:
    from onefold.store import State

FOLDER = "imports"
"""Where mapping files of imports that come by themselves stand, in the workspace."""
NEVER, UNDER_WAY, DONE, FAILED, BROKEN_OFF = (
    "not yet",
    "under way",
    "done",
    "failed",
    "broken off",
)
_FIRST_WAIT, _LONGEST_WAIT = MINUTE, HOUR


@dataclass(frozen=True, slots=True)
class Scheduled:
    """An import that comes by itself.

    Attributes:
        name: The import's; the file's where that cannot be read.
        file: Its mapping file, below the workspace.
        every: As written; empty where it cannot be read.
        last_time: When the last try began, microseconds; None before the first.
        state: `not yet`, `under way`, `done`, `failed` or `broken off`.
        reason: Why it failed, or cannot be read; may be empty.
        tries: How many failed in a row.
        next_time: When it comes next; None where its file has to be mended first.
    """

    name: str
    file: str
    every: str
    last_time: int | None
    state: str
    reason: str
    tries: int
    next_time: int | None


def scheduled(
    folder: Path, state: "State", *, zone: str, now: int, under_way: Container[str] = ()
) -> tuple[Scheduled, ...]:
    """Return the imports that come by themselves, the next one first.

    Args:
        folder: The workspace.
        state: Keeps their tries.
        zone: Of lines as cron has them.
        now: The time, microseconds.
        under_way: Names of the imports that go on right now.
    """
    place = folder / FOLDER
    files = sorted([*place.glob("*.yaml"), *place.glob("*.yml")]) if place.is_dir() else []
    last = {one.name: one for one in store.last_tries(state)} if files else {}
    found: list[Scheduled] = []
    for path in files:
        file = f"{FOLDER}/{path.name}"
        try:
            mapping = read_mapping(path)
        except (OnefoldError, OSError) as error:
            said = f"{error.message} {error.fix}" if isinstance(error, OnefoldError) else ""
            found.append(Scheduled(path.stem, file, "", None, FAILED, said or str(error), 0, None))
            continue
        if mapping.every is None:
            continue
        if any(one.name == mapping.name for one in found):
            said = (
                f"Another mapping is called `{mapping.name}`. Give this one an `import` of its own."
            )
            found.append(
                Scheduled(path.stem, file, mapping.every.text, None, FAILED, said, 0, None)
            )
            continue
        since = int(path.stat().st_mtime * 1_000_000)
        found.append(
            _told(
                mapping.every,
                (mapping.name, file),
                last.get(mapping.name),
                since=min(since, now),
                zone=zone,
                going=mapping.name in under_way,
                now=now,
            )
        )
    return tuple(
        sorted(found, key=lambda one: (one.next_time is None, one.next_time or 0, one.name))
    )


def _told(
    every: Every,
    names: tuple[str, str],
    last: Try | None,
    *,
    since: int,
    zone: str,
    going: bool,
    now: int,
) -> Scheduled:
    name, file = names
    if last is None:
        due = now if every.interval else every.after(since, zone)
        return Scheduled(name, file, every.text, None, NEVER, "", 0, due)
    tries, reason = int(last.detail.get("tries", 0)), str(last.detail.get("reason", ""))
    due = every.after(last.started_time, zone)
    state = last.outcome or (UNDER_WAY if going else BROKEN_OFF)
    if state == FAILED:
        due = min(due, (last.ended_time or now) + wait_after(tries))
    elif state == BROKEN_OFF:
        due, reason = now, "Its process ended before it was done."
    return Scheduled(name, file, every.text, last.started_time, state, reason, tries, due)


def wait_after(tries: int) -> int:
    """Return how long to wait after so many failures in a row, microseconds.

    >>> [wait_after(tries) // MINUTE for tries in (1, 2, 3, 9)]
    [1, 2, 4, 60]
    """
    return min(_FIRST_WAIT << min(max(tries - 1, 0), 10), _LONGEST_WAIT)


def begin(state: "State", name: str, now: int) -> Try:
    """Note that a scheduled import begins; return its try."""
    former = next((one for one in store.last_tries(state) if one.name == name), None)
    tries = int(former.detail.get("tries", 0)) if former else 0
    return store.begin_try(state, name, now, {"tries": tries})


def end(state: "State", started: Try, now: int, *, run: str = "", reason: str = "") -> None:
    """Note how a try ended: with a run, or for a reason."""
    tries = int(started.detail.get("tries", 0)) + 1 if reason else 0
    detail = {"tries": tries} | ({"reason": reason} if reason else {"run": run})
    store.end_try(state, started, now, FAILED if reason else DONE, detail)


def name_of(mapping: Path) -> str:
    """Return what an import is called; the file's name where that cannot be told."""
    try:
        return read_mapping(mapping).name
    except (BadInput, NotFound):
        return mapping.stem


def listed(found: Sequence[Scheduled], now: int) -> Answer:
    """Return the imports that come by themselves as an answer."""
    return Answer(
        columns=(
            Column("import", "text"),
            Column("file", "text"),
            Column("every", "text"),
            Column("state", "text"),
            Column("last_time", "time"),
            Column("next_time", "time"),
            Column("tries", "integer"),
            Column("reason", "text"),
        ),
        rows=tuple(
            (
                one.name,
                one.file,
                one.every,
                one.state,
                one.last_time,
                one.next_time,
                one.tries,
                one.reason,
            )
            for one in found
        ),
        definition=f"Mapping files in `{FOLDER}` that say `every`, the next one first. The running "
        "server brings them in; one that failed comes again after 1, 2, 4 minutes and so on, up to "
        "an hour.",
        notes=() if found else (f"No mapping in `{FOLDER}` says `every`.",),
        as_of_time=now,
    )
