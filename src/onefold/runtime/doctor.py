"""What is wrong with a workspace and how to mend it."""

import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from onefold.collect import sources, wire
from onefold.model.errors import BadInput, OnefoldError
from onefold.model.records import OWNER, Question
from onefold.model.time import DAY
from onefold.model.words import plural

if TYPE_CHECKING:
    from onefold.runtime.workspace import Workspace

WRONG = "wrong"
WATCH = "watch"
_HEADER = b"SQLite format 3\x00"
_LITTLE = 1_000_000_000
_TOO_LITTLE = 100_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend.

    Attributes:
        level: `wrong` (it does not work) or `watch` (it works, but look at it).
        what: One sentence.
        where: The file or the thing meant.
        fix: What mends it.
    """

    level: str
    what: str
    where: str
    fix: str


def diagnose(folder: Path, workspace: "Workspace | None" = None) -> tuple[Finding, ...]:
    """Return what is wrong, the worst first; nothing when all is well.

    Args:
        folder: The workspace.
        workspace: Its planes, where they could be opened; without them only files are looked at.
    """
    found = list(_files(folder))
    if workspace is not None:
        for look in (_audit, _folds, _differences, _mentions, _events, _countries):
            found += _looked(look, workspace)
    return tuple(sorted(found, key=lambda finding: finding.level != WRONG))


def _countries(workspace: "Workspace") -> Iterator[Finding]:
    database = workspace.settings.country_database
    if database is not None:
        wire.Countries(database)
        return
    for source in sources.list_sources(workspace.state):
        if source.country in {"ip", "connection"}:
            what = f"The source {source.name} reads countries from addresses, but no table tells."
            fix = "Let `country_database` below [intake] in onefold.toml name one."
            yield Finding(WATCH, what, "onefold.toml", fix)


def _looked(look: "Callable[[Workspace], Iterator[Finding]]", at: "Workspace") -> list[Finding]:
    try:
        return list(look(at))
    except OnefoldError as error:
        return [Finding(WRONG, error.message, look.__name__.strip("_"), error.fix)]


def _files(folder: Path) -> Iterator[Finding]:
    from onefold.runtime.settings import read_settings

    try:
        settings = read_settings(folder)
    except OnefoldError as error:
        yield Finding(WRONG, error.message, "onefold.toml", error.fix)
        return
    elsewhere = {"log.sqlite": settings.log, "state.sqlite": settings.state}
    yield from _databases(folder, {name for name, url in elsewhere.items() if url})
    yield from _rights(folder)
    yield from _sockets(folder)
    yield from _room(folder)
    yield from _definitions(folder)


def _databases(folder: Path, elsewhere: set[str]) -> Iterator[Finding]:
    for name in ("log.sqlite", "state.sqlite", "vault.sqlite"):
        if name in elsewhere:
            continue
        path = folder / name
        if not path.is_file():
            fix = f"Bring {name} back from a backup; nothing else holds what it held."
            yield Finding(WRONG, f"{name} is missing.", name, fix)
            continue
        try:
            with path.open("rb") as file:
                head = file.read(len(_HEADER))
        except OSError as error:
            yield Finding(WRONG, f"{name} cannot be read: {error}.", name, "Mend its rights.")
            continue
        if head not in {b"", _HEADER}:
            fix = f"Bring {name} back from a backup."
            yield Finding(WRONG, f"{name} is no SQLite file.", name, fix)
    if not (folder / "facts" / "current").exists() and (folder / "facts").exists():
        fix = "Run `onefold rebuild`: it makes them anew from the log."
        yield Finding(WRONG, "No facts are in force.", "facts/current", fix)


def _rights(folder: Path) -> Iterator[Finding]:
    for name, right in (("run", "700"), ("state.sqlite", "600"), ("vault.sqlite", "600")):
        path = folder / name
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            what = f"{name} can be opened by others than its owner."
            yield Finding(WRONG, what, name, f"Run `chmod {right} {path}`.")


def _sockets(folder: Path) -> Iterator[Finding]:
    for path in sorted((folder / "run").glob("*.sock")):
        if not answers(path):
            where = f"run/{path.name}"
            fix = "Nothing has to be done: the next server replaces it."
            yield Finding(WATCH, "A server left its socket behind.", where, fix)


def answers(path: Path) -> bool:
    """Return whether somebody listens on a unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(1.0)
        try:
            line.connect(str(path))
        except TimeoutError:
            return True
        except OSError as error:
            # A path too long for a socket address says nothing about who listens.
            return "too long" in str(error)
    return True


def _room(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    if free < _LITTLE:
        level = WRONG if free < _TOO_LITTLE else WATCH
        what = f"{free // 1_000_000:,} MB are left on the disk."
        yield Finding(level, what, str(folder), "Make room; a rebuild needs as much as the facts.")


def _definitions(folder: Path) -> Iterator[Finding]:
    from onefold.experiments import load_experiments
    from onefold.metrics import load_metrics, questions
    from onefold.runtime.definitions import entry_of

    definitions = folder / "definitions"
    readers: tuple[tuple[str, Callable[[], object]], ...] = (
        ("events", lambda: entry_of(folder)),
        ("metrics", lambda: load_metrics(definitions / "metrics")),
        ("experiments", lambda: load_experiments(definitions / "experiments")),
        ("segments", lambda: questions.segments.load_segments(definitions / "segments")),
        ("calendar.yaml", lambda: questions.calendar.load_calendar(definitions)),
    )
    for kind, reader in readers:
        try:
            reader()
        except OnefoldError as error:
            yield Finding(WRONG, error.message, f"definitions/{kind}", error.fix)


def _audit(workspace: "Workspace") -> Iterator[Finding]:
    from onefold.governance import verify
    from onefold.runtime.anchoring import anchor_of

    check = verify(workspace.state, anchor_of(workspace.log))
    if not check.whole:
        what = f"The audit trail is broken at entry {check.broken_at}: {check.why}"
        fix = "Compare state.sqlite with a backup: an entry was changed, removed or moved."
        yield Finding(WRONG, what, "state.sqlite", fix)


def _folds(workspace: "Workspace") -> Iterator[Finding]:
    behind = workspace.log.last_offset() - workspace.facts_offset
    if behind < 0:
        rows = plural(-behind, "row")
        what = f"The facts know {rows} that the log has not: the log was lost or replaced."
        yield Finding(WRONG, what, "log.sqlite", "Bring log.sqlite back from a backup.")
    if behind > 0:
        fix = "Wait a moment and look again; `onefold status` shows whether it shrinks."
        yield Finding(WATCH, f"The facts are {plural(behind, 'log row')} behind.", "facts", fix)


def _differences(workspace: "Workspace") -> Iterator[Finding]:
    from onefold.runtime.definitions import drift

    try:
        changed = drift(workspace.folder, workspace.log)
    except BadInput:
        # That a definition cannot be used is told with its line already.
        return
    if changed:
        names = ", ".join(name for name, _ in changed[:3]) + (", ..." if len(changed) > 3 else "")
        what = f"The folder's definitions differ from those in force: {names}."
        fix = "Run `onefold plan` to see how, `onefold apply` to let them hold."
        yield Finding(WATCH, what, "definitions", fix)


def _mentions(workspace: "Workspace") -> Iterator[Finding]:
    from onefold.runtime.mentions import unheard

    try:
        found = unheard(workspace)
    except BadInput:
        # That a definition cannot be used is told with its line already.
        return
    for one in found:
        yield Finding(WATCH, one.what, one.user, one.fix)


def _events(workspace: "Workspace") -> Iterator[Finding]:
    from onefold.collect import sources as kept

    sources = {source.name for source in kept.list_sources(workspace.state)}
    silent = sources - _heard(workspace)
    unknown = 0 if silent != sources else _of_nobody(workspace)
    if unknown:
        came = plural(unknown, "event has come", "events have come")
        what = f"{came} without consent, so nobody is known."
        fix = "Send `context.consent`, or choose a basis: `onefold source set NAME --basis notice`."
        yield Finding(WATCH, what, "sources", fix)
        return
    if silent == sources:
        fix = "Open the page Data, Connect your app; or run `onefold demo` to look around."
        yield Finding(WATCH, "No events have come yet.", "log.sqlite", fix)
        return
    for name in sorted(silent):
        fix = f"Check that its sender uses the write key of `{name}` and reaches this address."
        yield Finding(WATCH, f"No events of source `{name}` have come yet.", name, fix)


def _of_nobody(workspace: "Workspace") -> int:
    view = workspace.view(Question(asker=OWNER))
    return view.left_out(0, workspace.clock() + DAY)


def _heard(workspace: "Workspace") -> set[str]:
    heard: set[str] = set()
    for environment in ("production", "staging", "development"):
        view = workspace.view(Question(asker=OWNER, environment=environment))
        for table in (view.events, view.quarantine):
            heard |= set(view.ask(table.select("source").distinct()).column("source").to_pylist())
    return heard
