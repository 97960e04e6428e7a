"""Which identifier a text means, and what is known of somebody."""

import re
from typing import TYPE_CHECKING

from onefold.governance import require
from onefold.identity import queries
from onefold.identity.records import Edge, Link, Node
from onefold.model.errors import NotFound
from onefold.model.ids import IDENTIFIER_KINDS, identifier_key
from onefold.model.kinds import normal_value

if TYPE_CHECKING:
    from onefold.store import View

_KEY = re.compile(r"[0-9a-f]{16}")
_NUMBER = re.compile(r"-?[0-9]{1,19}")


def node_named(view: "View", text: str, *, identity_key: bytes) -> Node:
    """Return the identifier that a text means.

    Tried in this order: `kind:value`, such as `email:jo@example.com`, or `key:` and 16 hex digits;
    a bare user id, then a bare anonymous id; the number of a person.

    Raises:
        NotFound: It was never told, or the asker may not see persons.
    """
    require(view.question.asker, "see_persons")
    wanted = text.strip()
    kind, _, value = wanted.partition(":")
    if kind == "key" and _KEY.fullmatch(value):
        number = int(value, 16)
        found = queries.node_at(view, number - (1 << 64) if number >> 63 else number)
        if found is not None:
            return found
    tried = [(kind, value)] if value else []
    tried += [(each, wanted) for each in IDENTIFIER_KINDS]
    for each, said in tried:
        key = identifier_key(identity_key, each, normal_value(each, said) or said)
        found = queries.node_at(view, key)
        if found is not None:
            return found
    digits = wanted.removeprefix("person:")
    if _NUMBER.fullmatch(digits) and abs(int(digits)) < 1 << 63:
        found = queries.node_at(view, int(digits))
        if found is not None:
            return found
    message = f"No identifier `{wanted}`."
    raise NotFound(message, "Give `kind:value`, such as `email:jo@example.com`, or a user id.")


def graph(view: "View", node: Node) -> tuple[tuple[Node, ...], tuple[Edge, ...], tuple[Link, ...]]:
    """Return the identifiers of somebody, those at the other ends of links, and the links.

    An identifier of nobody has its own links alone. Evidence that does not count stands there
    too: at a value that many share, or to somebody who is kept apart.
    """
    require(view.question.asker, "see_persons")
    own = (node,) if node.person_id is None else queries.nodes_of(view, [node.person_id])
    keys = {one.key for one in own}
    edges = queries.edges_at(view, keys)
    links = tuple(link for link, _ in queries.links(view, keys))
    ends = {key for edge in edges for key in edge.ends}
    ends |= {key for link in links for key in link.ends}
    ends -= keys
    return (*own, *queries.nodes_at(view, ends)), edges, links
