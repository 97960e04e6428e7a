"""Advice as pages show it, and the answers people give: accept, later, dismiss."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold import advice, customers, experiments
from onefold.governance import may
from onefold.model.errors import NotFound
from onefold.model.records import Question
from onefold.model.time import day_of
from onefold.web.desk import ask, back, local, signed_in, text_of
from onefold.web.drawing import round_up, value_bar
from onefold.web.remembered import remembered
from onefold.web.wording import count_word, day, money, number

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.advice import Advice, Decision, Known, Recommendation
    from onefold.experiments import Experiment
    from onefold.model.records import Asker
    from onefold.runtime import Workspace
    from onefold.store import View

VERDICTS = (("Accept", "accept"), ("Later", "later"), ("Dismiss", "dismiss"))
SAID = {
    "accept": "Accepted: {what}. What comes of it can be counted in 28 days.",
    "later": "Put off: {what}. It may come back on {until}.",
    "dismiss": "Dismissed: {what}. It stays away.",
}
MOST_REFUSED = 40
KNOWN_SECONDS = 300
"""Effects over weeks move slowly; a new record or a new day asks for them at once."""


@signed_in("decide")
async def decide(request: Request) -> Response:
    """Keep a decision and go back to where it was made."""
    form = await request.form()
    name, verdict = text_of(form, "id"), text_of(form, "verdict")
    path, reason = text_of(form, "back") or "/", text_of(form, "reason")
    what = text_of(form, "what") or "the recommendation"
    workspace, asker = request.app.state.workspace, request.state.asker
    kept = await ask(request, _kept, workspace, asker, name, verdict, reason)
    until = day(kept.until_time, workspace.settings.zone)
    words = SAID[verdict].format(what=kept.detail.get("what") or what, until=until)
    return back(request, path if local(path) else "/", words)


routes = [Route("/advice", decide, methods=["POST"])]


def _kept(workspace: Workspace, asker: Asker, name: str, verdict: str, reason: str) -> Decision:
    detail = _as_said(workspace, asker, name)
    if not detail and not workspace.sight(asker).whole:
        # Of an account whose rows a policy does not show nobody decides.
        raise NotFound(f"No recommendation `{name[:80]}`.", "Look at Today for what there is.")
    return advice.decide(
        workspace.state, asker, name, verdict, reason, now=workspace.clock(), detail=detail
    )


def _as_said(workspace: Workspace, asker: Asker, name: str) -> dict[str, Any]:
    """Return what the recommendation says now, to look back on; empty if it is no longer there."""
    target = name.partition(":")[2]
    view = workspace.view(Question(asker=asker))
    try:
        known = known_of(workspace, view)
        advised = advice.advise(view, workspace.state, account=target, most=100, known=known)
    except NotFound:
        known = known_of(workspace, view, tests=tests_of(workspace))
        advised = advice.advise(view, workspace.state, most=100, known=known)
    found = next((each for each in advised.recommendations if each.id == name), None)
    return {} if found is None else found.to_json()


def decisions_seen(workspace: Workspace, view: View) -> tuple[Decision, ...]:
    """Return what was decided, of accounts that the asker may see; on other things with them."""
    made = advice.decisions(workspace.state)
    if workspace.sight(view.question.asker).whole:
        return made
    shown = {each.account_id for each in customers.standings(view)}
    return tuple(each for each in made if each.recommendation_id.partition(":")[2] in shown)


def tests_of(workspace: Workspace) -> tuple[Experiment, ...]:
    """Return the registered experiments."""
    return tuple(experiments.load_experiments(workspace.definitions / "experiments").values())


def known_of(workspace: Workspace, view: View, *, tests: tuple[Experiment, ...] = ()) -> Known:
    """Return what advice rests on, asked anew when an account's record or the day has changed."""
    today = day_of(view.now, view.zone)
    accounts = hash(customers.standings(view))
    effects = remembered(
        workspace,
        ("effects", today, accounts),
        lambda: customers.measured.all_effects(view),
        sight=view.sight,
        seconds=KNOWN_SECONDS,
    )
    readings = tuple(
        remembered(
            workspace,
            ("reading", today, test, view.question.include),
            partial(experiments.read_experiment, view, test),
            sight=view.sight,
            seconds=KNOWN_SECONDS,
        )
        for test in tests
    )
    return advice.Known(effects, readings)


def advice_block(
    advised: Advice, asker: Asker, path: str, *, zone: str, first: bool = True
) -> dict[str, Any]:
    """Return what a block of advice shows.

    Args:
        advised: The advice.
        asker: Whoever may not decide sees no buttons.
        path: Where a decision leads back to.
        zone: Of the days.
        first: Whether the first Accept is filled.
    """
    shown = advised.recommendations
    longest = round_up(
        max(
            (
                (each.anyway or 0.0) + max(each.value.high or 0.0, 0.0)
                for each in shown
                if each.value is not None
            ),
            default=1.0,
        )
    )
    decides = may(asker, "decide")
    count = len(shown)
    things = f"{count_word(count)} thing{'' if count == 1 else 's'}" if count else "Nothing"
    title = f"{things} worth doing"
    return {
        "title": title,
        "aside": "ranked by worth over 28 days" if count else "",
        "rows": [_shown(each, longest, path if decides else "") for each in shown],
        "note": advised.note,
        "considered": number(advised.considered),
        "refused": [
            [each.what, each.where or "everyone", each.reason]
            for each in advised.refused[:MOST_REFUSED]
        ],
        "method": advised.method,
        "cannot_tell": advised.cannot_tell,
        "decided": advised.decided,
        "first": first,
        "zone": zone,
    }


def _shown(each: Recommendation, longest: float, path: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "what": each.what,
        "where": each.where,
        "when": each.when,
        "grade": each.grade,
        "why": each.why,
        "evidence_href": each.evidence,
        "worth": each.worth,
        "actions": [
            {
                "label": label,
                "action": "/advice",
                "values": {"id": each.id, "verdict": verdict, "back": path, "what": each.what},
            }
            for label, verdict in VERDICTS
            if path
        ],
    }
    value = each.value
    if value is not None and value.low is not None and value.high is not None:
        worth = money(value.estimate, each.currency, signed=True)
        low, high = money(value.low, each.currency), money(value.high, each.currency)
        anyway = money(each.anyway, each.currency)
        row |= {
            "worth": worth,
            "range": f"low {low}, high {high} in 28 days",
            "anyway": f"{anyway} would come anyway",
            "bar": value_bar(
                each.anyway or 0.0,
                value.estimate or 0.0,
                value.low,
                value.high,
                longest=longest,
                label=f"Worth {worth}, low {low}, high {high}; {anyway} would come anyway",
            ),
        }
    else:
        row["range"] = each.worth_note
    return row
