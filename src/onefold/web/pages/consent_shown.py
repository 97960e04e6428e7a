"""Consent as pages show it: what people said, what became of a no, where one person stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onefold.consent import people, proofs
from onefold.governance import may
from onefold.model.words import plural
from onefold.web import wording

if TYPE_CHECKING:
    from onefold.model.records import Asker
    from onefold.runtime import Workspace
    from onefold.store import View

MOST_ROWS = 20
_MEANS = {
    "api": "stated by call",
    "categories": "a change, by categories",
    "tcf": "a TC string",
    "gpp": "a GPP string",
    "import": "a file",
    "event": "events of their own",
}
_TONES = {people.GRANTED: "better", people.WITHDRAWN: "watch", people.UNKNOWN: ""}


def of_data(
    workspace: Workspace, asker: Asker, view: View, span: tuple[int, int]
) -> dict[str, Any]:
    """Return what the Data page shows: counts by purpose, what came before a yes, proofs."""
    return {
        "consent": consent_rows(view),
        "before": before_consent(view, *span),
        "proofs": proof_rows(workspace, asker, view.zone),
    }


def consent_rows(view: View) -> list[list[object]]:
    """Return what people said of consent, by purpose and means."""
    return [
        [
            row["purpose"],
            {"tag": "yes", "tone": ""} if row["granted"] else {"tag": "no", "tone": "watch"},
            _MEANS.get(str(row["means"]), row["means"]),
            row["identifiers"],
        ]
        for row in people.by_purpose(view)
    ]


def before_consent(view: View, start: int, end: int) -> str:
    """Return how many events came before their person agreed, and what became of them."""
    left_out, dropped = people.before_consent(view, start, end)
    said = f"{plural(left_out, 'event')} left out of analytics by consent"
    said += f"; of {plural(dropped, 'more event')} nothing is kept but that they came"
    held, named = people.held_events(view, start, end)
    if held:
        said += f"; {plural(held, 'event')} held for a yes, of which {named:,} came in with names"
    return f"{said}."


def of_person(view: View, key: int, purposes: tuple[str, ...]) -> list[list[object]]:
    """Return where the person of an identifier stands with each purpose, and by what word."""
    rows: list[list[object]] = []
    for one in people.standing(people.said_of(view, key), purposes, now=view.now):
        said = one.said
        rows.append(
            [
                one.purpose,
                {"tag": one.state, "tone": _TONES[one.state]},
                wording.moment(said.from_time, view.zone) if said else None,
                _MEANS.get(said.means, said.means) if said else None,
                (said.source or None) if said else None,
                said.basis if said else None,
            ]
        )
    return rows


def proof_rows(workspace: Workspace, asker: Asker, zone: str) -> list[list[object]]:
    """Return the last withdrawals, and when which place obeyed."""
    if not may(asker, "audit"):
        return []
    return [
        [
            wording.moment(one.asked_time, zone),
            one.purpose,
            _MEANS.get(one.means, one.means),
            one.place.replace(":", " "),
            wording.moment(one.applied_time, zone),
            round((one.applied_time - one.asked_time) / 1e6, 1),
        ]
        for one in proofs.listed(workspace.state, most=MOST_ROWS)
    ]
