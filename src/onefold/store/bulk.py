"""Hashes of many texts at once, by the engine; nothing is kept."""

import threading
from functools import cache

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]

_of_thread = threading.local()


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"threads": 1})


def _cursor() -> duckdb.DuckDBPyConnection:
    """Return a cursor that no other thread uses."""
    if not hasattr(_of_thread, "cursor"):
        _of_thread.cursor = _engine().cursor()
    return _of_thread.cursor  # type: ignore[no-any-return]


def text_digests(texts: pa.Array) -> tuple[Ints, Ints]:
    """Return the upper and the lower half of the MD5 of each text, as `hashlib` tells it.

    It is quick and no secret is kept by it: whoever must not choose two texts alike puts something
    in front that nobody else knows.
    """
    found = _asked("SELECT md5_number(text) FROM texts", texts)
    words = np.frombuffer(found.buffers()[1], dtype="<i8")[found.offset * 2 :]
    # The number's first byte is its lowest; a digest is read from its highest.
    pairs = words[: len(found) * 2].reshape(-1, 2).byteswap()
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def text_numbers(texts: pa.Array) -> Ints:
    """Return a number a text, the same for the same text in this process; mostly others differ."""
    found = _asked("SELECT hash(text) FROM texts", texts)
    return np.frombuffer(found.buffers()[1], dtype="<i8")[found.offset :][: len(found)]


def _asked(query: str, texts: pa.Array) -> pa.Array:
    cursor = _cursor()
    cursor.register("texts", pa.table({"text": texts}))
    found = cursor.execute(query).to_arrow_table()
    cursor.unregister("texts")
    return found.column(0).combine_chunks()
