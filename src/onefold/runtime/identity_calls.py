"""Calls about who is who: the graph of a person, merges and unmerges by hand, what asks for one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from onefold import identity
from onefold.identity import hands
from onefold.model.errors import BadInput
from onefold.model.kinds import IdentityRules
from onefold.model.time import format_time
from onefold.runtime import call_params as take
from onefold.runtime.definitions import applied
from onefold.runtime.registry import Asked, Body, Outcome, named


class PairParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Two identifiers, each as `kind:value` or a bare user id."""

    one: str
    other: str


class OneParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One identifier, as `kind:value` or a bare user id."""

    id: str


class DecideParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to do about a separation that new evidence asks of."""

    separation: str
    verdict: Literal["join", "apart"]


def _rules(asked: Asked) -> IdentityRules:
    return applied(asked.workspace.log)[1].persons


def _node(asked: Asked, text: str) -> identity.Node:
    key = asked.workspace.identity_key
    return identity.node_named(asked.view(take.Asking()), text, identity_key=key)


def _hand(asked: Asked) -> Any:
    return hands.hand_of(asked.asker, now=asked.workspace.clock())


def _decided(asked: Asked, action: str, decision: Any, nodes: Mapping[str, identity.Node]) -> Body:
    """Let a decision hold, and return whose its identifiers are then."""
    if decision is not None:
        keys = {name: node.key for name, node in nodes.items()}
        hands.decide(asked.workspace.state, asked.asker, action, decision, keys=keys)
        asked.workspace.catch_up(asked.progress)
    view = asked.view(take.Asking())
    now = {name: identity.node_at(view, node.key) or node for name, node in nodes.items()}
    persons = {name: None if n.person_id is None else str(n.person_id) for name, n in now.items()}
    return {"changed": decision is not None, "persons": persons}


@named("person merge", PairParams, action="merge", changes=True)
def _merge(asked: Asked, params: PairParams) -> Body:
    """Let two identifiers be one person; `person unmerge` undoes it, and leaves no trace."""
    one, other = _node(asked, params.one), _node(asked, params.other)
    decision = hands.merged(
        asked.view(take.Asking()), one, other, rules=_rules(asked), hand=_hand(asked)
    )
    said = _decided(asked, "person.merge", decision, {"one": one, "other": other})
    notes = [] if decision else ["They are one person already."]
    return {**_plain(said), "notes": notes}


@named("person unmerge", PairParams, action="merge", changes=True)
def _unmerge(asked: Asked, params: PairParams) -> Body:
    """Let one person be two again; evidence that made them one is outweighed from now on."""
    one, other = _node(asked, params.one), _node(asked, params.other)
    decision = hands.unmerged(
        asked.view(take.Asking()), one, other, rules=_rules(asked), hand=_hand(asked)
    )
    said = _decided(asked, "person.unmerge", decision, {"one": one, "other": other})
    notes = [] if decision else ["They are two persons already."]
    if decision is not None and decision.made:
        notes = ["Evidence made them one, so a separation was written; new evidence only asks."]
    return {**_plain(said), "notes": notes}


@named("person block", OneParams, action="merge", changes=True)
def _block(asked: Asked, params: OneParams) -> Body:
    """Let an identifier stand for nobody: its links count no more."""
    node = _node(asked, params.id)
    decision = hands.blocked(node, hand=_hand(asked))
    said = _decided(asked, "person.block", decision, {"id": node})
    return {**_plain(said), "notes": [] if decision else ["It is blocked already."]}


@named("person unblock", OneParams, action="merge", changes=True)
def _unblock(asked: Asked, params: OneParams) -> Body:
    """Let a blocked identifier count again, as if it had never been blocked."""
    node = _node(asked, params.id)
    decision = hands.unblocked(asked.view(take.Asking()), node, hand=_hand(asked))
    said = _decided(asked, "person.unblock", decision, {"id": node})
    return {**_plain(said), "notes": [] if decision else ["It is not blocked."]}


@named("person review", take.Nothing, action="see_persons", whole=False)
def _review(asked: Asked, _: take.Nothing) -> Body:
    """Separated pairs of which new evidence says that they are one; and all that was decided."""
    view = asked.view(take.Asking())
    found, made = hands.asking(view), hands.links(view)
    words = _words(asked, {key for link, _ in made for key in link.ends})
    return {
        "asking": [
            {
                "separation": one.separation.link,
                "one": words[one.separation.from_key],
                "other": words[one.separation.to_key],
                "persons": [str(one.one), str(one.other)],
                "separated_by": one.separation.made_by,
                "separated_time": format_time(one.separation.made_time),
                "evidence": _edges(asked, one.edges),
            }
            for one in found
        ],
        "links": [_link(link, words) for link, _ in reversed(made)],
        "notes": [] if found else ["Nothing asks for a decision."],
    }


def _link(link: identity.Link, words: Mapping[int, str]) -> dict[str, object]:
    return {
        "link": link.link,
        "kind": link.kind,
        "from": words.get(link.from_key, _short(link.from_key)),
        "to": words.get(link.to_key, _short(link.to_key)),
        "made_by": link.made_by,
        "made_time": format_time(link.made_time),
    }


@named("person decide", DecideParams, action="merge", changes=True)
def _decide(asked: Asked, params: DecideParams) -> Body:
    """Decide what the review queue asks: join the two, or keep them apart."""
    view = asked.view(take.Asking())
    separation = hands.separation_named(view, params.separation)
    ends = {"one": separation.from_key, "other": separation.to_key}
    nodes = {name: identity.node_at(view, key) for name, key in ends.items()}
    known = {name: node for name, node in nodes.items() if node is not None}
    if params.verdict == "apart":
        kept = hands.kept_apart(separation, hand=_hand(asked))
        return _decided(asked, "person.keep_apart", kept, known)
    if len(known) < len(nodes):
        message = "One of the two is known no more."
        raise BadInput(message, "Keep them apart.")
    decision = hands.merged(
        view, known["one"], known["other"], rules=_rules(asked), hand=_hand(asked)
    )
    return _decided(asked, "person.merge", decision, known)


@named("person graph", take.IdParams, action="see_persons")
def _graph(asked: Asked, params: take.IdParams) -> Body:
    """The identifiers of a person and every link between them, with its evidence."""
    view = asked.view(params)
    node = identity.node_named(view, params.id, identity_key=asked.workspace.identity_key)
    nodes, edges, links = identity.graph(view, node)
    words = _words(asked, {each.key for each in nodes})
    return {
        "person": None if node.person_id is None else str(node.person_id),
        "nodes": [
            {
                "id": words[each.key],
                "kind": each.kind,
                "person": None if each.person_id is None else str(each.person_id),
                "state": each.state or "counts",
            }
            for each in nodes
        ],
        "edges": _edges(asked, edges),
        "links": [_link(link, words) for link in links],
    }


@named("person check", take.Nothing, action="rebuild")
def _check(asked: Asked, _: take.Nothing) -> Outcome:
    """Whether all links at one go make the persons that the folds made batch by batch."""
    with asked.workspace.standing_still():
        facts = asked.workspace.folds.generation.facts
        raw = facts.tables()
        nodes, edges, links = (facts.ask(raw[n]) for n in ("identifiers", "edges", "links"))
        wrong = identity.disagreeing(nodes, edges, links, _rules(asked))
    notes = [] if wrong == 0 else ["Run `onefold rebuild`."]
    body = {"identifiers": nodes.num_rows, "disagree": wrong, "notes": notes}
    return Outcome(body, good=wrong == 0)


def _plain(body: Body) -> Mapping[str, Any]:
    return body if isinstance(body, Mapping) else body.to_json()


def _edges(asked: Asked, edges: Sequence[identity.Edge]) -> list[dict[str, object]]:
    words = _words(asked, {key for edge in edges for key in edge.ends})
    return [
        {
            "from": words[edge.from_key],
            "from_kind": edge.from_kind,
            "to": words[edge.to_key],
            "to_kind": edge.to_kind,
            "evidence": edge.kind,
            "source": edge.source,
            "confidence": edge.confidence,
            "first_time": format_time(edge.event_time),
            "log_offset": edge.log_offset,
        }
        for edge in edges
    ]


def _words(asked: Asked, keys: Iterable[int]) -> dict[int, str]:
    """Return identifiers in words, where the asker may see them; else their keys."""
    wanted = set(keys)
    names = asked.vault().names(wanted)
    return {
        key: f"{names[key].kind}:{names[key].value}" if key in names else _short(key)
        for key in wanted
    }


def _short(key: int) -> str:
    return f"key:{key & (1 << 64) - 1:016x}"
