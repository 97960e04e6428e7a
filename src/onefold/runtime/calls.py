"""Every call of the house by name: the command line and the API offer the same ones."""

from onefold import customers
from onefold.advice import advise
from onefold.collect import catalogues, questions
from onefold.experiments import Experiment, exposure_log, load_experiments, read_experiment
from onefold.governance import approvals, require
from onefold.metrics import load_metrics
from onefold.metrics import questions as metric_questions
from onefold.model.errors import NotFound, unknown
from onefold.model.records import Answer, Column, Question
from onefold.runtime import (
    access_calls,
    approval_calls,
    catalogue_calls,
    cohort_calls,
    collect_calls,
    consent_calls,
    dashboard_calls,
    governance_calls,
    identity_calls,
    import_calls,
    inventory_calls,
    joining_calls,
    link_calls,
    machine_calls,
    metric_calls,
    metric_keeping,
    period_calls,
    person_calls,
    publishing_calls,
    question_calls,
    retrying,
    reviewing,
    segment_calls,
    sharing_calls,
    sql_calls,
    usage_calls,
)
from onefold.runtime import call_params as take
from onefold.runtime.certifying import certify, check_versions
from onefold.runtime.definitions import drift, entry_of
from onefold.runtime.doctor import WRONG, Finding, diagnose
from onefold.runtime.mentions import unheard
from onefold.runtime.rebuilding import checksum
from onefold.runtime.registry import CALLS, Asked, Body, Outcome, asker_named, call, named, table
from onefold.runtime.workspace import Workspace
from onefold.store import View

__all__ = [
    "CALLS",
    "access_calls",
    "approval_calls",
    "asker_named",
    "call",
    "catalogue_calls",
    "cohort_calls",
    "collect_calls",
    "consent_calls",
    "dashboard_calls",
    "governance_calls",
    "identity_calls",
    "import_calls",
    "inventory_calls",
    "joining_calls",
    "link_calls",
    "machine_calls",
    "metric_calls",
    "metric_keeping",
    "period_calls",
    "person_calls",
    "publishing_calls",
    "question_calls",
    "segment_calls",
    "sharing_calls",
    "sql_calls",
    "usage_calls",
]


# ---------------------------------------------------------------- the workspace


@named("status", take.Nothing)
def _status(asked: Asked, _: take.Nothing) -> Body:
    """Counts, lag, sizes and rates."""
    return asked.workspace.status()


@named("doctor", take.Nothing)
def _doctor(asked: Asked, _: take.Nothing) -> Outcome:
    """What is wrong with the workspace and how to mend it."""
    return told(diagnose(asked.workspace.folder, asked.workspace))


def told(findings: tuple[Finding, ...]) -> Outcome:
    """Return findings as an answer, which is good unless something is wrong."""
    rows = tuple((f.level, f.what, f.where, f.fix) for f in findings)
    body = table(rows, "level", "what", "where", "fix").to_json()
    body["notes"] = [] if rows else ["Nothing is wrong."]
    good = all(finding.level != WRONG for finding in findings)
    return Outcome({"ok": good, **body}, good=good)


@named("checksum", take.Nothing)
def _checksum(asked: Asked, _: take.Nothing) -> Body:
    """Rows and hash of every table of the facts."""
    return checksum(asked.workspace)


@named("plan", take.Nothing, whole=False)
def _plan(asked: Asked, _: take.Nothing) -> Outcome:
    """What the definitions in the folder would change."""
    _check_definitions(asked.workspace)
    rows = tuple(drift(asked.workspace.folder, asked.workspace.log))
    body = table(rows, "file", "change").to_json()
    body["notes"] = [*(() if rows else ("Nothing to apply.",)), *_doubts(asked.workspace)]
    return Outcome(body, good=not rows)


@named("apply", take.Nothing, action="define", changes=True, whole=False)
def _apply(asked: Asked, _: take.Nothing) -> Body:
    """Let the definitions in the folder hold, once those have signed who have to."""
    _check_definitions(asked.workspace)
    workspace, state = asked.workspace, asked.workspace.state
    # Read once: what holds afterwards is what was signed, whatever becomes of the files meanwhile.
    entry = entry_of(workspace.folder, workspace.identity_key)
    drafts = [
        approvals.settle(state, one, asker=asked.asker, now=workspace.clock())
        for one in reviewing.proposals(workspace, entry)
    ]
    with approvals.making(state, drafts, asker=asked.asker):
        changed = workspace.apply_definitions(asked.asker, entry=entry)
    waits = certify(workspace, asked.asker)
    asked.workspace.catch_up(asked.progress)
    answer: dict[str, object] = {"changed": bool(changed)}
    if changed and (fitting := retrying.fitting(asked.workspace)):
        answer["waiting_events_that_fit_now"] = fitting
        answer["fix"] = "Run `onefold quarantine retry` to let them in."
    if waits:
        answer["waits"] = waits
    if doubts := _doubts(asked.workspace):
        answer["doubts"] = doubts
    return answer


def _doubts(workspace: Workspace) -> list[str]:
    """Return the names in metrics and experiments that may be typos, a sentence each."""
    return [one.what for one in unheard(workspace)]


def _check_definitions(workspace: Workspace) -> None:
    """Refuse what no question could use; the events are read by whoever applies them."""
    load_metrics(workspace.definitions / "metrics")
    check_versions(workspace)
    load_experiments(workspace.definitions / "experiments")
    catalogues.audits.load_journeys(workspace.definitions / "journeys")
    questions.read_said(workspace.definitions)
    dashboard_calls.check_dashboards(workspace)
    workspace.segments()
    metric_questions.calendar.load_calendar(workspace.definitions)


# ---------------------------------------------------------------- know


@named("person show", take.IdParams, action="see_persons")
def _person_show(asked: Asked, params: take.IdParams) -> Body:
    """Who a person is and what happened, from the first anonymous touch on."""
    view, vault = asked.view(params), asked.vault()
    key = asked.workspace.identity_key
    found = customers.find_customer(view, vault, params.id, identity_key=key)
    if found.kind != "person":
        message = f"`{params.id}` is no person but the account {found.name or found.id}."
        raise NotFound(message, f"Ask for it with `account show {params.id}`.")
    return customers.person(view, vault, found.id).to_json()


@named("account show", take.IdParams)
def _account_show(asked: Asked, params: take.IdParams) -> Body:
    """Spend, open issues, last interactions and the timeline of one account."""
    return customers.account(asked.view(params), asked.vault(), params.id).to_json()


@named("friction", take.Asking)
def _friction(asked: Asked, params: take.Asking) -> Body:
    """Where customers get stuck and what it costs."""
    view = asked.view(params)
    return _effects(
        view, customers.measured.friction_effect(view), customers.measured.churn_effect(view)
    )


@named("services", take.Asking)
def _services(asked: Asked, params: take.Asking) -> Body:
    """What help really changed, naive and adjusted side by side."""
    view = asked.view(params)
    return _effects(view, *customers.measured.service_effects(view))


def _effects(view: View, *effects: customers.Effect) -> Answer:
    """Return effects as rows: adjusted beside naive, on how many, by what method."""
    currency = next((e.currency for e in effects if e.currency), "")
    return Answer(
        columns=(
            Column("what", "text"),
            Column("spend_change", "estimate", "share"),
            Column("naive_spend_change", "estimate", "share"),
            Column("spend_per_account", "estimate", f"micros {currency}".strip()),
            Column("stopped", "estimate", "share"),
            Column("naive_stopped", "estimate", "share"),
            Column("treated", "integer", "accounts"),
            Column("controls", "integer", "accounts"),
            Column("refused", "text"),
        ),
        rows=tuple(map(_effect_row, effects)),
        definition=" ".join(dict.fromkeys(e.definition for e in effects)),
        as_of_time=view.fresh_time,
        notes=tuple(dict.fromkeys(n for e in effects for n in (e.method, e.cannot) if n)),
    )


def _effect_row(one: customers.Effect) -> tuple[object, ...]:
    of_spend = one.unit == "micros"
    return (
        one.label,
        one.spend,
        one.naive_relative if of_spend else None,
        one.effect if of_spend else None,
        None if of_spend else one.effect,
        None if of_spend else one.naive,
        one.treated,
        one.controls,
        one.refused,
    )


# ---------------------------------------------------------------- advise


@named("advise", take.AdviseParams)
def _advise(asked: Asked, params: take.AdviseParams) -> Body:
    """The three to five things worth doing next: what, why, worth, when."""
    folder = asked.workspace.definitions / "experiments"
    experiments = tuple(load_experiments(folder).values())
    view = asked.view(params)
    said = advise(view, asked.workspace.state, account=params.account, experiments=experiments)
    return said.to_json()


# ---------------------------------------------------------------- measure


@named("experiment list", take.Nothing, whole=False)
def _experiment_list(asked: Asked, _: take.Nothing) -> Body:
    """Experiments with their arms, their days and what each half says."""
    found = load_experiments(asked.workspace.definitions / "experiments")
    view = asked.workspace.view(Question(asker=asked.asker))
    names = ("experiment", "label", "started_date", "planned_days", "arms", "short", "long")
    return table(tuple(_experiment_row(view, each) for each in found.values()), *names, "owner")


def _experiment_row(view: View, one: Experiment) -> tuple[object, ...]:
    arms = ", ".join(f"{arm.name} {arm.weight}" for arm in one.arms)
    said = read_experiment(view, one)
    told = (said.short.word, said.long.word)
    return (one.name, one.label, one.started_date, one.planned_days, arms, *told, one.owner)


@named("experiment show", take.NameParams)
def _experiment_show(asked: Asked, params: take.NameParams) -> Body:
    """Split, effects with intervals, verdicts of one experiment."""
    found = load_experiments(asked.workspace.definitions / "experiments")
    if params.name not in found:
        raise unknown("experiment", params.name, found)
    return read_experiment(asked.view(params), found[params.name]).to_json()


@named("experiment exposures", take.ExposuresParams)
def _experiment_exposures(asked: Asked, params: take.ExposuresParams) -> Body:
    """Who saw which variant first, of which version of the flag, and what is amiss."""
    found = load_experiments(asked.workspace.definitions / "experiments")
    if params.name not in found:
        raise unknown("experiment", params.name, found)
    if params.people:
        require(asked.asker, "see_persons")
    return exposure_log(asked.view(params), found[params.name], by_person=params.people)
