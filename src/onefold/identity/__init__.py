"""Persons: which identifiers belong together, by what evidence, and what people decided of it."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.identity.fold import IdentityFold as IdentityFold
    from onefold.identity.known import graph as graph
    from onefold.identity.known import node_named as node_named
    from onefold.identity.queries import node_at as node_at
    from onefold.identity.records import Asks as Asks
    from onefold.identity.records import Edge as Edge
    from onefold.identity.records import Link as Link
    from onefold.identity.records import Node as Node
    from onefold.identity.whole import disagreeing as disagreeing

    from . import accounts as same
    from . import deciding as hands
    from . import freezing as groups

__getattr__ = door(
    __name__,
    {
        "Asks": "records",
        "Edge": "records",
        "IdentityFold": "fold",
        "Link": "records",
        "Node": "records",
        "disagreeing": "whole",
        "graph": "known",
        "groups": "=freezing",
        "hands": "=deciding",
        "node_at": "queries",
        "node_named": "known",
        "same": "=accounts",
    },
)
