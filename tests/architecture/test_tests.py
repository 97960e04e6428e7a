"""The tests keep the house rules too."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
FILES = sorted(path for path in TESTS.rglob("*.py") if "node_modules" not in path.parts)
ASSERTS = re.compile(r"\b(assert|raises|warns|check\w*|expect\w*|assert\w*)\b")


def test_every_test_asserts():
    silent = [
        f"{path.relative_to(TESTS)}:{node.lineno} {node.name}"
        for path in FILES
        if path.name.startswith("test_")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ASSERTS.search(ast.unparse(node))
    ]
    assert not silent


def test_no_test_sleeps_or_is_set_aside():
    aside = re.compile(r"mark\.xfail|mark\.skip\(|\btime\.sleep\(|\basyncio\.sleep\((?!0\))")
    found = [
        str(path.relative_to(TESTS))
        for path in FILES
        if path != Path(__file__) and aside.search(path.read_text())
    ]
    assert not found
