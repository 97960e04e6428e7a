"""A person erased from every plane: decided in the state, told to the log, brought to its end.

What is decided is one transaction: the request, what keeps the person away from now on, the audit
entry and the entry for the log. Whatever is left after a crash is done by whoever opens the
workspace next: each step may be repeated.
"""

import shutil
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from onefold.collect import catalogues
from onefold.model.errors import Conflict
from onefold.model.records import OWNER, Answer, Asker, Column, Progress
from onefold.model.time import SECOND, format_time
from onefold.model.words import plural
from onefold.runtime import people_requests as requests
from onefold.runtime.known_by import KnownBy, known_by
from onefold.runtime.masking import DONE, masked
from onefold.runtime.publishing import FOLDER as FACTS_EXPORT
from onefold.runtime.publishing import renew
from onefold.runtime.rights import STATES
from onefold.runtime.sealed_copies import let_go
from onefold.runtime.told_by_others import told_by_others
from onefold.runtime.workspace import Workspace
from onefold.store import tables

EXPORTS = "exports"
"""Folder of a workspace in which exports of persons stand."""

_one_at_a_time = threading.Lock()
"""An entry names the one before it, so two of them must not be made at once."""
_ending = threading.Lock()
"""Whoever erases ends it, and so does the house in a quiet moment: one of them at a time."""
_OURS = ("log.sqlite", "state.sqlite", "vault.sqlite")
_FOLDERS = ("facts", "run", EXPORTS, FACTS_EXPORT)
MASKED = "events of others masked"
_SHORTEST = 5
_LONG_SECONDS = 5.0
_LARGEST = 200_000_000
_MANIFEST = "manifest.json"


def erase(
    workspace: Workspace, asker: Asker, text: str, progress: Progress | None = None
) -> Answer:
    """Erase a person, and return what went and what stays.

    Args:
        workspace: From which.
        asker: Who decides.
        text: Whom: an identifier, `kind:value` or bare, or `person:NUMBER`.
        progress: Told how far it is.

    Returns:
        One row a plane: what was there of the person and is gone.

    Raises:
        NotFound: It stands for nobody.
        Conflict: An export of the whole workspace stands in its folder and holds the person.
        DiskFull: There is no room; it goes on by itself once there is.
    """
    workspace.catch_up(progress)
    _refuse_exports(workspace.folder)
    with _one_at_a_time:
        found = known_by(workspace, text)
        counts = _counts(workspace, found)
        words, ids = _words(workspace, found), _ids(workspace, found)
        request = requests.noted(
            workspace.state, asker, requests.ERASE, found.person_id, now=workspace.clock()
        )
        _decide(workspace, asker, found, request)
    _tell(progress, "Erasing", 1)
    workspace.relay()
    workspace.catch_up(progress)
    _tell(progress, "Erasing", 2)
    began = time.monotonic()
    ended = finish(workspace, asker, counts)
    if not ended:
        # Rows of others are masked by now, and the facts are built anew from them.
        workspace.catch_up(progress)
        ended = finish(workspace, asker, counts)
    answer = _answer(workspace, request, found, counts, words=words, ended=ended)
    notes = [*answer.notes, *_slow(time.monotonic() - began, anew=MASKED in counts)]
    # What is too short or too common to be told from a word stays, and nobody is told otherwise.
    told = list(_of_others(workspace, ids))
    said = "What there was of the person and is gone; properties of others still name them."
    definition = said if told else answer.definition
    return replace(answer, notes=(*notes, *told), definition=definition)


def _of_others(workspace: Workspace, ids: Collection[str]) -> Iterator[str]:
    """Yield where properties of others still hold an identifier of who was erased."""
    events, fields = told_by_others(workspace.folds.generation.facts, ids)
    if events:
        named = ", ".join(f"`{one}`" for one in fields)
        yield (
            f"Properties of others still hold a word that is an identifier of theirs: {named} of "
            f"{plural(events, 'event')}. It may mean something else there, so it was left. "
            "Describe the property with `pii`, and the facts hold it no more."
        )
    kept = workspace.vault.fields_with(ids)
    if kept:
        named = ", ".join(f"`{one}` of {many:,}" for one, many in sorted(kept.items()))
        yield (
            "Personal properties of others still hold a word that is an identifier of theirs, in "
            f"the log and the vault: {named}. They go when those people do."
        )


def _slow(seconds: float, *, anew: bool) -> Iterator[str]:
    """Yield what stood in the way of a quick end, if anything did."""
    if seconds > _LONG_SECONDS and anew:
        yield (
            f"Masking them in events of others took {seconds:.0f} s of it: the whole log is gone "
            "through, and the facts are built anew from it."
        )
    elif seconds > _LONG_SECONDS:
        yield (
            f"Writing the facts to a new file took {seconds:.0f} s of it: the engine keeps deleted "
            "values in a file until then. Nothing could be asked of the person any more meanwhile."
        )


def _decide(workspace: Workspace, asker: Asker, found: KnownBy, request: requests.Request) -> None:
    """Take the decision: from here on it is carried out, whatever dies."""
    former = workspace.log.latest("control", catalogues.ERASE)
    entry = {
        "keys": sorted(found.keys),
        "named": sorted(found.named),
        "links": _shared_links(workspace, found.keys),
        "before": former.offset if former else 0,
        "request": request.id,
    }
    now = workspace.clock()
    detail = {"request": request.id, "keys": len(found.keys)}
    with workspace.state.change(
        asker, "person.erase", request.subject, detail=detail, entry=(catalogues.ERASE, entry)
    ) as change:
        known = tables.suppressions.c.key
        change.execute(tables.suppressions.delete().where(known.in_(found.keys)))
        rows = [{"key": k, "request": request.id, "since_time": now} for k in sorted(found.keys)]
        change.execute(tables.suppressions.insert().values(rows))
        mine = tables.requests.c.id == request.id
        change.execute(tables.requests.update().where(mine).values(begun_time=now))
        for room in STATES:
            room.forget(found.keys, change)


def _shared_links(workspace: Workspace, keys: Collection[int]) -> list[catalogues.Link]:
    """Return the links to identifiers of others."""
    with workspace.folds.generation.facts.transaction() as writer:
        rows = workspace.folds.told(keys, writer).get("edges", [])
    return [
        {name: _plain(value) for name, value in row.items() if name != "confidence"}
        for row in rows
        if (row["from_key"] in keys) != (row["to_key"] in keys)
    ]


def _plain(value: object) -> object:
    if not isinstance(value, datetime):
        return value
    return round(value.replace(tzinfo=UTC).timestamp() * SECOND)


def finish(
    workspace: Workspace, asker: Asker = OWNER, counts: dict[str, int] | None = None
) -> bool:
    """Bring erasures that were begun to their end; return whether none is left.

    Raises:
        DiskFull: There is no room for the facts anew.
    """
    with _ending:
        waiting = {one.id: one for one in requests.unfinished(workspace.state)}
        return not waiting or _finish(workspace, asker, waiting, counts or {})


def _finish(
    workspace: Workspace,
    asker: Asker,
    waiting: dict[str, requests.Request],
    counts: dict[str, int],
) -> bool:
    told = _told(workspace, set(waiting))
    if set(told) < set(waiting) or workspace.folds.stale:
        return False
    if not masked(workspace, asker, told, waiting):
        return False
    for entry in told.values():
        workspace.vault.forget({*entry.keys, *entry.named})
    if events := sum(one.detail.get(DONE, 0) for one in waiting.values()):
        counts[MASKED] = events
    if copies := let_go(workspace):
        counts["sealed copies"] = copies
    workspace.state.scour()
    for one in waiting.values():
        shutil.rmtree(workspace.folder / EXPORTS / _folder_of(one.subject), ignore_errors=True)
    if not workspace.compact():
        return False
    renew(workspace)
    for one in waiting.values():
        requests.end(workspace.state, asker, one, counts)
    return True


def _told(workspace: Workspace, wanted: Collection[str]) -> dict[str, catalogues.Entry]:
    """Return the entries of requests that facts and log have let go of."""
    found = {}
    for one in workspace.folds.generation.rules.erasures:
        row = workspace.log.row(one.offset)
        entry = catalogues.entry_in(row.body) if row else None
        if entry is not None and entry.request in wanted:
            found[entry.request] = entry
    return found


def _folder_of(subject: str) -> str:
    return subject.replace(":", "-")


def _refuse_exports(folder: Path) -> None:
    for path in folder.glob(f"*/{_MANIFEST}"):
        raise Conflict(
            f"{path.parent.name} in the workspace is an export of it, which holds the person.",
            "Move it out of the workspace or remove it; an export made later does not hold them.",
        )


def _counts(workspace: Workspace, found: KnownBy) -> dict[str, int]:
    """Return what there is of a person: plane -> rows."""
    with workspace.folds.generation.facts.transaction() as writer:
        told = workspace.folds.told(found.keys, writer)
    events = [row for row in told.get("events", ()) if row["identifier"] in found.keys]
    vault = workspace.vault
    return {
        "events": len(events),
        "rows of facts": sum(map(len, told.values())) - len(events),
        "identifiers": len(found.keys),
        "words in the vault": len(vault.names(found.keys | found.named))
        + len(vault.fields(found.keys)),
    }


def _words(workspace: Workspace, found: KnownBy) -> set[bytes]:
    """Return what somebody was called, to look for in files of others."""
    vault = workspace.vault
    said = {name.value for name in vault.names(found.keys | found.named).values()}
    said |= {told.value for told in vault.fields(found.keys)}
    return {one.encode().lower() for one in said if len(one.encode()) >= _SHORTEST}


def _ids(workspace: Workspace, found: KnownBy) -> set[str]:
    """Return what somebody was known by, to look for in properties of others."""
    said = {name.value for name in workspace.vault.names(found.keys).values()}
    return {one for one in said if len(one) >= _SHORTEST}


def _still_holding(folder: Path, words: Collection[bytes]) -> Iterator[Path]:
    """Yield files beside the planes that hold a word of somebody who is erased."""
    for path in sorted(folder.rglob("*")):
        within = path.relative_to(folder)
        if within.parts[0] in _FOLDERS or within.name.startswith(_OURS) or not path.is_file():
            continue
        if path.stat().st_size <= _LARGEST:
            body = path.read_bytes().lower()
            if any(word in body for word in words):
                yield within


def _answer(
    workspace: Workspace,
    request: requests.Request,
    found: KnownBy,
    counts: dict[str, int],
    *,
    words: Collection[bytes],
    ended: bool,
) -> Answer:
    notes = [f"Request {request.id}. The person does not return: what comes is kept as nobody's."]
    notes.append("Closed figures stay as they were told; what is counted anew counts without them.")
    if not ended:
        notes.append("The facts are being built anew; their files are cleaned when that is done.")
    if found.shared:
        notes.append("An e-mail address or a number that others have too may come with theirs.")
    if workspace.log.file is None:
        notes.append(_kept_in_topic(workspace))
    held = [str(path) for path in _still_holding(workspace.folder, words)]
    if held:
        notes.append(f"Files of your own still hold them: {', '.join(held)}. Mend or remove them.")
    return Answer(
        columns=(Column("what", "text"), Column("erased", "integer")),
        rows=tuple(counts.items()),
        definition="What there was of the person, and is in no file of the workspace any more.",
        notes=tuple(notes),
        as_of_time=workspace.fresh_time,
    )


def _kept_in_topic(workspace: Workspace) -> str:
    kept = workspace.log.kept_seconds()
    if kept is None:
        return (
            "The log is a topic that keeps all for good: what it holds of them is read no more, "
            "but stands there until you set its retention."
        )
    until = format_time(workspace.clock() + round(kept * SECOND))
    return f"The log is a topic: what it holds of them is read no more, and is dropped by {until}."


def _tell(progress: Progress | None, what: str, step: int) -> None:
    if progress is not None:
        progress(what, step, 3)
