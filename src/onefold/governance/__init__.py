"""Who may do what, who did what, and who is who at the door."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.governance.access import may as may
    from onefold.governance.access import require as require
    from onefold.governance.api_keys import add_api_key as add_api_key
    from onefold.governance.api_keys import api_key_of as api_key_of
    from onefold.governance.audit import trail as trail
    from onefold.governance.audit import verify as verify
    from onefold.governance.records import Visit as Visit
    from onefold.governance.sign_in import add_user as add_user
    from onefold.governance.sign_in import sign_in_link as sign_in_link
    from onefold.governance.sign_in import user_named as user_named

    from . import api_keys as keys
    from . import sign_in as people

__getattr__ = door(
    __name__,
    {
        "Visit": "records",
        "add_api_key": "api_keys",
        "add_user": "sign_in",
        "api_key_of": "api_keys",
        "keys": "=api_keys",
        "may": "access",
        "people": "=sign_in",
        "require": "access",
        "sign_in_link": "sign_in",
        "user_named": "sign_in",
        "trail": "audit",
        "verify": "audit",
    },
)
