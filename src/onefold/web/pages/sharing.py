"""Sharing: where data goes, on what basis, and what was told to partners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.governance import may
from onefold.model.errors import OnefoldError
from onefold.model.time import parse_time
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web import wording
from onefold.web.desk import ask, back, page, signed_in, text_of
from onefold.web.wording import better, coded, number, worse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

_HERE = "/data/sharing"
_TONES = {"sends": "better", "tried again": "watch", "blocked": "worse", "holds": "better"}
_DONE = {
    "run": "destination run",
    "replay": "destination replay",
    "empty": "destination empty",
}
"""What a button does -> the call that does it."""
WAYS = [
    [
        "A partner's file, joined here",
        "looking a person up by a count, or by two counts that differ little",
        "whoever holds the file knows its values",
        "onefold join",
    ],
    [
        "In common, without a list",
        "either side seeing a value of the other, or who is in common",
        "an asker who changes its software sees small counts too: let a contract forbid it",
        "onefold intersect",
    ],
    [
        "Figures with noise",
        "anybody telling from what is published whether one person is in the data",
        "what is true of a whole group is not hidden",
        "onefold release",
    ],
]
"""Way of joining, what it protects from, what it does not, the command."""


@signed_in(whole=True)
async def sharing(request: Request) -> Response:
    """Show where data goes and what was told."""
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _shown, workspace, asker)
    return page(request, "data/sharing.html", here="Data", title="Sharing", **shown)


@signed_in("settings")
async def act(request: Request) -> Response:
    """Run a destination, deliver its dead letters, or take everything back."""
    workspace, asker = request.app.state.workspace, request.state.asker
    form = await request.form()
    name, what = text_of(form, "name"), text_of(form, "what")
    wanted = _DONE.get(what, _DONE["run"])
    try:
        done = await ask(request, call, workspace, asker, wanted, {"name": name})
    except OnefoldError as error:
        said = f"{error.message} {error.fix}"
        return back(request, _HERE, said, title="Not done", kind="refused")
    told = (
        f"`{name}`: {plural(done.body['events'], 'event')} went, taken back of "
        f"{number(done.body['taken_back_of'])}."
    )
    return back(request, _HERE, told)


@signed_in("settings")
async def register(request: Request) -> Response:
    """Register on what data may cross a border."""
    workspace, asker = request.app.state.workspace, request.state.asker
    form = await request.form()
    given = {n: text_of(form, n) for n in ("from_region", "to_region", "basis", "note", "until")}
    try:
        await ask(
            request,
            call,
            workspace,
            asker,
            "transfer register",
            {name: value for name, value in given.items() if value},
        )
    except OnefoldError as error:
        said = f"{error.message} {error.fix}"
        return back(request, _HERE, said, title="Not done", kind="refused")
    return back(request, _HERE, f"Data may go from {given['from_region']} to {given['to_region']}.")


routes = [
    Route(_HERE, sharing),
    Route(f"{_HERE}/act", act, methods=["POST"]),
    Route(f"{_HERE}/register", register, methods=["POST"]),
]


def _shown(workspace: Workspace, asker: Asker) -> dict[str, Any]:
    zone = workspace.settings.zone

    def rows(name: str, **params: object) -> list[dict[str, Any]]:
        body = call(workspace, asker, name, params).body
        names = [column["name"] for column in body["columns"]]
        return [dict(zip(names, row, strict=True)) for row in body["rows"]]

    going = rows("destination list")
    may_see = may(asker, "audit")
    happened = rows("transfer happened", last=20) if may_see else []
    return {
        "fresh": wording.freshness(workspace.fresh_time, workspace.clock(), zone=zone),
        "question": "Where does data go, and may it?",
        "answer": answer_of(going),
        "lead": lead_of(going),
        "destinations": [destination_row(one, zone) for one in going],
        "names": [one["destination"] for one in going],
        "letters": sum(one["dead_letters"] for one in going),
        "may_change": may(asker, "settings"),
        "may_see": may_see,
        "bases": [basis_row(one, zone) for one in rows("transfer list")],
        "happened": [transfer_row(one, zone) for one in happened],
        "ways": [[*way[:3], coded(f"`{way[3]}`")] for way in WAYS],
        "budget": [budget_row(one) for one in rows("budget")],
    }


def answer_of(going: Sequence[Mapping[str, Any]]) -> list[object]:
    """Return the page's answer, in pieces."""
    if not going:
        return ["Nothing leaves this house."]
    bent = [one for one in going if one["trouble"]]
    events = sum(one["events"] for one in going)
    where = plural(len(going), "destination")
    if not bent:
        return [better("Yes"), f": {plural(events, 'event')} stand at {where}, as consent allows."]
    return [worse(f"{len(bent)} of {where}"), " cannot be sent to."]


def lead_of(going: Sequence[Mapping[str, Any]]) -> str:
    """Return the quiet line under the answer: the first thing to mend."""
    return next((one["trouble"] for one in going if one["trouble"]), "")


def destination_row(one: Mapping[str, Any], zone: str) -> list[object]:
    """Return the row of a destination."""
    return [
        one["destination"],
        one["kind"],
        one["purpose"],
        one["region"],
        one["basis"],
        {"tag": one["state"], "tone": _TONES.get(one["state"], "")},
        number(one["events"]),
        number(one["dead_letters"]),
        _when(one["last_time"], zone),
        coded(one["trouble"]) if one["trouble"] else None,
    ]


def basis_row(one: Mapping[str, Any], zone: str) -> list[object]:
    """Return the row of a basis of the register."""
    return [
        f"{one['from_region']} to {one['to_region']}",
        one["basis"],
        one["note"],
        one["approved_by"],
        _when(one["approved_time"], zone),
        _when(one["until_time"], zone) or "until it is revoked",
        {"tag": one["state"], "tone": _TONES.get(one["state"], "worse")},
    ]


def transfer_row(one: Mapping[str, Any], zone: str) -> list[object]:
    """Return the row of a transfer that happened."""
    return [
        _when(one["transfer_time"], zone),
        one["destination"],
        f"{one['from_region']} to {one['to_region']}",
        f"{one['basis']}, no. {one['basis_id']}",
        number(one["events"]),
        number(one["identifiers"]),
    ]


def budget_row(one: Mapping[str, Any]) -> list[object]:
    """Return the row of a budget."""
    return [
        one["asker"],
        one["data_set"],
        number(one["answers_left"]),
        number(one["epsilon_left"], 2),
    ]


def _when(time: str | None, zone: str) -> str | None:
    return None if time is None else wording.moment(parse_time(time), zone)
