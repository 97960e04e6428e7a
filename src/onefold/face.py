"""Onefold from Python: make or open a workspace in this process, send to it, ask it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from onefold.collect import receive, sources
from onefold.found import Questions, plain
from onefold.model.errors import Conflict, NotFound
from onefold.model.time import Clock, now
from onefold.runtime import (
    CALLS,
    Workspace,
    asker_named,
    call,
    create_workspace,
    open_workspace,
)

SOURCE = "app"
"""The first source of every workspace."""


class Onefold(Questions):
    """A workspace that this process holds. Use it in a `with` block, or close it.

    Attributes:
        workspace: Its planes, for what has no name here.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def send(self, events: Iterable[Mapping[str, Any]], *, source: str = SOURCE) -> dict[str, Any]:
        """Send events in Segment's form as one batch; return what intake says to them.

        Durable and folded when it returns, so that the next question sees them.

        Args:
            events: Each with `type`, an id, and a `timestamp` (ISO 8601) if it is not of now.
            source: As whose events they come; its basis decides what is kept.

        Raises:
            NotFound: There is no such source.
        """
        known = {each.name: each for each in sources.list_sources(self.workspace.state)}
        if source not in known:
            raise NotFound(f"No source `{source}`.", f"Use one of: {', '.join(known)}.")
        receipt = receive(
            known[source],
            dialect="segment",
            route="batch",
            body=msgspec.json.encode({"batch": list(events)}),
            received_time=self.workspace.clock(),
            catalogue=self.workspace.catalogue(),
            gate=self.workspace.gate(),
            sampling_key=sources.sampling_key(self.workspace.state),
        )
        if receipt.rows:
            self.workspace.log.append(receipt.rows)
            self.workspace.catch_up()
        waiting = [(one.message_id, one.reason) for one in receipt.quarantined]
        refused = [(one.message_id, one.reason) for one in receipt.refused]
        return {"accepted": receipt.accepted, "quarantined": waiting, "refused": refused}

    def ask(self, name: str, /, *, as_user: str | None = None, **params: Any) -> dict[str, Any]:
        """Return what a call answers, as the API does.

        Args:
            name: One of `calls()`, such as `experiment show`.
            as_user: Under whose role and policies; the owner's when left out.
            params: What the call takes; a Python keyword gets a trailing `_`, as in `from_`.

        Raises:
            NotFound: There is no such call, or nothing of the name asked for.
            NotAllowed: The user may not.
            BadInput: A parameter cannot be used.
        """
        return call(self.workspace, asker_named(self.workspace, as_user), name, plain(params)).body

    def close(self) -> None:
        """Let go of the workspace's files."""
        self.workspace.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def create(
    folder: str | Path, *, basis: str = "opt-in", exist_ok: bool = False, clock: Clock = now
) -> Onefold:
    """Make a workspace in a new folder and return it open.

    Args:
        folder: New or empty.
        basis: What may be kept of an event without consent: `opt-in`, `notice`, `contract`.
        exist_ok: Open the workspace that stands there already, as it is, rather than refuse.
        clock: Tells the time, microseconds UTC.

    Raises:
        Conflict: Something stands there already.
    """
    try:
        create_workspace(Path(folder), basis=basis, clock=clock)
    except Conflict:
        if not exist_ok:
            raise
    return Onefold(open_workspace(Path(folder), clock))


def open_folder(folder: str | Path, *, clock: Clock = now) -> Onefold:
    """Return the workspace of a folder, open and folded to the end of its log.

    Raises:
        NotFound: The folder is no workspace.
        MachineFailed: Another process holds it; ask that one with `connect`.
    """
    return Onefold(open_workspace(Path(folder), clock))


def calls() -> dict[str, str]:
    """Return every call that `ask` knows, with what it answers."""
    return {name: one.summary for name, one in CALLS.items()}
