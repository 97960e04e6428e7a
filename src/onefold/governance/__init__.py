"""Who may do what, who did what, and who is who at the door."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.governance.access import may as may
    from onefold.governance.access import require as require
    from onefold.governance.audit import trail as trail
    from onefold.governance.audit import verify as verify
    from onefold.governance.records import Visit as Visit
    from onefold.governance.sign_in import add_user as add_user

    from . import api_keys as keys
    from . import approving as approvals
    from . import audit as audits
    from . import identities as subjects
    from . import seeing as policies
    from . import sign_in as people

__getattr__ = door(
    __name__,
    {
        "Visit": "records",
        "add_user": "sign_in",
        "approvals": "=approving",
        "audits": "=audit",
        "keys": "=api_keys",
        "may": "access",
        "people": "=sign_in",
        "policies": "=seeing",
        "require": "access",
        "subjects": "=identities",
        "trail": "audit",
        "verify": "audit",
    },
)
