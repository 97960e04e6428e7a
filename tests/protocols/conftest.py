"""A real server for the real SDKs to send to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from serving import Server, Workspace


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return what serves a new workspace of the basis that is asked for."""
    with ExitStack() as stack:

        def serve(*, basis: str = "contract") -> Server:
            workspace = Workspace.make(tmp_path / f"of-{basis}", basis=basis)
            return stack.enter_context(Server(workspace))

        yield serve
