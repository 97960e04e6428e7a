"""Imports that come by themselves, one at a time, while the house runs."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from onefold.collect import imports
from onefold.model.errors import Conflict, OnefoldError
from onefold.model.records import Asker, Progress
from onefold.runtime.threads import Loop
from onefold.runtime.workspace import Workspace

SCHEDULE = Asker(name="schedule", role="owner")
"""Who brings in what comes by itself, as the trail names it."""

_LOOK_SECONDS = 5.0
_log = logging.getLogger("onefold.house")

Bring = Callable[[str, Progress], str]
"""Brings in the mapping file of a path below the workspace, and returns the run."""


class Stopped(Exception):
    """The house ends; what goes on is broken off, and comes again with the next one."""


@contextmanager
def alone(workspace: Workspace, name: str, *, what: str = "import") -> Iterator[None]:
    """Let an import of a name be the only one of it meanwhile; or something else.

    Raises:
        Conflict: One of it goes on.
    """
    with workspace.imports_lock:
        if name in workspace.imports_under_way:
            message = f"The {what} `{name}` goes on already."
            raise Conflict(message, "Wait until it is done, then try again.")
        workspace.imports_under_way.add(name)
    try:
        yield
    finally:
        with workspace.imports_lock:
            workspace.imports_under_way.discard(name)


def scheduled(workspace: Workspace) -> tuple[imports.Scheduled, ...]:
    """Return the imports that come by themselves, the next one first."""
    return imports.scheduled(
        workspace.folder,
        workspace.state,
        zone=workspace.settings.zone,
        now=workspace.clock(),
        under_way=frozenset(workspace.imports_under_way),
    )


def nobody_hears(_what: str, _done: int, _total: int | None) -> None:
    """Hear of progress, and tell nobody."""


def bring_next(
    workspace: Workspace, bring: Bring, progress: Progress = nobody_hears
) -> imports.Scheduled | None:
    """Bring in the import that is due first; return it, or None where none is.

    Raises:
        Stopped: The listener to progress said so; the try stands as broken off.
    """
    found = scheduled(workspace)
    # Told after looking: what was due then is due now.
    now = workspace.clock()
    for one in found:
        if one.next_time is None or one.next_time > now or one.name in workspace.imports_under_way:
            continue
        started = imports.begin(workspace.state, one.name, now)
        run, reason = "", ""
        try:
            run = bring(one.file, progress)
        except OnefoldError as error:
            reason = f"{error.message} {error.fix}".strip()
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - one that fails costs the others nothing
            # The text of an exception may quote a value of somebody: its kind alone is told.
            reason = f"It broke off: {type(error).__name__}."
            _log.exception("The import %s broke off.", one.name)
        imports.end(workspace.state, started, workspace.clock(), run=run, reason=reason)
        if reason:
            _log.warning("The import %s failed; it comes again.", one.name)
        return one
    return None


class ScheduleLoop(Loop):
    """Looks every few seconds what is due; its end breaks an import under way off."""

    def __init__(self, workspace: Workspace, bring: Bring) -> None:
        super().__init__("schedules")
        self._workspace = workspace
        self._bring = bring

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if bring_next(self._workspace, self._bring, self._heard) is not None:
                    continue
            except Stopped:
                return
            except OnefoldError as error:
                # The state is held or full: what is due stays due.
                _log.warning("No import could be looked for: %s", error.message)
            self._stop.wait(_LOOK_SECONDS)

    def _heard(self, _what: str, _done: int, _total: int | None) -> None:
        if self._stop.is_set():
            raise Stopped
