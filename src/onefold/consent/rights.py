"""What the register of withdrawals keeps of persons: told whole, and let go of."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from onefold.store import tables

KEEPS: Mapping[str, Sequence[str]] = {"withdrawals": ("key",)}
_proofs = tables.withdrawals


def forget(keys: Collection[int], connection: Any) -> None:
    """Let go of persons."""
    connection.execute(_proofs.delete().where(_proofs.c.key.in_(sorted(keys))))


def tell(keys: Collection[int], connection: Any) -> dict[str, list[dict[str, Any]]]:
    """Return table -> rows of what is kept of persons."""
    rows = connection.execute(_proofs.select().where(_proofs.c.key.in_(sorted(keys)))).mappings()
    found = [dict(row) for row in rows]
    return {"withdrawals": found} if found else {}
