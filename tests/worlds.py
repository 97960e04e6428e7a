"""A throwaway workspace that tests send to, fold and ask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from onefold.collect import make_catalogue, receive
from onefold.model.records import OWNER, Question
from onefold.runtime import Workspace, checksum, create_workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from onefold.collect.records import Receipt
    from onefold.store import View

IDENTITY_KEY = "0f" * 32
START = 1_760_000_000_000_000
"""A Thursday in October 2025, microseconds."""
SECOND = 1_000_000
AGREED = {"consent": {"categoryPreferences": {"analytics": True}}}


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class World:
    """A workspace in a folder, with one source whose basis can be chosen."""

    def __init__(
        self,
        folder: Path,
        *,
        basis: str = "notice",
        definitions: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.folder = folder
        self.made = create_workspace(
            folder, basis=basis, identity_key=IDENTITY_KEY, clock=self.clock
        )
        for name, text in (definitions or {}).items():
            (folder / "definitions" / name).write_text(text)
        self.open()

    def open(self) -> None:
        """Open the workspace (again)."""
        from onefold.collect import sources

        self.workspace = Workspace(self.folder, self.clock)
        self.workspace.apply_definitions()
        self.source = sources.list_sources(self.workspace.state)[0]
        self.catalogue = make_catalogue(
            (path.name, path.read_text())
            for path in sorted((self.folder / "definitions" / "events").glob("*.yaml"))
        )

    def close(self) -> None:
        self.workspace.close()

    def send(self, *events: Mapping[str, Any], received: int | None = None) -> Receipt:
        """Send one batch through intake into the log."""
        body = json.dumps({"batch": events}).encode()
        receipt = receive(
            self.source,
            dialect="segment",
            route="batch",
            body=body,
            received_time=self.clock() if received is None else received,
            catalogue=self.catalogue,
            gate=self.workspace.gate(),
        )
        if receipt.rows:
            self.workspace.log.append(receipt.rows)
        return receipt

    def fold(self) -> None:
        self.workspace.catch_up()

    def sums(self) -> dict[str, tuple[int, str]]:
        """Fold, then return table -> rows and hash."""
        self.fold()
        return {table: (rows, hashed) for table, rows, hashed in checksum(self.workspace).rows}

    def view(self, **terms: Any) -> View:
        self.fold()
        return self.workspace.view(Question(OWNER, **terms))

    def rows(self, table: Any) -> list[dict[str, Any]]:
        return self.workspace.folds.generation.facts.ask(table).to_pylist()

    def raw(self, name: str) -> list[dict[str, Any]]:
        """Return all rows of a facts table."""
        facts = self.workspace.folds.generation.facts
        return facts.ask(facts.tables()[name]).to_pylist()


def track(
    event: str,
    *,
    id: str,  # noqa: A002 - as short as the calls should read
    at: float = 0,
    user: str | None = None,
    anonymous: str | None = None,
    agreed: bool = True,
    **properties: Any,
) -> dict[str, Any]:
    """Return a track call `at` seconds after the start of the world."""
    call: dict[str, Any] = {
        "type": "track",
        "event": event,
        "messageId": id,
        "userId": user,
        "anonymousId": anonymous,
        "timestamp": iso(at),
        "properties": properties,
    }
    return call | ({"context": AGREED} if agreed else {})


def iso(at: float) -> str:
    """Return the ISO time of so many seconds after the start of the world."""
    from onefold.model.time import format_time

    return format_time(START + round(at * SECOND))


def permuted(batches: Sequence[Any], order: Sequence[int]) -> list[Any]:
    """Return batches in another order."""
    return [batches[i] for i in order]
