"""Who sees what: policies by row and class, the teams they name, as forms for owners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.governance import people, policies
from onefold.model.errors import BadInput, OnefoldError
from onefold.model.words import plural
from onefold.runtime import call
from onefold.web.desk import ask, back, page, signed_in, text_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.runtime import Workspace

PATH = "/settings/access"
_LISTS = ("who", "accounts", "owners", "regions", "campaigns")
_LIMITED = "limited"


@signed_in("settings")
async def access(request: Request) -> Response:
    """Show policies and teams, and the forms that change them."""
    return await _show(request)


@signed_in("settings")
async def change(request: Request) -> Response:
    """Let a policy or a team hold, or end one, as the pressed button says."""
    workspace, form = request.app.state.workspace, await request.form()
    what, name = text_of(form, "do"), text_of(form, "name")
    given: dict[str, Any] = {"name": name}
    if what == "policy set":
        given |= {part: _words(text_of(form, part)) for part in _LISTS}
        given["note"] = text_of(form, "note")
        if text_of(form, "clear") == _LIMITED:
            given["classes"] = [str(each) for each in form.getlist("class")]
    elif what == "team set":
        given["members"] = _words(text_of(form, "members"))
    try:
        if what not in _DONE:
            raise BadInput(f"No change `{what[:40]}`.", "Use the buttons of the page.")
        await ask(request, call, workspace, request.state.asker, what, given)
    except OnefoldError as error:
        return await _show(request, error=error)
    return back(request, PATH, _DONE[what].format(name))


_DONE = {
    "policy set": "The policy `{}` holds from the next question on.",
    "policy remove": "The policy `{}` is gone.",
    "team set": "The team `{}` is kept.",
    "team remove": "The team `{}` is gone.",
}
routes = [Route(PATH, access, methods=["GET"]), Route(PATH, change, methods=["POST"])]


def _words(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


async def _show(request: Request, *, error: OnefoldError | None = None) -> Response:
    shown = await ask(request, _shown, request.app.state.workspace)
    status = error.status if error else 200
    named = {"here": "Settings", "title": "Access", "error": error}
    return page(request, "govern/access.html", status=status, **named, **shown)


def _shown(workspace: Workspace) -> dict[str, Any]:
    state = workspace.state
    made, teams = policies.policies(state), policies.teams(state)
    return {
        "question": "Who sees which rows, and what of persons in clear?",
        "answer": answer_of(len(made)),
        "lead": "Whom no policy names sees every row, and of persons what the role lets be read.",
        "policies": [policy_row(one) for one in made],
        "policy_names": [one.name for one in made],
        "teams": [[one.name, ", ".join(one.members)] for one in teams],
        "team_names": [one.name for one in teams],
        "classes": policies.CLASSES,
        "users": ", ".join(user.name for user in people.users(state)),
        "path": PATH,
        "limited": _LIMITED,
    }


def answer_of(count: int) -> str:
    """Return the page's answer."""
    if not count:
        return "Everybody sees every row: no policy holds."
    verb = "says" if count == 1 else "say"
    return f"{plural(count, 'policy', 'policies')} {verb} who sees what."


def policy_row(one: policies.Policy) -> list[object]:
    """Return a policy as a row: whom it binds, its rows, its classes, why."""
    parts = ("accounts", "owners", "regions", "campaigns")
    rows = [f"{part}: {', '.join(getattr(one, part))}" for part in parts if getattr(one, part)]
    clear = "as the role" if one.classes is None else ", ".join(one.classes) or "nothing"
    return [one.name, ", ".join(one.who), "; ".join(rows) or "every row", clear, one.note or None]
