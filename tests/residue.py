"""Looks for words in every file of a workspace: as they are, encoded, and inside what is packed."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import lz4.block

if TYPE_CHECKING:
    from pathlib import Path


def forms(word: str) -> set[bytes]:
    """Return how a word may stand in a file; lower case, but for what case would change."""
    raw = word.encode()
    found = {raw, word.encode("utf-16-le"), word.encode("utf-16-be"), raw.hex().encode()}
    found |= {json.dumps(word)[1:-1].encode(), quote(word).encode(), quote_plus(word).encode()}
    found |= {quote(word, safe="").encode()}
    for shift, cut in enumerate((0, 2, 3)):
        end = (shift + len(raw)) * 8 // 6
        piece = base64.b64encode(bytes(shift) + raw)[cut:end]
        found |= {piece, piece.replace(b"+", b"-").replace(b"/", b"_")}
    return {form.lower() for form in found} | {word.upper().encode().lower()}


def residue(folder: Path, words) -> list[str]:
    """Return `file: word` for each word that is found in any file under a folder."""
    wanted = {word: forms(word) for word in words}
    found = set()
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        for part in [path.read_bytes(), *unpacked(path)]:
            lower = part.lower()
            found |= {
                f"{path.relative_to(folder)}: {word}"
                for word, ways in wanted.items()
                if any(way in lower for way in ways)
            }
    return sorted(found)


def unpacked(path: Path) -> list[bytes]:
    """Return what a file holds packed: bodies of a log, columns of the facts and of Parquet."""
    if path.name == "log.sqlite":
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as log:
            rows = log.execute("SELECT body, reasons, trace FROM log").fetchall()
        return [lz4.block.decompress(row[0]) + row[1] + row[2].encode() for row in rows]
    if path.suffix == ".parquet":
        from pyarrow import parquet

        rows = parquet.read_table(path).to_pylist()
        return [json.dumps(rows, default=_plain, ensure_ascii=False).encode()]
    return []


def _plain(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
