"""What a merge, an unmerge or a block by hand has to decide, so that its undoing leaves nothing.

An unmerge takes back the merges that make two one. Only where evidence makes them one too, it
writes a separation, which outweighs it; a merge takes separations back in turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onefold.identity import known, queries
from onefold.identity.records import (
    BLOCK,
    BLOCKED,
    BLOCKED_BY_HAND,
    MERGE,
    SEPARATION,
    Decision,
    Edge,
    Link,
    LinkKind,
    Node,
)
from onefold.identity.stitch import stitch
from onefold.identity.whole import graph_of_rows
from onefold.model.errors import BadInput
from onefold.model.kinds import IdentityRules

if TYPE_CHECKING:
    from onefold.store import View


@dataclass(frozen=True, slots=True)
class Hand:
    """Who decides, when, and the id that a new link gets."""

    name: str
    time: int
    link: str

    def linked(self, kind: LinkKind, one: Node, other: Node) -> Link:
        """Return a new link of two identifiers; its ends stand in the order of their keys."""
        low, high = sorted((one, other), key=lambda node: node.key)
        return Link(
            self.link,
            kind,
            low.key,
            low.kind,
            high.key,
            high.kind,
            self.name,
            self.time,
        )


class _Near:
    """What surrounds two identifiers, to try a decision on before it is taken."""

    def __init__(self, view: "View", one: Node, other: Node, rules: IdentityRules) -> None:
        found = [known.graph(view, node) for node in (one, other)]
        self._nodes: dict[int, Node] = {node.key: node for each in found for node in each[0]}
        self._edges: list[Edge] = list(dict.fromkeys(edge for each in found for edge in each[1]))
        self.links: list[Link] = list(
            {link.link: link for each in found for link in each[2]}.values()
        )
        self._one, self._other, self._rules = one, other, rules

    def together(self, links: Sequence[Link]) -> bool:
        """Return whether the two would be one person by some links and all evidence."""
        graph = graph_of_rows(list(self._nodes.values()), self._edges, links)
        persons = dict(
            zip(graph.keys.tolist(), stitch(graph, self._rules).persons.tolist(), strict=True)
        )
        return bool(persons[self._one.key] == persons[self._other.key])


def merged(
    view: "View", one: Node, other: Node, *, rules: IdentityRules, hand: Hand
) -> Decision | None:
    """Return the decision that makes two one person; None where they are one already.

    Raises:
        BadInput: One of them stands for nobody.
    """
    for node in (one, other):
        if node.state in {BLOCKED, BLOCKED_BY_HAND}:
            message = f"An identifier ({node.kind}) is blocked and stands for nobody."
            raise BadInput(message, "Unblock it first.")
    if one.key == other.key or (one.person_id is not None and one.person_id == other.person_id):
        return None
    near = _Near(view, one, other, rules)
    separations = [link for link in near.links if link.kind == SEPARATION]
    between = _between(view, one, other, separations)
    rest = [link for link in near.links if link not in between]
    gone = tuple(link.link for link in between)
    if between and near.together(rest):
        return Decision(gone=gone, time=hand.time)
    made = hand.linked(MERGE, one, other)
    return Decision(made=(made,), gone=gone, time=hand.time)


def _between(view: "View", one: Node, other: Node, separations: Sequence[Link]) -> list[Link]:
    """Return the separations that keep two persons apart."""
    sides = [
        {node.key}
        if node.person_id is None
        else {each.key for each in queries.nodes_of(view, [node.person_id])}
        for node in (one, other)
    ]
    return [link for link in separations if all(link.ends & side for side in sides)]


def unmerged(
    view: "View", one: Node, other: Node, *, rules: IdentityRules, hand: Hand
) -> Decision | None:
    """Return the decision that makes one person two; None where they are two already.

    Raises:
        BadInput: Both are the same identifier.
    """
    if one.key == other.key:
        message = "Both are the same identifier."
        raise BadInput(message, "Name two identifiers of the person.")
    if one.person_id is None or one.person_id != other.person_id:
        return None
    near = _Near(view, one, other, rules)
    # They stand in the order of the log, the latest one last.
    merges = [link for link in near.links if link.kind == MERGE]
    direct = [link for link in merges if link.ends == {one.key, other.key}]
    gone = _fewest(near, merges, direct)
    if gone is not None:
        return Decision(gone=tuple(link.link for link in gone), time=hand.time)
    made = hand.linked(SEPARATION, one, other)
    return Decision(made=(made,), gone=tuple(link.link for link in direct), time=hand.time)


def _fewest(near: _Near, merges: Sequence[Link], direct: Sequence[Link]) -> list[Link] | None:
    """Return the merges without which two are apart, the latest ones; None where none would do."""
    gone = list(direct)
    others = [link for link in reversed(merges) if link not in direct]
    standing = [link for link in near.links if link not in gone]
    if not near.together(standing):
        return gone
    if near.together([link for link in near.links if link.kind != MERGE]):
        return None
    for link in others:
        gone.append(link)
        if not near.together([each for each in near.links if each not in gone]):
            break
    # What was taken back on the way, and need not have been, stands.
    for link in [link for link in gone if link not in direct]:
        tried = [each for each in gone if each is not link]
        if not near.together([each for each in near.links if each not in tried]):
            gone = tried
    return gone


def blocked(node: Node, *, hand: Hand) -> Decision | None:
    """Return the decision that an identifier stands for nobody; None where it does already."""
    if node.state in {BLOCKED, BLOCKED_BY_HAND}:
        return None
    return Decision(made=(hand.linked(BLOCK, node, node),), time=hand.time)


def unblocked(view: "View", node: Node, *, hand: Hand) -> Decision | None:
    """Return the decision that an identifier counts again; None where it counts already.

    Raises:
        BadInput: The rules block it.
    """
    if node.state == BLOCKED:
        message = "The rules block this value."
        raise BadInput(message, "Change `blocked` in definitions/identity.yaml and apply it.")
    blocks = [link for link, _ in queries.links(view, [node.key]) if link.kind == BLOCK]
    if not blocks:
        return None
    return Decision(gone=tuple(link.link for link in blocks), time=hand.time)


def kept_apart(separation: Link, *, hand: Hand) -> Decision:
    """Return the decision that two stay apart, whatever was learned of them until now."""
    one = Node(separation.from_key, separation.from_kind, None)
    other = Node(separation.to_key, separation.to_kind, None)
    made = hand.linked(SEPARATION, one, other)
    return Decision(made=(made,), gone=(separation.link,), time=hand.time)
