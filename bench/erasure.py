"""How long it takes to erase one person from a workspace.

`--events N` changes how many events it holds. The peer is a rebuild of the same facts, which is
what an erasure would cost without the offsets that the facts know. Beside the whole stands how long
each step takes.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figures import Figure, report
from intake import SCHEMA
from onefold.model.records import OWNER
from onefold.runtime import Workspace, call, create_workspace, erasing, folds, rebuild
from onefold.store import Vault
from onefold.store.facts_duckdb import DuckFacts
from onefold.store.log_sqlite import SqliteLog
from rebuild import fill

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS: tuple[tuple[Any, str], ...] = (
    (erasing, "known_by"),
    (erasing, "_counts"),
    (folds, "forget"),
    (SqliteLog, "rewrite"),
    (Vault, "forget"),
    (Workspace, "compact"),
    (DuckFacts, "copy_to"),
)
_spent: dict[str, float] = defaultdict(float)


def timed(holder: Any, name: str) -> None:
    """Let a step tell how long it takes."""
    former: Callable[..., Any] = getattr(holder, name)

    def told(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return former(*given, **named)
        finally:
            _spent[name] += time.perf_counter() - began

    setattr(holder, name, told)


def somebody(workspace: Workspace) -> str:
    """Return the person with the most events."""
    facts = workspace.folds.generation.facts
    events = facts.tables()["events"]
    busy = events.group_by("identifier").aggregate(n=events.count())
    joined = busy.inner_join(
        facts.tables()["identifiers"], busy.identifier == facts.tables()["identifiers"].key
    )
    top = facts.ask(joined.order_by(joined.n.desc()).limit(1)).to_pylist()[0]
    print(f"a person with {top['n']:,} events")
    return f"person:{top['person_id']}"


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-peer", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        create_workspace(Path(folder) / "kept", basis="contract")
        workspace = Workspace(Path(folder) / "kept")
        (workspace.definitions / "events" / "pin_opened.yaml").write_text(SCHEMA)
        workspace.apply_definitions()
        fill(workspace, wanted.events)
        workspace.catch_up(most_bytes=24_000_000)
        who = somebody(workspace)
        for holder, name in STEPS:
            timed(holder, name)
        began = time.perf_counter()
        call(workspace, OWNER, "person erase", {"id": who})
        seconds = time.perf_counter() - began
        peer = None
        if not wanted.no_peer:
            began = time.perf_counter()
            rebuild(workspace)
            peer = time.perf_counter() - began
        workspace.close()
    steps = [Figure(f"of that, {name}", spent, "s") for name, spent in _spent.items()]
    whole = Figure(
        "a person erased", seconds, "s", 10, peer=peer, peer_name="a rebuild of the facts"
    )
    report("erasure", [whole, *steps])


if __name__ == "__main__":
    main()
