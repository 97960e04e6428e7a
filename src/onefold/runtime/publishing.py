"""The facts written out as Parquet for other engines: every few minutes, and at once where it must.

At once: somebody withdrew consent, or the facts are of another build (an erasure, a retention, a
rebuild). An erasure removes every version first, so that no file holds whom it erased.
"""

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from onefold.consent import proofs
from onefold.model.errors import OnefoldError
from onefold.model.time import MINUTE, SECOND, format_time
from onefold.runtime.settings import ONLY_READS
from onefold.runtime.threads import Loop
from onefold.store import planes

if TYPE_CHECKING:
    from onefold.runtime.workspace import Workspace

FOLDER = "facts_export"
"""Where the export stands in a workspace, unless its settings say otherwise."""

_LOOK_SECONDS = 1.0
_RETRY_SECONDS = 30.0
_LEAST_SECONDS = 10.0
"""From one export to the next at the least, however often consent is withdrawn."""
_log = logging.getLogger("onefold.house")
_writing = threading.RLock()
"""One export at a time: an erasure waits for the one under way, and then removes it."""
_trouble: "WeakKeyDictionary[Workspace, str]" = WeakKeyDictionary()


def place_of(workspace: "Workspace") -> Path:
    """Return the folder of a workspace's export."""
    return workspace.settings.export_folder or workspace.folder / FOLDER


def publish(workspace: "Workspace") -> planes.Manifest:
    """Write the facts out as they stand, and return what the export holds.

    Raises:
        DiskFull: There is no room; the version before stays current.
        MachineFailed: The folder cannot be written.
    """
    with _writing:
        try:
            generation = workspace.folds.generation
            made = planes.write_export(
                generation.facts,
                place_of(workspace),
                facts_version=generation.version,
                generation=generation.folder.name,
                now=workspace.clock(),
            )
        except OnefoldError as error:
            _trouble[workspace] = error.message
            raise
        _trouble.pop(workspace, None)
        return made


def renew(workspace: "Workspace") -> None:
    """Remove the export with whom it held, and write it anew where there is room.

    Raises:
        MachineFailed: A file of it cannot be removed.
    """
    with _writing:
        place = place_of(workspace)
        if not (place.exists() or workspace.settings.exports_every):
            return
        planes.take_down(place)
        try:
            publish(workspace)
        except OnefoldError as error:
            # Nobody is in any file any more; the loop tries again.
            _log.warning("The facts could not be exported: %s", error.message)


def is_due(workspace: "Workspace") -> bool:
    """Return whether an export has to be written now.

    Raises:
        MachineFailed: The one there is cannot be read.
    """
    minutes = workspace.settings.exports_every
    if not minutes:
        return False
    found = planes.read_manifest(place_of(workspace))
    if found is None or found.generation != workspace.folds.generation.folder.name:
        return True
    age = workspace.clock() - found.made_time
    if found.offset >= workspace.facts_offset:
        return False
    withdrawn = proofs.noted(workspace.state) > found.offset and age >= _LEAST_SECONDS * SECOND
    return withdrawn or age >= minutes * MINUTE


def told_of(workspace: "Workspace") -> list[tuple[str, object, str]]:
    """Return what status tells of an export: its time, its age, how far it is, what is wrong."""
    trouble = _trouble.get(workspace, "")
    try:
        found = planes.read_manifest(place_of(workspace))
    except OnefoldError as error:
        found, trouble = None, error.message
    rows: list[tuple[str, object, str]] = []
    if found is not None:
        age = max(0, workspace.clock() - found.made_time) / SECOND
        rows += [
            ("facts exported", format_time(found.made_time), "time"),
            ("seconds since that export", round(age, 1), "seconds"),
            ("offset of that export", found.offset, "rows"),
        ]
    if rows or trouble or workspace.settings.exports_every:
        rows.append(("export of the facts stands still", trouble or False, ""))
    return rows


class Reader:
    """Answers from what is written out, where the settings name an engine that only reads."""

    def __init__(self, url: str) -> None:
        """Take where the settings say that facts are asked."""
        self._url = url if url.startswith(ONLY_READS) else ""
        self._lock = threading.Lock()
        self._asked: planes.SparkFacts | None = None

    @property
    def on(self) -> bool:
        """Whether questions go to such an engine."""
        return bool(self._url)

    def facts(self, workspace: "Workspace") -> "planes.SparkFacts":
        """Return what answers from the current version; the first is written when it is wanted.

        Raises:
            BadInput: There is no such engine, or its extra is not installed.
            DiskFull: There is no room for the first version.
        """
        place = place_of(workspace)
        with self._lock:
            version = planes.read_manifest(place)
            if version is None or version.generation != workspace.folds.generation.folder.name:
                version = publish(workspace)
            if self._asked is None or self._asked.version != version:
                self._asked = planes.SparkFacts(self._url, place, version)
            return self._asked


class PublishLoop(Loop):
    """Writes the facts out where the settings say so, in a thread of its own."""

    def __init__(self, workspace: "Workspace") -> None:
        super().__init__("publishing")
        self._workspace = workspace

    def _run(self) -> None:
        wait, said = _LOOK_SECONDS, ""
        while not self._stop.wait(wait):
            began = time.monotonic()
            try:
                # A busy state or full disk is tried again later.
                if not self._workspace.folds.stale and is_due(self._workspace):
                    publish(self._workspace)
                wait, said = _LOOK_SECONDS, ""
            except OnefoldError as error:
                wait = _RETRY_SECONDS
                if said != error.message:
                    _log.warning("The facts could not be exported: %s", error.message)
                said = error.message
            except Exception as error:  # noqa: BLE001 - it is tried again
                # The text of an exception may quote a value of somebody: its kind alone is told.
                wait = _RETRY_SECONDS
                _log.error("The facts could not be exported: %s", type(error).__name__)
            # Exports never take more than half of the time.
            wait = max(wait, time.monotonic() - began)
