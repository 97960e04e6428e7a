"""Partitions as lanes of one order: the first row of each, then the second of each, and so on.

A row's offset is made of its partition and its place there, and both can be told from it. So one
number still says how far a fold has come, in every partition. Where one lane has nothing yet while
another goes on, blank rows fill it: the order has no gaps, whoever reads it and whenever.
"""

from dataclasses import dataclass

from onefold.store.records import NewRow

BLANK = "blank"
"""Route of the control entries that fill a lane; they say nothing."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """How offsets stand in partitions.

    Attributes:
        count: Partitions of the topic; for ever, as every offset is made with it.

    >>> lanes = Lanes(3)
    >>> [lanes.offset(partition, 1) for partition in range(3)]
    [4, 5, 6]
    >>> lanes.partition(5), lanes.place(5), [lanes.start(5, p) for p in range(3)]
    (1, 1, [2, 2, 1])
    """

    count: int

    def offset(self, partition: int, place: int) -> int:
        """Return the offset of the row at a place of a partition."""
        return place * self.count + partition + 1

    def partition(self, offset: int) -> int:
        """Return the partition of an offset."""
        return (offset - 1) % self.count

    def place(self, offset: int) -> int:
        """Return the place of an offset in its partition."""
        return (offset - 1) // self.count

    def start(self, after: int, partition: int) -> int:
        """Return the first place of a partition that comes after an offset."""
        return (after - partition + self.count - 1) // self.count

    def last(self, ends: list[int]) -> int:
        """Return the offset of the last row, from the places after the last of each partition."""
        return max((self.offset(lane, end - 1) for lane, end in enumerate(ends) if end), default=0)


def lane_of(row: NewRow, turn: int, lanes: Lanes) -> int:
    """Return the partition that a row goes to.

    What is in order with itself, control entries and imported rows, goes to the first; events go
    where all of their identifier go, and in turn where nobody can be told.
    """
    if row.dialect in {"control", "records"}:
        return 0
    return int.from_bytes(row.who[:8], "big") % lanes.count if row.who else turn % lanes.count


def blank(received_time: int) -> NewRow:
    """Return a row that says nothing, of the time of the one that it makes way for."""
    return NewRow(
        received_time=received_time,
        source="",
        environment="",
        dialect="control",
        route=BLANK,
        body=b"",
        verdicts=b"",
    )
