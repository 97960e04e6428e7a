"""The planes of a workspace, opened by what its settings say: a URL, or a file of the folder."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onefold.model.errors import BadInput
from onefold.model.time import Clock
from onefold.store.bulk import text_digests, text_numbers
from onefold.store.log import Log
from onefold.store.log_sqlite import SqliteLog

if TYPE_CHECKING:
    from onefold.store.facts import Facts, Readable
    from onefold.store.facts_spark import SparkFacts
    from onefold.store.linkage import LEVELS, Compared, Plan, compare, scored
    from onefold.store.outside import OutsideTable, read_rows
    from onefold.store.parquet import Manifest, read_manifest, take_down, write_export
    from onefold.store.persons import delete_of, rows_of
    from onefold.store.state import State
    from onefold.store.within import OWN, Limits, Told, Written

__all__ = [
    "LEVELS",
    "LOG_FILE",
    "OWN",
    "STATE_FILE",
    "Compared",
    "Limits",
    "Manifest",
    "OutsideTable",
    "Plan",
    "Readable",
    "SparkFacts",
    "SqliteLog",
    "Told",
    "Written",
    "check_facts",
    "compare",
    "delete_of",
    "facts_place",
    "open_facts",
    "open_log",
    "open_state",
    "read_manifest",
    "read_rows",
    "rows_of",
    "scored",
    "take_down",
    "text_digests",
    "text_numbers",
    "write_export",
]

LOG_FILE, STATE_FILE = "log.sqlite", "state.sqlite"
"""Where they stand in the folder when no URL is given."""


_LATER = {
    "OutsideTable": "outside",
    "delete_of": "persons",
    "read_rows": "outside",
    "rows_of": "persons",
} | dict.fromkeys(("LEVELS", "Compared", "Plan", "compare", "scored"), "linkage")
_LATER |= {
    "Readable": "facts",
    "SparkFacts": "facts_spark",
}
_LATER |= dict.fromkeys(("OWN", "Limits", "Told", "Written"), "within")
_LATER |= dict.fromkeys(("Manifest", "read_manifest", "take_down", "write_export"), "parquet")
"""Who only opens a log should not wait for what speaks to databases, or compares records."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"onefold.store.{_LATER[name]}"), name)


_STATES = ("postgresql", "sqlite")
_FACTS = ("clickhouse", "clickhouses", "chdb", "spark")


def open_log(url: str, folder: Path) -> Log:
    """Return the log of a workspace.

    Args:
        url: `kafka://BROKER[,BROKER...]/TOPIC`, or empty for the file in the folder.
        folder: The workspace.

    Raises:
        BadInput: The URL names no log, or its extra is not installed.
        MachineFailed: It cannot be opened.
    """
    if not url:
        return SqliteLog(folder / LOG_FILE)
    if not url.startswith("kafka://"):
        raise BadInput(f"No log `{url}`.", "Write kafka://BROKER/TOPIC, or leave it out.")
    from onefold.store.log_kafka import KafkaLog

    return KafkaLog(url)


def check_facts(url: str) -> None:
    """Pass where facts can stand at a URL, or be asked there.

    Raises:
        BadInput: It names no such place.
    """
    facts_place(url)


def facts_place(url: str) -> str:
    """Return where a URL says that facts stand, without what is secret; empty for the folder.

    >>> facts_place("clickhouse://ann:secret@click/acme")
    'click:8123/acme'

    Raises:
        BadInput: It names no such place.
    """
    kind = url.partition(":")[0]
    if not url:
        return ""
    if kind not in _FACTS:
        fix = "Write clickhouse://USER:PASSWORD@HOST:8123/DATABASE, or leave it out."
        raise BadInput(f"No facts `{kind[:40]}`.", fix)
    if kind == "spark":
        from onefold.store.facts_spark import master_of

        return master_of(url)
    from onefold.store.click_server import place_of

    return place_of(url).name


def open_facts(url: str, place: Path) -> "Facts":
    """Return the facts of one generation.

    Args:
        url: `clickhouse://USER:PASSWORD@HOST:PORT/DATABASE`, or empty for a file in the folder.
        place: The folder of the generation; its name is the generation's.

    Raises:
        BadInput: The URL names no engine that facts can be folded into, or its extra is missing.
        MachineFailed: They cannot be opened.
    """
    if not url:
        from onefold.store.facts_duckdb import FILE, DuckFacts

        return DuckFacts(place / FILE)
    from onefold.store.facts_clickhouse import ClickFacts

    return ClickFacts(url, place.name)


def open_state(url: str, folder: Path, clock: Clock) -> "State":
    """Return the state of a workspace, its tables at the newest migration.

    Args:
        url: `postgresql://...`, or empty for the file in the folder.
        folder: The workspace.
        clock: Tells the time of changes.

    Raises:
        BadInput: The URL names no state, or its extra is not installed.
        MachineFailed: It cannot be opened.
    """
    from onefold.store.state import State

    if not url:
        return State(f"sqlite:///{folder / STATE_FILE}", clock)
    kind = url.partition(":")[0]
    if kind not in _STATES:
        raise BadInput(f"No state `{kind}`.", "Write postgresql://HOST/DATABASE, or leave it out.")
    return State(url, clock)
