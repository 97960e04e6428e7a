"""How a batch leaves the house, by the kind of its destination."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from onefold.model.errors import OnefoldError
from onefold.sharing.records import FILES, POSTGRES, Batch

if TYPE_CHECKING:
    from onefold.sharing.queries import Outgoing


class Undelivered(OnefoldError):
    """A receiver did not take what was sent; it is tried again.

    Attributes:
        gone: The receiver said that it will never take anything again.
    """

    status = 502
    title = "Not delivered"

    def __init__(self, message: str, fix: str = "", *, gone: bool = False) -> None:
        super().__init__(message, fix)
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken back.

    Attributes:
        keys: Of which identifiers everything that was sent is to go.
        keep: What is still allowed of them may be sent again.
        cursor: How far was sent.
    """

    keys: frozenset[int]
    keep: bool
    cursor: int


class Carrier(Protocol):
    """What every way out of the house offers.

    Attributes:
        most: Events a batch.
        gives_up: A batch that fails for days becomes a dead letter, so that the next ones go on.
        rewrites: Taking back brings what is still allowed anew by itself.
    """

    most: int
    gives_up: bool
    rewrites: bool

    def begin(self, cursor: int) -> None:
        """Remove what a run that was broken off left behind."""
        ...

    def carry(self, batch: Batch, sequence: int) -> None:
        """Bring a batch to the receiver, durably.

        Raises:
            Undelivered: The receiver did not take it.
        """
        ...

    def take_back(self, taken: Taken, subjects: Collection[str], sequence: int) -> None:
        """Have the receiver drop everything of subjects.

        Raises:
            Undelivered: The receiver did not hear it.
        """
        ...


def carrier_of(out: "Outgoing", folder: Path, clock: Callable[[], int]) -> Carrier:
    """Return what carries the events of a destination."""
    kind = out.destination.kind
    if kind == FILES:
        from onefold.sharing.drops import FileDrop

        return FileDrop(out, folder)
    if kind == POSTGRES:
        from onefold.sharing.copies import TableCopy

        return TableCopy(out.destination)
    from onefold.sharing.webhooks import Webhook

    return Webhook(out.destination, clock)
