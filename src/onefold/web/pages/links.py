"""Records that may be of one account or person: two side by side, decided one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.routing import Route

from onefold import customers
from onefold.governance import may, require
from onefold.model.errors import BadInput
from onefold.model.records import Question
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web.desk import ask, back, page, signed_in, text_of
from onefold.web.wording import better, number, sentence, share, worse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

PATH = "/customers/links"
_ENTITIES = {"account": "Accounts", "contact": "Contacts"}
_SHOWN = 12
_DONE = {
    "same": "They are one now; open the pair again to undo it.",
    "different": "They stay two.",
    "later": "It stands at the end of the queue.",
    "open": "It waits again.",
}


@signed_in("decide", whole=True)
async def links(request: Request) -> Response:
    """Show the pair that waits, and those after it."""
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _shown, workspace, asker, dict(request.query_params))
    return page(request, "customers/links.html", here="Customers", title="Linking", **shown)


@signed_in("decide", whole=True)
async def decide(request: Request) -> Response:
    """Keep a decision, and go on with the next pair."""
    form = await request.form()
    given = {name: text_of(form, name) for name in ("entity", "left", "right", "decision")}
    workspace, asker = request.app.state.workspace, request.state.asker
    await ask(request, call, workspace, asker, "link decide", given)
    words = _DONE.get(given["decision"], "")
    return back(request, _address(given["entity"]), words)


@signed_in("import", whole=True)
async def run(request: Request) -> Response:
    """Look for pairs."""
    entity = text_of(await request.form(), "entity")
    workspace, asker = request.app.state.workspace, request.state.asker
    done = await ask(request, call, workspace, asker, "link run", {"entity": entity})
    pairs = plural(done.body["pairs"], "pair")
    words = f"{plural(done.body['records'], 'record')} compared, {pairs} found."
    return back(request, _address(entity), words)


routes = [
    Route(PATH, links),
    Route(f"{PATH}/decide", decide, methods=["POST"]),
    Route(f"{PATH}/run", run, methods=["POST"]),
]


def _address(entity: str, **more: str) -> str:
    return f"{PATH}?{urlencode({'entity': entity, **more})}"


def _shown(workspace: Workspace, asker: Asker, params: dict[str, str]) -> dict[str, Any]:
    entity = params.get("entity", "account")
    if entity not in _ENTITIES:
        raise BadInput(f"No records `{entity[:40]}` to link.", "Take accounts or contacts.")
    if entity == "contact":
        require(asker, "see_personal_fields")
    doubtful = params.get("order") == "doubtful"
    view = workspace.view(Question(asker=asker))
    found = customers.links.queue(
        workspace.state, asker, entity, most=_SHOWN + 1, doubtful=doubtful
    )
    told = customers.links.quality(workspace.state, entity)
    first = found[0] if found else None
    pair = None
    if first is not None:
        sides = customers.links.side_by_side(view, workspace.vault_of(asker), first)
        pair = _pair(first, sides)
    return {
        "question": "Which records of different systems are one?",
        "answer": _answer(told, entity),
        "lead": "Each pair is compared field by field. A field that is alike adds bits, one that "
        "differs takes some; each bit doubles the odds that both are one.",
        "filters": _filters(entity, doubtful=doubtful),
        "entity": entity,
        "pair": pair,
        "rest": [_row(each) for each in found[1:]],
        "waiting": number(told.waiting),
        "quality": _quality(told),
        "decided": [_decided(each) for each in customers.links.decided(workspace.state, entity)],
        "may_run": may(asker, "import"),
        "decide_path": f"{PATH}/decide",
        "run_path": f"{PATH}/run",
    }


def _answer(told: Any, entity: str) -> list[object]:
    noun = f"{entity}s"
    if not told.waiting and not told.reviewed:
        return [f"Nobody has compared the {noun} yet."]
    if not told.waiting:
        return [f"No pair of {noun} waits; {plural(told.reviewed, 'pair')} decided."]
    return [
        f"{plural(told.waiting, 'pair')} of {noun} may be one, {number(told.reviewed)} decided."
    ]


def _filters(entity: str, *, doubtful: bool) -> list[dict[str, Any]]:
    orders = (("drawn", "drawn at random"), ("doubtful", "most doubtful first"))
    order = "doubtful" if doubtful else "drawn"
    return [
        {
            "label": "Records",
            "value": _ENTITIES[entity],
            "options": [
                {"label": label, "href": _address(name), "current": name == entity}
                for name, label in _ENTITIES.items()
            ],
        },
        {
            "label": "Order",
            "value": dict(orders)[order],
            "options": [
                {"label": label, "href": _address(entity, order=name), "current": name == order}
                for name, label in orders
            ],
        },
    ]


def _pair(pair: Any, sides: tuple[Mapping[str, str], Mapping[str, str]]) -> dict[str, Any]:
    left, right = sides
    names = [name for name in ("source", "name") if name in left or name in right]
    names += [name for name in sorted({*left, *right, *pair.parts}) if name not in names]
    rows = []
    for name in names:
        level, bits = pair.parts.get(name, (-1, 0.0))
        rows.append(
            [
                _words(name),
                left.get(name),
                right.get(name),
                customers.links.degree(name, level) if name in pair.parts else None,
                _bits(bits) if name in pair.parts and level >= 0 else None,
            ]
        )
    total = [
        "All together",
        pair.left_id,
        pair.right_id,
        share(pair.probability),
        _bits(pair.weight),
    ]
    return {
        "left": pair.left_id,
        "right": pair.right_id,
        "likely": share(pair.probability),
        "rows": [*rows, {"cells": total, "total": True}],
    }


def _words(name: str) -> str:
    return {"source": "Import", "code": "Number", "street2": "Street, more"}.get(
        name, name.replace("_", " ").capitalize()
    )


def _bits(bits: float) -> object:
    words = f"{'+' if bits > 0 else '−' if bits < 0 else ''}{abs(bits):.1f}"
    return sentence((better if bits > 0 else worse)(words)) if abs(bits) >= 0.05 else words


def _row(each: Any) -> list[object]:
    why = sorted(each.parts.items(), key=lambda part: -abs(part[1][1]))
    words = ", ".join(f"{_words(name).lower()} {bits:+.1f}" for name, (_, bits) in why[:3])
    return [
        each.left_id,
        each.right_id,
        share(each.probability),
        words,
        "put off" if each.decision == "later" else "waits",
    ]


def _decided(each: Any) -> dict[str, Any]:
    word = "one" if each.decision == "same" else "two"
    return {
        "left": each.left_id,
        "right": each.right_id,
        "words": f"{each.left_id} and {each.right_id} are {word}, says {each.decided_by}.",
    }


def _quality(told: Any) -> list[list[object]]:
    rows: list[list[object]] = []
    for name, value in (("Precision", told.precision), ("Recall", told.recall)):
        if value.estimate is None:
            rows.append([name, None, None, None, "0"])
        else:
            ends = [share(each) for each in (value.estimate, value.low, value.high)]
            rows.append([name, *ends, number(value.n)])
    return rows
