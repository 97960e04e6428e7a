"""What may be done with an event: purposes, and the policy that grants them."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.consent.answers import Gate as Gate
    from onefold.consent.policy import BASES as BASES
    from onefold.consent.policy import keeps_identifiers as keeps_identifiers
    from onefold.consent.purposes import ANALYTICS as ANALYTICS
    from onefold.consent.purposes import PURPOSES as PURPOSES
    from onefold.consent.purposes import purpose_bit as purpose_bit
    from onefold.consent.purposes import purposes_in as purposes_in

    from . import answers as saying
    from . import knowing as people
    from . import register as proofs
    from . import rights as persons
    from . import ruling as rules

__getattr__ = door(
    __name__,
    {
        "ANALYTICS": "purposes",
        "PURPOSES": "purposes",
        "purpose_bit": "purposes",
        "purposes_in": "purposes",
        "BASES": "policy",
        "Gate": "answers",
        "keeps_identifiers": "policy",
        "people": "=knowing",
        "persons": "=rights",
        "proofs": "=register",
        "rules": "=ruling",
        "saying": "=answers",
    },
)
