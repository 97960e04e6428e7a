"""Customers: who they are, how each stands, and what really changed them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.responses import RedirectResponse
from starlette.routing import Route

from onefold import advice, customers
from onefold.governance import may
from onefold.model.errors import BadInput, NotFound
from onefold.model.records import Question
from onefold.model.time import DAY, day_start, parse_date
from onefold.model.words import plural
from onefold.web import wording
from onefold.web.desk import ask, page, signed_in
from onefold.web.drawing import interval, shared_axis
from onefold.web.pages.advice_shown import advice_block, known_of
from onefold.web.pages.consent_shown import of_person
from onefold.web.pages.customer_shown import account_shown, as_of_filter, fresh_of, person_shown
from onefold.web.pages.evidence_shown import family_shown, known_shown
from onefold.web.pages.traffic import CUSTOMERS, EVERYTHING, NAME, LetIn, Traffic, let_in
from onefold.web.wording import better, coded, link, money, number, sentence, share, worse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.customers import Effect, Standing
    from onefold.model.records import Asker, Estimate
    from onefold.runtime import Workspace
    from onefold.store import View

SIZE = 50
LATELY = "the last 28 days"
ORDERS = (
    ("spend", "most spend"),
    ("change", "deepest fall"),
    ("issues", "most open issues"),
    ("name", "name"),
)


@signed_in()
async def listing(request: Request) -> Response:
    """List accounts with how they stand, and the persons seen lately."""
    workspace, asker = request.app.state.workspace, request.state.asker
    params = dict(request.query_params)
    shown = await ask(request, _listed, workspace, asker, params)
    if isinstance(shown, str):
        return RedirectResponse(shown, status_code=303)
    return page(request, "customers/list.html", here="Customers", title="Customers", **shown)


@signed_in("see_persons")
async def person(request: Request) -> Response:
    """Show one person."""
    workspace, asker = request.app.state.workspace, request.state.asker
    params, name = dict(request.query_params), request.path_params["name"]
    shown = await ask(request, _person, workspace, asker, name, params)
    return page(request, "customers/person.html", here="Customers", **shown)


@signed_in()
async def account(request: Request) -> Response:
    """Show one account."""
    workspace, asker = request.app.state.workspace, request.state.asker
    params, name = dict(request.query_params), request.path_params["name"]
    shown = await ask(request, _account, workspace, asker, name, params)
    return page(request, "customers/account.html", here="Customers", **shown)


@signed_in()
async def effects(request: Request) -> Response:
    """Show what help and trouble really changed, naive beside compared."""
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _effects, workspace, asker)
    return page(request, "customers/effects.html", here="Customers", **shown)


routes = [
    Route("/customers", listing),
    Route("/customers/effects", effects),
    Route("/customers/people/{name}", person),
    Route("/customers/accounts/{name:path}", account),
]


def view_at(workspace: Workspace, asker: Asker, as_of: str, chosen: LetIn = CUSTOMERS) -> View:
    """Return the facts as of the end of a day, or as of now without one.

    Raises:
        BadInput: It is not a day, or lies ahead.
    """
    if not as_of:
        return workspace.view(Question(asker=asker, include=chosen.marks))
    start = day_start(parse_date(as_of), workspace.settings.zone)
    now = workspace.clock()
    if start > now:
        raise BadInput(f"{as_of} lies ahead.", "Take a day that has begun.")
    time = min(start + DAY - 1, now)
    return workspace.view(Question(asker=asker, as_of_time=time, include=chosen.marks))


def _listed(workspace: Workspace, asker: Asker, params: dict[str, str]) -> dict[str, Any] | str:
    """Return what the list shows, or the address of the one customer that was meant."""
    search, order = params.get("q", "").strip(), params.get("order", "spend")
    chosen = let_in(params)
    traffic = Traffic(chosen, "/customers", _without(params, "page"))
    view = view_at(workspace, asker, params.get("as_of", ""), chosen)
    found = customers.list_customers(
        view, workspace.vault_of(asker), search=search, order=order, page=_page(params), size=SIZE
    )
    missing: object = ""
    if search and not found.total:
        try:
            meant = customers.find_customer(
                view, workspace.vault_of(asker), search, identity_key=workspace.identity_key
            )
        except (NotFound, BadInput) as error:
            missing = "" if found.persons else _missing(error)
        else:
            kind = "accounts" if meant.kind == "account" else "people"
            return chosen.address(f"/customers/{kind}/{quote(meant.id, safe='')}")
    return {
        "question": "Who are our customers, and how do they do?",
        "answer": _list_answer(found),
        "lead": "",
        "filters": [*_list_filters(params, search, order), traffic.control()],
        "left_out": traffic.left_out(view, (view.now - 28 * DAY, view.now), of=LATELY),
        "fresh": fresh_of(view),
        "listing": found,
        "missing": missing,
        "empty": not found.all_accounts and not found.persons_total,
        "rows": [_row(each, chosen) for each in found.accounts],
        "aside": plural(found.total, "account") + (f" for “{search}”" if search else ""),
        "pages": _pages(params, found.page, found.total),
        "persons": [_seen(each, view.zone, chosen) for each in found.persons],
        "people": f"People that begin with “{search}”" if search else "People seen last",
        "persons_note": f"{number(found.persons_total)} in all, seen last first",
        "search": search,
        "sees_persons": may(asker, "see_persons"),
        "markets": [_market(each) for each in found.markets],
        "query": found.query,
    }


def _missing(error: NotFound | BadInput) -> object:
    """Return that nobody was found, with a way on: who is near, or all."""
    near = re.search(r"Did you mean `(.+)`\?", error.message)
    ways: list[object] = [link("Show all customers", "/customers"), "."]
    if near:
        ways = [link(f"Find {near[1]}", f"/customers?{urlencode({'q': near[1]})}"), ". ", *ways]
    return sentence(coded(f"{error.message} {error.fix}"), " ", *ways)


def _page(params: dict[str, str]) -> int:
    text = params.get("page", "1")
    if not text.isdigit():
        raise BadInput(f"No page `{text}`.", "Pages count from 1.")
    return int(text)


def _list_answer(found: Any) -> list[object]:
    if not found.all_accounts:
        return ["No account yet. ", f"{plural(found.persons_total, 'person', 'people')} came."]
    if not found.markets:
        return [f"{plural(found.all_accounts, 'account')}, and none has spent in 56 days."]
    main = found.markets[0]
    change = main.change
    pieces: list[object] = [
        f"{plural(main.accounts, 'account')} spent {money(main.now, main.currency)} in 28 days, "
    ]
    if change.estimate is None or change.low is None:
        return [*pieces, "too new to compare."]
    words = f"{share(abs(change.estimate))} {'more' if change.estimate > 0 else 'less'}"
    if change.low > 0:
        return [*pieces, better(words), " than in the 28 days before."]
    if change.high < 0:
        return [*pieces, worse(words), " than in the 28 days before."]
    return [*pieces, "and the range cannot tell whether that is more than before."]


def _list_filters(params: dict[str, str], search: str, order: str) -> list[dict[str, Any]]:
    kept = {name: params[name] for name in ("order", "as_of", "include") if params.get(name)}
    options = [
        {
            "label": label,
            "href": "?" + urlencode({**_without(params, "page"), "order": name}),
            "current": name == order,
        }
        for name, label in ORDERS
    ]
    fields = [{"label": "Name, id, industry or owner", "name": "q", "value": search}]
    return [
        {"label": "Find", "value": search or "anybody", "fields": fields, "kept": kept},
        {"label": "Order", "value": dict(ORDERS)[order], "options": options},
        as_of_filter(params),
    ]


def _without(params: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in params.items() if key != name}


def _pages(params: dict[str, str], current: int, total: int) -> list[dict[str, Any]]:
    last = max((total + SIZE - 1) // SIZE, 1)
    found = []
    if current > 1:
        found.append({"label": "Former page", "page": current - 1})
    if current < last:
        found.append({"label": "Next page", "page": current + 1})
    return [
        {"label": each["label"], "href": "?" + urlencode({**params, "page": each["page"]})}
        for each in found
    ]


def _row(each: Standing, chosen: LetIn) -> list[object]:
    level = each.level
    path = f"/customers/accounts/{quote(each.account_id, safe='')}"
    waits = [issue for issue in each.issues if issue.waits_on == "us"]
    issues: object = str(len(each.issues)) if each.issues else "0"
    if waits:
        longest = max(issue.days for issue in waits)
        issues = sentence(f"{len(each.issues)} · ", worse(f"us, {plural(round(longest), 'day')}"))
    return [
        {"href": chosen.address(path), "label": each.name},
        each.phase.name,
        each.industry or None,
        money(level.now, level.currency) if level else None,
        share(level.change, signed=True) if level and level.change is not None else None,
        issues,
        each.owner or None,
    ]


def _seen(each: Any, zone: str, chosen: LetIn) -> list[object]:
    return [
        {"href": chosen.address(f"/customers/people/{each.person_id}"), "label": each.name},
        wording.day(each.last_time, zone),
        number(each.sessions),
        number(each.actions),
        wording.day(each.first_time, zone),
    ]


def _market(each: Any) -> list[object]:
    change = each.change
    words = "cannot tell" if change.low is None else _range_words(change)
    return [
        each.currency,
        money(each.now, each.currency),
        money(each.former, each.currency),
        words,
        number(each.accounts),
    ]


def _range_words(change: Estimate) -> str:
    return (
        f"{share(change.estimate, signed=True)}, low {share(change.low, signed=True)}, "
        f"high {share(change.high, signed=True)}"
    )


def _person(
    workspace: Workspace, asker: Asker, name: str, params: dict[str, str]
) -> dict[str, Any]:
    as_of, chosen = params.get("as_of", ""), let_in(params)
    view = view_at(workspace, asker, as_of, chosen)
    found = customers.person(view, workspace.vault_of(asker), name)
    counts = view.marked_of(person_id=int(found.id))
    path = f"/customers/people/{found.id}"
    if counts and not found.events and NAME not in params:
        # Whoever looks at one of ours means his events; that they count nowhere is said.
        everything = LetIn(EVERYTHING)
        view = view_at(workspace, asker, as_of, everything)
        found = customers.person(view, workspace.vault_of(asker), name)
        shown = person_shown(view, found, params)
        words = Traffic(chosen, path, params).line(counts, of="this person, in every figure")
        control = Traffic(everything, path, params).control()
        known = known_shown(workspace, view, "person", found.id)
        told = {"filters": [*shown["filters"], control], "left_out": words | {"href": ""}}
        return shown | known | told
    traffic = Traffic(chosen, path, params)
    shown = person_shown(view, found, params)
    return {
        **shown,
        **known_shown(workspace, view, "person", found.id),
        "filters": [*shown["filters"], traffic.control()],
        "left_out": traffic.line(counts, of="this person"),
        "consent": of_person(view, int(found.id), workspace.gate().rules.known),
    }


def _account(
    workspace: Workspace, asker: Asker, name: str, params: dict[str, str]
) -> dict[str, Any]:
    chosen = let_in(params)
    view = view_at(workspace, asker, params.get("as_of", ""), chosen)
    found = customers.account(view, workspace.vault_of(asker), name)
    traffic = Traffic(chosen, f"/customers/accounts/{quote(name, safe='')}", params)
    shown = account_shown(view, found, params)
    return {
        **shown,
        **known_shown(workspace, view, "account", found.id),
        **family_shown(view, found.id),
        "next": None if params.get("as_of") else _next(workspace, view, found.id, traffic),
        "filters": [*shown["filters"], traffic.control()],
        "left_out": traffic.line(view.marked_of(account_id=found.id), of="its people"),
    }


def _next(
    workspace: Workspace, view: View, account_id: str, traffic: Traffic
) -> dict[str, Any] | None:
    """Return the advice for an account; None for one that only its people tell of."""
    try:
        known = known_of(workspace, view)
        advised = advice.advise(view, workspace.state, account=account_id, known=known)
    except NotFound:
        return None
    path = traffic.address(traffic.chosen)
    return advice_block(advised, view.question.asker, path, zone=view.zone)


def _effects(workspace: Workspace, asker: Asker) -> dict[str, Any]:
    view = workspace.view(Question(asker=asker))
    found = known_of(workspace, view).effects
    axis = shared_axis(
        [
            (
                each.relative.low * 100,
                max(each.relative.high, each.naive_relative.estimate or 0) * 100,
            )
            for each in found
            if each.relative.low is not None and each.relative.high is not None
        ]
    )
    return {
        "title": "What really helped",
        "question": "What did our help and our trouble really change?",
        "answer": _effects_answer(found),
        "lead": "Each is compared with accounts that were alike before, and stands beside what a "
        "plain comparison would say.",
        "fresh": wording.freshness(view.fresh_time, view.now, zone=view.zone),
        "effects": [_effect(each, axis) for each in found] if any(e.treated for e in found) else [],
    }


def _effects_answer(found: tuple[Effect, ...]) -> list[object]:
    helped = [e for e in found if e.kind == "service" and (e.relative.low or 0) > 0]
    services = [e for e in found if e.kind == "service"]
    costs = [e for e in found if e.kind != "service" and (e.spend.high or 0) < 0]
    if not services:
        pieces: list[object] = ["No service has been measured yet."]
    elif helped:
        words = " and ".join(f"{e.label} by {share(e.relative.estimate)}" for e in helped)
        pieces = [
            f"{plural(len(helped), 'service')} of {len(services)} raised spend: ",
            better(words),
            ".",
        ]
    else:
        pieces = ["Whether any service raised spend, the ranges cannot tell."]
    for each in costs:
        fell = share(abs(each.spend.estimate or 0))
        pieces += [
            f" {each.label[:1].upper()}{each.label[1:]} costs ",
            worse(f"{fell} of spend"),
            ".",
        ]
    return pieces


def _effect(each: Effect, axis: tuple[float, float]) -> dict[str, Any]:
    cells = _share_cells(each) if each.unit == "share" else _money_cells(each)
    bar = None
    relative, plain = each.relative, each.naive_relative.estimate
    if relative.estimate is not None and relative.low is not None and relative.high is not None:
        bar = interval(
            relative.estimate * 100,
            relative.low * 100,
            relative.high * 100,
            axis=axis,
            naive=None if plain is None else plain * 100,
            unit="%",
        )
    counts = f"{number(each.treated)} with it, {number(each.controls)} alike without"
    if each.left_out:
        counts += f"; {number(each.left_out)} found nobody alike and are left out"
    return {
        "id": each.name,
        "title": f"{each.label[:1].upper()}{each.label[1:]}",
        "refused": each.refused,
        "need": {"have": min(each.treated, each.controls), "need": 30},
        "bar": bar,
        "rows": cells,
        "pairs": [
            ("Compared", counts),
            ("What is counted", each.definition),
            ("How", each.method),
            ("Cannot tell", each.cannot),
        ],
        "balance": [
            [even.name, number(even.before, 2, signed=True), number(even.after, 2, signed=True)]
            for even in each.balance
        ],
    }


def _money_cells(each: Effect) -> list[list[object]]:
    def row(name: str, value: Estimate, relative: Estimate) -> list[object]:
        if value.estimate is None or value.low is None or value.high is None:
            return [name, None, None, None, None]
        ends = [
            money(end, each.currency, signed=True)
            for end in (value.estimate, value.low, value.high)
        ]
        return [name, *ends, share(relative.estimate, signed=True)]

    return [
        row("Compared with accounts alike", each.effect, each.relative),
        row("Plain comparison", each.naive, each.naive_relative),
    ]


def _share_cells(each: Effect) -> list[list[object]]:
    def row(name: str, value: Estimate, relative: object) -> list[object]:
        if value.estimate is None or value.low is None or value.high is None:
            return [name, None, None, None, None]
        return [
            name,
            *(wording.points(v) for v in (value.estimate, value.low, value.high)),
            relative,
        ]

    spend = each.spend.estimate
    return [
        row(
            "Compared with accounts alike",
            each.effect,
            None if spend is None else f"spend {share(spend, signed=True)}",
        ),
        row("Plain comparison", each.naive, None),
    ]
