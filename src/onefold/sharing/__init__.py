"""What leaves the house: destinations, audiences, transfers across borders, joins with partners."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.sharing.records import Destination as Destination
    from onefold.sharing.records import Run as Run

    from . import crossing as transfers
    from . import registering as destinations
    from . import rights as persons
    from . import sending as runs

__getattr__ = door(
    __name__,
    {
        "Destination": "records",
        "Run": "records",
        "destinations": "=registering",
        "persons": "=rights",
        "runs": "=sending",
        "transfers": "=crossing",
    },
)
