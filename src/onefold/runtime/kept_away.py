"""Who was erased stays so in what is made from an older export: the later list of keys is taken."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from onefold.model.errors import BadInput, NotFound
from onefold.model.records import OWNER
from onefold.runtime.erasing import erase
from onefold.runtime.workspace import Workspace


def later_erased(source: Path, later: Path) -> frozenset[int]:
    """Return the keys of whom a later export of the same workspace says that they were erased.

    Raises:
        BadInput: It is no export, or of a workspace with another identity key.
    """
    if not (later / "state" / "settings.jsonl").is_file():
        raise BadInput(f"{later} is no export.", "Name the folder of a later export.")
    if _identity_key(source) != _identity_key(later):
        message = f"{later} is of another workspace: its identity key is another one."
        raise BadInput(message, "Name a later export of the same workspace.")
    rows = _rows(later / "state" / "suppressions.jsonl")
    return frozenset(row["key"] for row in rows)


def keep_erased(workspace: Workspace, keys: Collection[int]) -> int:
    """Erase again who stands behind keys; return how many persons that were."""
    again = 0
    for key in sorted(keys):
        try:
            erase(workspace, OWNER, f"person:{key}")
        except NotFound:
            continue
        again += 1
    return again


def _identity_key(export: Path) -> object:
    rows = _rows(export / "state" / "settings.jsonl")
    return next((row["value"] for row in rows if row["name"] == "identity_key"), None)


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
