"""Of whom a question is: of everybody, or of the members of a segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onefold.model.errors import OnefoldError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onefold.runtime import Workspace


def segment_labels(workspace: Workspace) -> dict[str, str]:
    """Return what pages call each segment, by name; none where one of them cannot be read."""
    try:
        return {name: one.label for name, one in sorted(workspace.segments().items())}
    except OnefoldError:
        # Who asks of everybody is not stopped by it; `apply` and `doctor` say what is wrong.
        return {}


def of_whom(segments: Mapping[str, str], chosen: str) -> dict[str, str]:
    """Return of whom a question may be: everybody, or the members of a segment, by its name.

    >>> of_whom({"buyers": "Buyers"}, "")
    {'': 'everybody', 'buyers': 'Buyers'}
    """
    found = {"": "everybody", **segments}
    return found if chosen in found else found | {chosen: chosen}
