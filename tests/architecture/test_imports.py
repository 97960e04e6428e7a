"""The loop is the import order, and what must be quick imports no engine."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINES = ("duckdb", "ibis", "pyarrow", "scipy", "sqlglot", "pandas")


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )


def loaded(code: str) -> list[str]:
    """Return the engines that are in memory once the code has run."""
    tail = f"\nimport sys; print(*[e for e in {ENGINES!r} if e in sys.modules])"
    answer = python(code + tail)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split("\n")[-2].split()


def test_the_contracts_of_the_house_are_kept():
    answer = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    "module", ["onefold.web.door", "onefold.collect.intake", "onefold.cli", "onefold.store"]
)
def test_imports_no_engine(module):
    assert loaded(f"import {module}") == []


def test_help_imports_no_engine():
    run = (
        "import sys; from onefold.cli import main\n"
        "sys.argv = ['onefold', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass"
    )
    assert loaded(run) == []
