"""What sharing keeps of persons: whose data stands where, and in which answers they were."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from onefold.sharing import store

KEEPS: Mapping[str, Sequence[str]] = {"sent": ("key",), "disclosed_groups": ("keys",)}


def forget(keys: Collection[int], connection: Any) -> None:
    """Let go of persons.

    The ledger is not touched: by it the next run learns what every receiver has to drop, and it
    lets go of the keys once the receiver has heard it.
    """
    store.forget_groups(keys, connection)


def tell(keys: Collection[int], connection: Any) -> dict[str, list[dict[str, Any]]]:
    """Return to which destinations data of persons went, and how much stands there."""
    return {"sent": store.sent_of(keys, connection)}
