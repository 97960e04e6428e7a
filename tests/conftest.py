"""What pytest itself needs; the worlds that tests share stand in `worlds.py`."""

from pathlib import Path

import pytest

FOLDERS = frozenset(
    {
        "unit",
        "properties",
        "protocols",
        "faults",
        "browser",
        "docs",
        "architecture",
        "golden",
    }
)
SERVERS = frozenset({"broker", "kafka", "postgresql", "server"})
"""Fixtures and parameters by which a test starts a server that is no part of Onefold."""
TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the folder it stands in, and as long if it starts another's server."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in FOLDERS:
            item.add_marker(folder)
        call = getattr(item, "callspec", None)
        chosen = map(str, call.params.values()) if call else ()
        if not SERVERS.isdisjoint((*item.fixturenames, *chosen)):
            item.add_marker("long")
