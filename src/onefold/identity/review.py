"""What asks for a decision: new evidence that two are one, whom somebody has separated."""

from typing import TYPE_CHECKING

from onefold.governance import require
from onefold.identity import queries
from onefold.identity.records import SEPARATION, Asks, Link
from onefold.model.errors import NotFound

if TYPE_CHECKING:
    from onefold.store import View


def asking(view: "View") -> tuple[Asks, ...]:
    """Return the separations since which new evidence was learned, the latest separation first.

    Evidence that was known when they were separated does not ask; what was learned since does,
    until somebody decides anew.
    """
    require(view.question.asker, "see_persons")
    found = []
    for link, offset in reversed(queries.links(view)):
        if link.kind != SEPARATION:
            continue
        owners = {node.key: node.person_id for node in queries.nodes_at(view, link.ends)}
        one, other = owners.get(link.from_key), owners.get(link.to_key)
        if one is None or other is None or one == other:
            continue
        sides = [{node.key for node in queries.nodes_of(view, [each])} for each in (one, other)]
        edges = tuple(
            edge
            for edge in queries.edges_at(view, sides[0], after=offset)
            if all(edge.ends & side for side in sides)
        )
        if edges:
            found.append(Asks(link, edges, one, other))
    return tuple(found)


def separation_named(view: "View", name: str) -> Link:
    """Return the separation of an id.

    Raises:
        NotFound: None stands under it.
    """
    for link, _ in queries.links(view):
        if link.link == name and link.kind == SEPARATION:
            return link
    raise NotFound(f"No separation `{name}`.", "List those that ask: `onefold person review`.")
