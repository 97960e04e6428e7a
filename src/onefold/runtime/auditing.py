"""The audit of instrumentation over a workspace: what is in force, what came, what was planned."""

from onefold.collect import catalogues
from onefold.model.ids import IDENTIFIER_KINDS, identifier_key
from onefold.model.records import Answer, Column
from onefold.runtime.definitions import applied_catalogue
from onefold.runtime.workspace import Workspace
from onefold.store import View

audits = catalogues.audits

STAND_INS = (
    *("null", "undefined", "none", "nil", "nan", "NaN", "None", "NULL", "(null)"),
    *(
        "[object Object]",
        "0",
        "-1",
        "unknown",
        "anonymous",
        "guest",
        "n/a",
        "na",
        "test",
        "user",
        "id",
    ),
    *("default", "true", "false", "00000000-0000-0000-0000-000000000000"),
)
"""Values that are sent as an id where nobody is known."""


def instrumentation(workspace: Workspace, view: View) -> audits.Audit:
    """Return what is wrong with what is sent.

    Raises:
        BadInput: A planned journey cannot be used.
    """
    keys = {
        identifier_key(workspace.identity_key, kind, value)
        for kind in IDENTIFIER_KINDS
        for value in STAND_INS
    }
    evidence = audits.evidence(
        view,
        applied_catalogue(workspace.log),
        audits.load_journeys(workspace.definitions / "journeys"),
        stand_ins=keys,
    )
    return audits.audit(evidence)


def told(found: audits.Audit, view: View) -> dict[str, object]:
    """Return an audit as the command line and the API show it."""
    answer = Answer(
        columns=tuple(Column(name, "text") for name in ("kind", "level", "subject", "what", "fix")),
        rows=tuple((one.kind, one.level, one.subject, one.what, one.fix) for one in found.findings),
        definition=(
            f"Volumes, silence and drift: {found.tests:,} tests, which together raise a false "
            f"alarm in {audits.ALARM_RATE * 100:.0f} % of audits at the most. "
            "All else is looked up."
        ),
        query=view.sql(view.events),
        as_of_time=view.fresh_time,
        notes=() if found.findings else ("Nothing is wrong with what is sent.",),
    )
    ids = found.evidence.ids
    return {
        **answer.to_json(),
        "ok": not found.findings,
        "tests": found.tests,
        "false_alarm_rate": audits.ALARM_RATE,
        "described_events": found.described,
        "seen_events": found.seen,
        "documented_share": found.documented_share,
        "persons": ids.persons,
        "merged_share": None if not ids.persons else (ids.merged or 0) / ids.persons,
        "journeys": [
            {
                "journey": one.journey.name,
                "steps": list(one.journey.steps),
                "reached": list(one.reached),
            }
            for one in found.evidence.walked
        ],
    }
