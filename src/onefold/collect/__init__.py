"""From the wire to the log, and from the log to events: decode, judge, keep, fold."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.collect.catalogue import Catalogue as Catalogue
    from onefold.collect.catalogue import make_catalogue as make_catalogue
    from onefold.collect.fold import Batch as Batch
    from onefold.collect.fold import CollectFold as CollectFold
    from onefold.collect.intake import receive as receive
    from onefold.collect.records import Source as Source
    from onefold.collect.rules import FoldRules as FoldRules

    from . import importing as imports
    from . import keeping as catalogues
    from . import origins as sources
    from . import queries as questions
    from . import requests as wire

__getattr__ = door(
    __name__,
    {
        "Batch": "fold",
        "Catalogue": "catalogue",
        "CollectFold": "fold",
        "FoldRules": "rules",
        "Source": "records",
        "catalogues": "=keeping",
        "imports": "=importing",
        "make_catalogue": "catalogue",
        "questions": "=queries",
        "receive": "intake",
        "sources": "=origins",
        "wire": "=requests",
    },
)
