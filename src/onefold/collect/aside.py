"""The log read in a process of its own, so that reading and writing use two cores.

Both ends of the pipe stand here: `ReaderAside` keeps the process, and the module run by itself
is the process. It ends when its input does, so it never outlives who began it. What it says is
never needed: where it fails, the same rows are read here.
"""

import fcntl
import gc
import logging
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from onefold.collect.draft import NOT_EVENTS, Reader
from onefold.collect.erasures import up_to_erasure
from onefold.collect.rules import FoldRules
from onefold.collect.sheet import Sheet
from onefold.store import LogRow, planes

_log = logging.getLogger("onefold.house")

_READY = b"+"
_PIPE_BYTES = 1 << 20
_SIZED = 8


class _Begin(msgspec.Struct, gc=False):
    """The first thing said: what to read, and how."""

    path: str
    identity_key: bytes
    rules: FoldRules


class _Ask(msgspec.Struct, gc=False):
    after: int
    most_bytes: int


class Told(msgspec.Struct, gc=False):
    """What was read, less the sheet.

    Attributes:
        rows: How many; 0 at the end of the log.
        size: Bytes of their bodies.
        offset: The last one's.
        received_time: The last one's.
        controls: Those that are control entries.
        foreign: Some are of records, which only the fold itself reads; there is no sheet then.
    """

    rows: int = 0
    size: int = 0
    offset: int = 0
    received_time: int = 0
    controls: list[LogRow] = []
    foreign: bool = False


class ReaderAside:
    """Reads stretches of a log file in another process, one asked ahead at a time."""

    def __init__(self, path: Path, *, identity_key: bytes, rules: FoldRules) -> None:
        """Begin the process; it is ready after half a second or so."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "onefold.collect.aside"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C is for who began it; it ends with the pipe.
            process_group=0,
        )
        self._into = cast("IO[bytes]", self._process.stdin)
        self._out = cast("IO[bytes]", self._process.stdout)
        _widen(self._out)
        self._begun = self._ended = False
        self._asked: _Ask | None = None
        with suppress(OSError):
            _say(self._into, _Begin(str(path), identity_key, rules))

    def ask(self, after: int, most_bytes: int) -> bool:
        """Let it read the rows after an offset meanwhile; return whether it has begun and can."""
        if not self._begun and not self._ended and select.select([self._out], [], [], 0)[0]:
            self._begun = self._out.read(1) == _READY
        if not self._begun or self._ended:
            return False
        self._asked = _Ask(after, most_bytes)
        with suppress(OSError):
            _say(self._into, self._asked)
        return True

    def answer(self, after: int) -> tuple[Told, Sheet] | None:
        """Return what it read; None where it was not asked, or cannot say.

        It names no identifier twice: where what it said goes unused, it ends.
        """
        asked, self._asked = self._asked, None
        if asked is None or self._ended:
            return None
        try:
            told = msgspec.msgpack.decode(_heard(self._out), type=Told)
            sheet = None
            if told.rows and not told.foreign:
                sheet = Sheet.unpack(_heard(self._out), _heard(self._out))
        except (OSError, EOFError, msgspec.DecodeError, ValueError):
            _log.warning("The reader beside the folds ended; they read by themselves.")
            self.close()
            return None
        if asked.after != after:
            self.close()
            return None
        return None if sheet is None else (told, sheet)

    def close(self) -> None:
        """End the process: it only reads, so nothing is lost."""
        self._ended = True
        self._process.kill()
        self._process.wait()
        for end in (self._into, self._out):
            with suppress(OSError):
                end.close()


def _serve(asks: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until the asking ends.

    Raises:
        EOFError: It has ended.
    """
    begin = msgspec.msgpack.decode(_heard(asks), type=_Begin)
    reader = Reader(identity_key=begin.identity_key, rules=begin.rules)
    with closing(planes.SqliteLog(Path(begin.path))) as log:
        answers.write(_READY)
        answers.flush()
        while True:
            ask = msgspec.msgpack.decode(_heard(asks), type=_Ask)
            rows = up_to_erasure(log.read(ask.after, most_bytes=ask.most_bytes))
            told = told_of(rows)
            _say(answers, told)
            if rows and not told.foreign:
                for part in reader.read(rows).pack():
                    _put(answers, part)
            answers.flush()


def told_of(rows: Sequence[LogRow]) -> Told:
    """Return what is to be said of rows."""
    if not rows:
        return Told()
    return Told(
        rows=len(rows),
        size=sum(len(row.body) for row in rows),
        offset=rows[-1].offset,
        received_time=rows[-1].received_time,
        controls=[row for row in rows if row.dialect == "control"],
        foreign=any(row.dialect in NOT_EVENTS and row.dialect != "control" for row in rows),
    )


def _say(end: IO[bytes], what: msgspec.Struct) -> None:
    _put(end, msgspec.msgpack.encode(what))
    end.flush()


def _put(end: IO[bytes], part: Any) -> None:
    end.write(len(part).to_bytes(_SIZED, "big"))
    end.write(part)


def _heard(end: IO[bytes]) -> bytes:
    """Return the next part.

    Raises:
        EOFError: The other end is gone.
    """
    size = end.read(_SIZED)
    if len(size) < _SIZED:
        raise EOFError
    expected = int.from_bytes(size, "big")
    part = end.read(expected)
    if len(part) < expected:
        raise EOFError
    return part


def _widen(end: IO[bytes]) -> None:
    """Let the pipe hold more at a time, where the system allows."""
    with suppress(OSError, AttributeError):
        fcntl.fcntl(end.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def main() -> None:
    """Read for who began this, at their ends of standard input and output."""
    # What is read dies by count alone, millions of objects a minute: the collector finds nothing.
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr
    with suppress(EOFError, BrokenPipeError):
        _serve(sys.stdin.buffer, answers)
    with suppress(BrokenPipeError):
        answers.close()


if __name__ == "__main__":
    main()
