"""Answers that are kept for a little while, so that a page opened twice asks once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from onefold.runtime import Workspace

T = TypeVar("T")

KEPT_SECONDS = 30
"""So long an answer is given again; the page says how old it is."""
MOST = 64

_kept: WeakKeyDictionary[Any, dict[Hashable, tuple[int, Any]]] = WeakKeyDictionary()
_lock = threading.Lock()


def remembered(
    workspace: Workspace,
    key: Hashable,
    make: Callable[[], T],
    *,
    sight: Hashable,
    seconds: int = KEPT_SECONDS,
) -> T:
    """Return the answer kept under a key, or make it anew when it is too old.

    Args:
        workspace: Whose answer it is; kept no longer than it is open.
        key: All that the answer depends on besides time.
        sight: Of the View that is asked: what one may see is never given to another.
        make: Asks for it. Two visitors at once may both ask; the later answer stays.
        seconds: How long it is kept.
    """
    now = workspace.clock()
    key = (key, sight)
    with _lock:
        shelf = _kept.setdefault(workspace, {})
        found = shelf.get(key)
    if found is not None and 0 <= now - found[0] < seconds * 1_000_000:
        answer: T = found[1]
        return answer
    made = make()
    with _lock:
        if len(shelf) >= MOST:
            shelf.pop(min(shelf, key=lambda each: shelf[each][0]))
        shelf[key] = (now, made)
    return made
