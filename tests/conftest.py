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
TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the folder it stands in."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in FOLDERS:
            item.add_marker(folder)
