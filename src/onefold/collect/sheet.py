"""What a stretch of the log holds, read and ready to be written into the facts.

It can be told to another process: `pack` and `unpack` are that telling.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onefold.collect.enrich import Context
from onefold.collect.stating import Statement
from onefold.model.time import DAY

Waiting = tuple[int, int, int, int, str, str, str, str, int]
"""A row of `quarantine`, its columns in order."""

_WAITS = (
    "log_offset",
    "place",
    "message_hi",
    "message_lo",
    "event",
    "source",
    "environment",
)


class Notes(msgspec.Struct, gc=False):
    """What is to be known of events beside their columns; a spot is a place among the rows.

    Attributes:
        as_sent: Spot -> properties before what is personal was taken out.
        contexts: Key -> row of `contexts`, of those that the events have.
        marks: Spot -> mark of the person whose traits an event tells.
        previous_ids: Spot -> the former id of an alias.
        waiting: Rows of `quarantine`.
        names: Key -> kind and value, of identifiers that the vault may not know yet.
        fields: Personal fields for the vault: key, name, value, time.
        stated: Spot -> what an event says of its person's consent from then on.
        dropped: Day since 1970, source, and how many events of which nothing was kept for want
            of consent, by request.
        told: (key, kind, evidence) of other identifiers that events tell -> their spots.
        blocked: Keys of identifiers that stand for nobody, of those that were named.
        echoes: What the log holds of somebody beside what counts: offset, place, identifier, and
            whether it waits by the verdict of intake and all retries.
        erased: Offset, place and id of what was erased and had counted.
        late: Offsets of rows that still name somebody who is erased.
    """

    as_sent: dict[int, bytes] = msgspec.field(default_factory=dict)
    contexts: dict[int, Context] = msgspec.field(default_factory=dict)
    marks: dict[int, str] = msgspec.field(default_factory=dict)
    previous_ids: dict[int, str] = msgspec.field(default_factory=dict)
    waiting: list[Waiting] = msgspec.field(default_factory=list)
    names: dict[int, tuple[str, str]] = msgspec.field(default_factory=dict)
    fields: list[tuple[int, str, str, int]] = msgspec.field(default_factory=list)
    stated: dict[int, list[Statement]] = msgspec.field(default_factory=dict)
    dropped: list[tuple[int, str, int]] = msgspec.field(default_factory=list)
    told: dict[tuple[int, str, str], list[int]] = msgspec.field(default_factory=dict)
    blocked: list[int] = msgspec.field(default_factory=list)
    echoes: list[tuple[int, int, int | None, bool]] = msgspec.field(default_factory=list)
    erased: list[tuple[int, int, int, int]] = msgspec.field(default_factory=list)
    late: list[int] = msgspec.field(default_factory=list)


_notes = msgspec.msgpack.Decoder(Notes)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of `events` before what was seen is taken out of them.

    Attributes:
        events: Shape (n,), the columns of the table `events`.
        notes: What is to be known beside them.
    """

    events: pa.Table
    notes: Notes

    def __len__(self) -> int:
        return int(self.events.num_rows)

    def at(self, spot: int, names: Iterable[str]) -> list[Any]:
        """Return some columns of one event."""
        return [self.events.column(name)[spot].as_py() for name in names]

    def offsets(self) -> npt.NDArray[np.int64]:
        """Return the log offset of each event, shape (n,)."""
        found: npt.NDArray[np.int64] = self.events.column("log_offset").to_numpy()
        return found

    def place_of(self, spot: int) -> tuple[int, int]:
        """Return where an event stands in the log: the row's offset and the place there."""
        offset, place = self.at(spot, ("log_offset", "place"))
        return offset, place

    def identifier(self, spot: int) -> int | None:
        """Return the key by which an event is known: the user's, else the anonymous one."""
        found: int | None = self.events.column("identifier")[spot].as_py()
        return found

    def user(self, spot: int) -> tuple[int | None, int]:
        """Return the user's key of an event and its time, microseconds."""
        return self.events.column("user_key")[spot].as_py(), self._micros("event_time", spot)

    def echo(self, spot: int) -> None:
        """Note that an event counts no second time, so that it can be found where it stands."""
        offset, place = self.at(spot, ("log_offset", "place"))
        self.notes.echoes.append((offset, place, self.identifier(spot), False))

    def received_of(self, spot: int) -> tuple[int, str]:
        """Return the day on which an event came, since 1970, and from which source."""
        source: str = self.events.column("source")[spot].as_py()
        return self._micros("received_time", spot) // DAY, source

    def wait(self, spot: int, reason: str) -> None:
        """Let an event that was taken for good wait in quarantine after all."""
        received = self._micros("received_time", spot)
        self.notes.waiting.append((*self.at(spot, _WAITS), reason, received))

    def _micros(self, name: str, spot: int) -> int:
        found: int = self.events.column(name)[spot].cast(pa.int64()).as_py()
        return found

    def pack(self) -> tuple[bytes, pa.Buffer]:
        """Return the notes and the columns as bytes."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.events.schema) as stream:
            stream.write_table(self.events)
        return msgspec.msgpack.encode(self.notes), sink.getvalue()

    @staticmethod
    def unpack(notes: bytes, events: bytes | pa.Buffer) -> "Sheet":
        """Return the sheet that was packed."""
        with pa.ipc.open_stream(events) as stream:
            return Sheet(stream.read_all(), _notes.decode(notes))
