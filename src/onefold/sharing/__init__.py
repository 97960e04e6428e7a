"""What leaves the house: destinations, audiences, transfers across borders, joins with partners."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.sharing.records import Destination as Destination
    from onefold.sharing.records import Run as Run

    from . import blinding as intersections
    from . import crossing as transfers
    from . import joining as joins
    from . import registering as destinations
    from . import releasing as releases
    from . import rights as persons
    from . import sending as runs
    from . import spending as budget

__getattr__ = door(
    __name__,
    {
        "Destination": "records",
        "Run": "records",
        "budget": "=spending",
        "destinations": "=registering",
        "intersections": "=blinding",
        "joins": "=joining",
        "persons": "=rights",
        "releases": "=releasing",
        "runs": "=sending",
        "transfers": "=crossing",
    },
)
