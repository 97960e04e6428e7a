"""Who may do what here: people and roles, keys, sources, each with who changed it last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from onefold.collect import sources
from onefold.consent import BASES
from onefold.governance import keys, may, people, trail
from onefold.model.errors import BadInput, OnefoldError
from onefold.model.records import ROLES
from onefold.runtime import call
from onefold.web.desk import COOKIE, ask, back, page, secure, signed_in, text_of
from onefold.web.wording import count_word, lag

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.model.records import Asker

MOST_DAYS = 3650
_ACTIONS = {
    "user.add": "added {}",
    "user.role": "changed the role of {}",
    "user.shut_out": "shut out {}",
    "user.let_in": "let {} in again",
    "user.link": "made a one-time link for {}",
    "user.password": "chose a password for {}",
    "key.add": "made the key {}",
    "key.revoke": "revoked the key {}",
    "source.add": "added the source {}",
    "source.set": "changed the source {}",
    "personalization.on": "switched it on for {}",
    "personalization.off": "switched it off for {}",
}


_PARTS = ("user", "key", "source", "personalization")


@signed_in()
async def settings(request: Request) -> Response:
    """Show the settings; forms only to those who may use them."""
    return await _show(request)


@signed_in()
async def choose_password(request: Request) -> Response:
    """Choose a password; who has one must know it."""
    form, state = await request.form(), request.app.state.workspace.state
    asker, attempts = request.state.asker, request.app.state.attempts
    current, wanted = str(form.get("current", "")), str(form.get("password", ""))
    key = f"as {asker.name.lower()}"
    try:
        attempts.begin(key)
        if not await ask(request, people.knows_password, state, asker.name, current):
            raise BadInput("That is not your present password.", "Try again.")
        attempts.passed(key)
        await ask(
            request,
            people.choose_password,
            state,
            asker.name,
            wanted,
            asker=asker,
            keep_token=request.cookies.get(COOKIE, ""),
        )
    except OnefoldError as error:
        return await _show(request, error=error)
    return back(request, "/settings", "Your password is set.")


@signed_in()
async def choose_theme(request: Request) -> Response:
    """Keep how this browser shows the pages."""
    theme = text_of(await request.form(), "theme")
    answer = back(request, "/settings", "This browser keeps your choice.")
    if theme in {"light", "dark"}:
        answer.set_cookie(
            "onefold_theme", theme, max_age=31_536_000, samesite="lax", secure=secure(request)
        )
    else:
        answer.delete_cookie("onefold_theme")
    return answer


@signed_in("settings")
async def add_person(request: Request) -> Response:
    """Add somebody and show the link that lets them in once."""
    form, workspace = await request.form(), request.app.state.workspace
    given, asker = {part: text_of(form, part) for part in ("name", "role")}, request.state.asker
    try:
        user = await ask(request, lambda: call(workspace, asker, "user add", given).body)
        link = await ask(request, lambda: _link_for(workspace, asker, user["name"]))
    except OnefoldError as error:
        return await _show(request, error=error)
    return await _show(request, once=_link_once(request, user["name"], link))


@signed_in("settings")
async def change_person(request: Request) -> Response:
    """Give a role, shut out, let in, or make a link, as the pressed button says."""
    form, workspace = await request.form(), request.app.state.workspace
    asker, name, what = request.state.asker, text_of(form, "name"), text_of(form, "do")
    given: dict[str, object] = {"name": name}
    if what in {"shut_out", "let_in"}:
        given["out"] = what == "shut_out"
    else:
        given["role"] = text_of(form, "role")
    try:
        if what == "link":
            link = await ask(request, lambda: _link_for(workspace, asker, name))
            return await _show(request, once=_link_once(request, name, link))
        await ask(request, call, workspace, asker, "user set", given)
    except OnefoldError as error:
        return await _show(request, error=error)
    return back(request, "/settings#people", f"`{name}` is changed.")


@signed_in("settings")
async def add_key(request: Request) -> Response:
    """Make a key and show it this once."""
    form, workspace = await request.form(), request.app.state.workspace
    asker = request.state.asker
    scopes = tuple(scope for scope in keys.SCOPES if scope in form.getlist("scope"))
    try:
        given = {"name": text_of(form, "name"), "scopes": scopes, "days": _days(form)}
        made = await ask(request, lambda: call(workspace, asker, "key add", given).body)
    except OnefoldError as error:
        return await _show(request, error=error)
    once = {"label": f"Key {made['name']}", "secret": made["api_key"]}
    return await _show(request, once=once)


@signed_in("settings")
async def revoke_key(request: Request) -> Response:
    """End a key."""
    workspace, name = request.app.state.workspace, text_of(await request.form(), "name")
    try:
        await ask(request, call, workspace, request.state.asker, "key revoke", {"name": name})
    except OnefoldError as error:
        return await _show(request, error=error)
    return back(request, "/settings#keys", f"The key `{name}` opens nothing any more.")


@signed_in("settings")
async def add_source(request: Request) -> Response:
    """Add a source with a new write key."""
    form, workspace = await request.form(), request.app.state.workspace
    parts = ("name", "environment", "basis", "unplanned", "region", "country")
    given = {name: text_of(form, name) for name in parts}
    try:
        await ask(request, call, workspace, request.state.asker, "source add", given)
    except OnefoldError as error:
        return await _show(request, error=error)
    return back(request, "/settings#sources", f"The source `{given['name']}` takes events now.")


@signed_in("settings")
async def change_source(request: Request) -> Response:
    """Change what may be kept of a source's events."""
    form, workspace = await request.form(), request.app.state.workspace
    given = {field: text_of(form, field) for field in ("name", "environment", "basis", "unplanned")}
    if "country" in form:  # an empty one takes the setting away, none at all leaves it
        given["country"] = text_of(form, "country")
    try:
        await ask(request, call, workspace, request.state.asker, "source set", given)
    except OnefoldError as error:
        return await _show(request, error=error)
    return back(request, "/settings#sources", f"The source `{given['name']}` is changed.")


@signed_in("settings")
async def switch_personalization(request: Request) -> Response:
    """Switch personalization on or off for everybody."""
    form, workspace = await request.form(), request.app.state.workspace
    given = {"to": text_of(form, "to")}
    try:
        await ask(request, call, workspace, request.state.asker, "personalization switch", given)
    except OnefoldError as error:
        return await _show(request, error=error)
    words = f"Personalization is {given['to']} for everybody."
    return back(request, "/settings#personalization", words)


routes = [
    Route("/settings", settings, methods=["GET"]),
    Route("/settings/password", choose_password, methods=["POST"]),
    Route("/settings/theme", choose_theme, methods=["POST"]),
    Route("/settings/people", add_person, methods=["POST"]),
    Route("/settings/people/change", change_person, methods=["POST"]),
    Route("/settings/keys", add_key, methods=["POST"]),
    Route("/settings/keys/revoke", revoke_key, methods=["POST"]),
    Route("/settings/personalization", switch_personalization, methods=["POST"]),
    Route("/settings/sources", add_source, methods=["POST"]),
    Route("/settings/sources/change", change_source, methods=["POST"]),
]


async def _show(
    request: Request,
    *,
    error: OnefoldError | None = None,
    once: dict[str, str] | None = None,
) -> Response:
    workspace, asker = request.app.state.workspace, request.state.asker
    shown = await ask(request, _settings, workspace, asker)
    theme = request.cookies.get("onefold_theme", "")
    return page(
        request,
        "settings.html",
        status=error.status if error else 200,
        title="Settings",
        here="Settings",
        owner=may(asker, "settings"),
        sees_keys=may(asker, "define"),
        error=error,
        once=once,
        chosen_theme=theme or "as the system",
        roles=ROLES,
        scopes=keys.SCOPES,
        bases=tuple(BASES),
        environments=sources.ENVIRONMENTS,
        unplanned=sources.UNPLANNED,
        **shown,
    )


def _settings(workspace: Any, asker: Asker) -> dict[str, Any]:
    state, now = workspace.state, workspace.clock()
    users, api_keys, all_sources = (
        people.users(state),
        keys.api_keys(state),
        sources.list_sources(state),
    )
    in_force = [key for key in api_keys if key.standing(now) == "in force"]
    counted = ((len(users), "person", "people"), (len(in_force), "key", "keys"))
    found = [_counted(*each) for each in (*counted, (len(all_sources), "source", "sources"))]
    return {
        "counted": f"{found[0].capitalize()}, {found[1]} and {found[2]}",
        "owners": count_word(sum(user.role == "owner" and not user.disabled for user in users)),
        "owner_count": sum(user.role == "owner" and not user.disabled for user in users),
        "me": people.user_named(state, asker.name),
        "users": users,
        "api_keys": [_key_row(key, now) for key in api_keys],
        "sources": all_sources,
        "trails": {part: _last(state, part, now) for part in _PARTS},
        "personalized": call(workspace, asker, "personalization show", {}).body["on"],
        "zone": workspace.settings.zone,
        "workspace_file": "onefold.toml",
    }


def _counted(count: int, one: str, many: str) -> str:
    return f"{count_word(count).lower()} {one if count == 1 else many}"


def _days(form: Any) -> int:
    text = text_of(form, "days")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= MOST_DAYS):
        raise BadInput(f"{text[:20]!r} is no number of days.", f"Write 1 to {MOST_DAYS}, or none.")
    return int(text)


def _key_row(key: Any, now: int) -> dict[str, Any]:
    used = key.last_used_time
    return {
        "name": key.name,
        "hint": f"of_…{key.hint}",
        "scopes": ", ".join(key.scopes),
        "created": key.created_time,
        "used": "never" if used is None else f"{lag((now - used) / 1_000_000)} ago",
        "standing": key.standing(now),
        "expires": key.expires_time,
    }


def _last(state: Any, part: str, now: int) -> list[str]:
    """Return the newest changes of a section in words, newest first."""
    lines = []
    changes = trail(state, most=50, action=f"{part}.")
    for entry in [each for each in changes if each.action != "user.sign_in"][:3]:
        words = _ACTIONS.get(entry.action, entry.action.replace(".", " ") + " {}")
        detail = json.loads(entry.detail or "{}")
        more = f" ({detail['role']})" if "role" in detail else ""
        ago = lag((now - entry.time) / 1_000_000)
        lines.append(f"{entry.actor} {words.format(entry.subject)}{more} {ago} ago")
    return lines


def _link_for(workspace: Any, asker: Asker, name: str) -> str:
    return str(call(workspace, asker, "user link", {"name": name}).body["path"])


def _link_once(request: Request, name: str, link: str) -> dict[str, str]:
    base = f"{'https' if secure(request) else 'http'}://{request.headers.get('host', '')}"
    return {
        "label": f"One-time link for {name}",
        "secret": base + link,
        "words": "Opens once, within a day. Whoever has it comes in as this person.",
    }
