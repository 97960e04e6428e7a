"""The table `orders`: purchases that were made online, as their events told."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from onefold.collect.personal import plain_key
from onefold.collect.promote import arrow_column
from onefold.model.errors import BadInput
from onefold.model.facts import TABLES
from onefold.model.money import currency_of, to_micros
from onefold.store import FactsWriter

ORDERS = frozenset({"ordercompleted", "purchase", "purchased", "checkoutcompleted"})
"""Names of the events by which a purchase is told, without case and separators."""

_IDS = ("order_id", "orderId", "transaction_id", "transactionId")
_AMOUNTS = ("total", "revenue", "value", "amount")
_SAME = (
    "message_hi",
    "message_lo",
    "environment",
    "identifier",
    "account_id",
    "purposes",
    "traffic",
)
_objects = msgspec.json.Decoder(dict[str, object])


class OrdersFold:
    """Writes `orders`; remembers which names of events are meant."""

    def __init__(self) -> None:
        self._meant: dict[str | None, bool] = {}

    def write(self, events: pa.Table, writer: FactsWriter) -> None:
        """Write the orders among new rows of `events`."""
        names = [name for name in pc.unique(events["event"]).to_pylist() if self._is_meant(name)]
        if not names:
            return
        meant = pc.and_(
            pc.equal(events["kind"], "track"), pc.is_in(events["event"], pa.array(names))
        )
        writer.insert("orders", _orders(events.filter(meant)))

    def _is_meant(self, name: str | None) -> bool:
        if name not in self._meant:
            self._meant[name] = name is not None and plain_key(name) in ORDERS
        return self._meant[name]


def _orders(events: pa.Table) -> pa.Table:
    told = [_told(_objects.decode(text or "{}")) for text in events["properties"].to_pylist()]
    kinds = TABLES["orders"].columns
    columns = {name: events[name] for name in _SAME}
    columns["order_time"] = events["event_time"]
    for place, name in enumerate(("order_id", "amount_micros", "currency")):
        columns[name] = arrow_column([one[place] for one in told], kinds[name])
    return pa.table({name: columns[name] for name in kinds})


def _told(properties: Mapping[str, object]) -> tuple[str | None, int | None, str | None]:
    """Return id, amount and currency of an order; what cannot be read is not known."""
    number = next((properties[name] for name in _IDS if properties.get(name)), None)
    amount = next((properties[name] for name in _AMOUNTS if properties.get(name) is not None), None)
    return (
        str(number) if isinstance(number, str | int) else None,
        _read(to_micros, amount),
        _read(currency_of, properties.get("currency")),
    )


def _read(read: Any, value: object) -> Any:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        return read(value if read is to_micros else str(value))
    except BadInput:
        return None
