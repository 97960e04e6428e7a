"""What a docstring shows is what happens."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import onefold

HOUSE = Path(onefold.__file__).parent


def shown() -> list[str]:
    """Return the modules that show an example."""
    return [
        ".".join(["onefold", *path.relative_to(HOUSE).with_suffix("").parts])
        for path in sorted(HOUSE.rglob("*.py"))
        if ">>> " in path.read_text()
    ]


@pytest.mark.parametrize("module", shown())
def test_examples_in_docstrings_hold(module):
    result = doctest.testmod(
        import_module(module),
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert result.attempted > 0
    assert result.failed == 0
