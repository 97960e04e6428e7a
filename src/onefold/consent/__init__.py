"""What may be done with an event: purposes, and the policy that grants them."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.consent.answers import Gate as Gate
    from onefold.consent.policy import BASES as BASES
    from onefold.consent.policy import keeps_identifiers as keeps_identifiers
    from onefold.consent.purposes import ALL as ALL
    from onefold.consent.purposes import ANALYTICS as ANALYTICS
    from onefold.consent.purposes import PURPOSES as PURPOSES
    from onefold.consent.purposes import purpose_bit as purpose_bit
    from onefold.consent.purposes import purposes_in as purposes_in

    from . import answers as saying
    from . import ruling as rules

__getattr__ = door(
    __name__,
    {
        "ALL": "purposes",
        "ANALYTICS": "purposes",
        "PURPOSES": "purposes",
        "purpose_bit": "purposes",
        "purposes_in": "purposes",
        "BASES": "policy",
        "Gate": "answers",
        "keeps_identifiers": "policy",
        "rules": "=ruling",
        "saying": "=answers",
    },
)
