"""Events as rows of a table in somebody's PostgreSQL."""

from collections.abc import Collection

from onefold.model.errors import BadInput, OnefoldError
from onefold.sharing.carriers import Taken, Undelivered
from onefold.sharing.queries import COLUMNS, USER_ID
from onefold.sharing.records import Batch, Destination
from onefold.store import planes

TABLE = "onefold_events"


class TableCopy:
    """A table that holds what is allowed, and nothing else (see `Carrier`).

    Each batch is one transaction there: rows are put by their message id, so that a batch that
    comes a second time changes nothing.
    """

    most = 5_000
    gives_up = False
    rewrites = False

    def __init__(self, destination: Destination) -> None:
        settings = destination.settings
        columns = (*COLUMNS, USER_ID) if settings.get("names") else COLUMNS
        self._table = planes.OutsideTable(
            str(settings["url"]),
            str(settings.get("table") or TABLE),
            columns=columns,
            key="message_id",
            indexed="subject",
        )

    def begin(self, _cursor: int) -> None:
        """A transaction that was broken off left nothing."""

    def carry(self, batch: Batch, _sequence: int) -> None:
        """Put the rows of a batch."""
        try:
            self._table.put(batch.rows)
        except OnefoldError as error:
            raise _undelivered(error) from error

    def take_back(self, _taken: Taken, subjects: Collection[str], _sequence: int) -> None:
        """Delete the rows of subjects."""
        try:
            self._table.delete(subjects)
        except OnefoldError as error:
            raise _undelivered(error) from error


def _undelivered(error: OnefoldError) -> OnefoldError:
    return error if isinstance(error, BadInput) else Undelivered(error.message, error.fix)
