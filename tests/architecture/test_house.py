"""The house rules that no linter knows: sizes, names, doors."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import onefold

HOUSE = Path(onefold.__file__).parent
FILES = sorted(HOUSE.rglob("*.py"))
ROOMS = sorted(path.parent for path in HOUSE.glob("*/__init__.py"))
SAYS_NOTHING = {"utils", "helpers", "common", "misc", "manager", "managers", "base"}
FOLDS = {
    "collect/consents.py",
    "collect/imported.py",
    "collect/fold.py",
    "collect/orders.py",
    "collect/rights.py",
    "collect/surroundings.py",
    "consent/fold.py",
    "identity/cohorts.py",
    "identity/decided.py",
    "identity/evidence.py",
    "identity/accounts.py",
    "identity/fold.py",
    "identity/memberships.py",
    "identity/nearby.py",
    "metrics/fold.py",
    "metrics/closing.py",
    "metrics/rollups.py",
    "metrics/sessions.py",
}
"""What writes the facts, batch by batch."""
MOST_LINES_A_FUNCTION = 70
MOST_LINES_A_FILE = 600
MOST_NAMES_A_DOOR = 12


def name(path: Path) -> str:
    """Return a path as it reads from the house's own folder."""
    return path.relative_to(HOUSE).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def test_no_function_is_longer_than_a_screen():
    long = [
        f"{name(path)}:{node.lineno} {node.name} has {length(node)} lines"
        for path in FILES
        for node in functions(path)
        if length(node) > MOST_LINES_A_FUNCTION
    ]
    assert not long


def test_most_functions_are_short():
    lengths = sorted(length(node) for path in FILES for node in functions(path))
    assert lengths[len(lengths) // 2] < 15


def test_no_file_is_too_long_to_read():
    long = [
        f"{name(path)} has {lines} lines"
        for path in FILES
        if (lines := len(path.read_text().splitlines())) > MOST_LINES_A_FILE
    ]
    assert not long


def test_every_file_is_named_for_what_it_does():
    assert not [name(path) for path in HOUSE.rglob("*") if path.stem in SAYS_NOTHING]


def test_nothing_is_left_for_later():
    left = re.compile(r"\b(TODO|FIXME|XXX)\b|NotImplementedError")
    assert not [name(path) for path in FILES if left.search(path.read_text())]


def test_no_folder_is_empty():
    kept = [path for path in HOUSE.rglob("*") if path.is_dir() and path.name != "__pycache__"]
    empty = [
        name(folder)
        for folder in kept
        if not [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    ]
    assert not empty


def test_every_room_has_a_door_that_says_what_the_room_is():
    doorless = [
        name(folder)
        for folder in HOUSE.iterdir()
        if folder.is_dir() and list(folder.glob("*.py")) and not (folder / "__init__.py").is_file()
    ]
    assert not doorless
    silent = [name(r) for r in ROOMS if not ast.get_docstring(ast.parse(door_text(r)))]
    assert not silent


def door_text(room: Path) -> str:
    return (room / "__init__.py").read_text()


def offered(room: Path) -> set[str]:
    """Return the public names a door offers: those defined, imported or fetched lazily."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(door_text(room))):
        match node:
            case ast.Call(func=ast.Name(id="door"), args=[_, ast.Dict(keys=keys)]):
                names |= {key.value for key in keys if isinstance(key, ast.Constant)}
            case ast.FunctionDef(name=own) | ast.ClassDef(name=own):
                names.add(own)
            case _:
                pass
    listed = getattr(import_module(f"onefold.{room.name}"), "__all__", ())
    return {own for own in names | set(listed) if not own.startswith("_")}


def test_a_door_offers_at_most_twelve_names():
    wide = {
        room.name: sorted(offered(room))
        for room in ROOMS
        if room.name != "model" and len(offered(room)) > MOST_NAMES_A_DOOR
    }
    assert not wide


def test_a_door_offers_only_what_is_there():
    missing = []
    for room in ROOMS:
        module = import_module(f"onefold.{room.name}")
        missing += [f"{room.name}.{own}" for own in offered(room) if not hasattr(module, own)]
    assert not missing


def test_only_runtime_and_the_folds_are_handed_the_raw_facts():
    keepers = {"FactsWriter", "DuckFacts"}
    trespassers = [
        f"{name(path)}:{node.lineno}"
        for path in FILES
        if path.relative_to(HOUSE).parts[0] not in {"store", "runtime"} and name(path) not in FOLDS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module == "onefold.store"
        and keepers & {alias.name for alias in node.names}
    ]
    assert not trespassers


def test_no_file_names_a_machine():
    root = HOUSE.parent.parent
    kinds = ("*.py", "*.md", "*.toml", "*.yaml", "*.yml", "*.html", "*.js", "*.css", "*.txt")
    folders = ("src", "tests", "bench", "docs", "scripts", "requirements")
    here = re.compile(r"(?<![\w.])/(work|farm)/\w")
    found = [
        str(path.relative_to(root))
        for folder in folders
        for kind in kinds
        for path in (root / folder).rglob(kind)
        if "node_modules" not in path.parts and here.search(path.read_text(errors="replace"))
    ]
    assert not found
