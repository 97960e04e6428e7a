"""Which engine holds a generation of the facts: a file beside it says so.

The settings say where facts shall stand. Where a generation stands elsewhere it goes on to answer
while the next one is built, as with every change of what the facts are made by.
"""

import os
from pathlib import Path

from onefold.model.errors import MachineFailed
from onefold.runtime.settings import ONLY_READS

_FILE = "engine"


def folded_into(url: str) -> str:
    """Return the engine that is folded into where the settings name one to ask.

    >>> folded_into("spark://master:7077"), folded_into("clickhouse://click/acme")
    ('', 'clickhouse://click/acme')
    """
    return "" if url.startswith(ONLY_READS) else url


def engine_of(place: Path) -> str:
    """Return the URL of the engine that holds the generation of a folder; empty for a file in it.

    Raises:
        MachineFailed: It cannot be read.
    """
    try:
        return (place / _FILE).read_text("utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        message = f"{place.name}/{_FILE} cannot be read: {error}."
        raise MachineFailed(message, "Remove facts/ to build it anew from the log.") from error


def note_engine(place: Path, url: str) -> None:
    """Write down the engine of a generation; the URL may hold a password and is its owner's."""
    if not url:
        return
    handle = os.open(place / _FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(url)
