"""The API: every call of the house under `/api/v1`, with keys or a session."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.web.api.addresses import routes as routes
    from onefold.web.api.asking import owner_door as owner_door
    from onefold.web.api.described import description as description

__getattr__ = door(
    __name__, {"description": "described", "owner_door": "asking", "routes": "addresses"}
)
