"""Everything about a person, from every room: as JSON, and as a page that anybody can read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path
from typing import Any

import msgspec

from onefold import __version__
from onefold.collect import questions
from onefold.consent import purposes_in
from onefold.model.errors import MachineFailed
from onefold.model.records import Answer, Asker, Column
from onefold.model.time import format_time
from onefold.runtime import people_requests as requests
from onefold.runtime.erasing import EXPORTS
from onefold.runtime.known_by import KnownBy, known_by
from onefold.runtime.rights import STATES
from onefold.runtime.workspace import Workspace

Table = list[dict[str, Any]]

_TITLES = {
    "identifiers": "What you are known by",
    "personal": "What you told of yourself",
    "events": "What happened, event by event",
    "sessions": "Visits",
    "edges": "Why these identifiers are taken for one person",
    "links": "What was decided by hand on who is who",
    "memberships": "Accounts you belong to",
    "consents": "What you agreed to, and what not",
    "contacts": "Entries brought in from other systems",
    "quarantine": "Messages that wait and count nowhere",
    "contexts": "Browsers, devices and channels of your events",
    "requests": "What you asked for",
}
_FIRST = tuple(_TITLES)
_INNER = frozenset({"message_hi", "message_lo", "context_key", "person_id"})
"""Columns that are numbers of the machine's alone: only the JSON has them."""
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "table{border-collapse:collapse;margin:0 0 2rem}td,th{border:1px solid;padding:.2rem .5rem;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}div{overflow-x:auto}"
)


def export(workspace: Workspace, asker: Asker, text: str, folder: str = "") -> Answer:
    """Write everything about a person into a folder, as JSON and as a page; return what it holds.

    All purposes, all environments: it is the person's own. The register notes it as answered.

    Args:
        workspace: From which.
        asker: Who does it.
        text: Whom: an identifier, `kind:value` or bare, or `person:NUMBER`.
        folder: Where; `exports/person-NUMBER` in the workspace when empty. An erasure removes that.

    Raises:
        NotFound: It stands for nobody.
        MachineFailed: The folder cannot be written.
    """
    workspace.catch_up()
    found = known_by(workspace, text)
    now = workspace.clock()
    request = requests.noted(workspace.state, asker, requests.EXPORT, found.person_id, now=now)
    told = tell(workspace, found)
    subject = requests.subject_of(found.person_id)
    place = workspace.folder / (folder or Path(EXPORTS) / subject.replace(":", "-"))
    head = {"person": subject, "made_time": format_time(now), "onefold": __version__}
    _write(place, head, told)
    counts = {name: len(rows) for name, rows in told.items()}
    requests.end(workspace.state, asker, request, counts)
    return Answer(
        columns=(Column("what", "text"), Column("rows", "integer")),
        rows=tuple(counts.items()),
        definition="Everything that the workspace holds of the person, from every room.",
        notes=(f"Written to {place}: person.json, and person.html to read.",),
        as_of_time=workspace.fresh_time,
    )


def tell(workspace: Workspace, found: KnownBy) -> dict[str, Table]:
    """Return what every room keeps of a person: name of the room's table -> rows, in words."""
    keys = found.keys | found.shared
    with workspace.folds.generation.facts.transaction() as writer:
        told = workspace.folds.told(keys, writer)
    with workspace.state.read() as connection:
        for room in STATES:
            told |= room.tell(keys, connection)
    names = workspace.vault.names({*keys, *found.named, *_keys_in(told)})
    said = {key: f"{name.kind}:{name.value}" for key, name in names.items()}
    fields = sorted(workspace.vault.fields(keys), key=lambda one: (one.field, one.event_time))
    told["personal"] = [
        {"field": one.field, "value": one.value, "told_time": format_time(one.event_time)}
        for one in fields
    ]
    if told.get("quarantine"):
        told["quarantine"] = [_with_content(row, workspace) for row in told["quarantine"]]
    told.pop("echoes", None)
    subject = requests.subject_of(found.person_id)
    told["requests"] = [
        {"kind": one.kind, "received_time": one.received_time, "done_time": one.done_time}
        for one in requests.of(workspace.state, subject)
    ]
    order = [*_FIRST, *sorted(set(told) - set(_FIRST))]
    return {name: [_in_words(row, said) for row in told[name]] for name in order if told.get(name)}


def _keys_in(told: Mapping[str, Table]) -> Iterator[int]:
    for rows in told.values():
        for row in rows:
            for name, value in row.items():
                if isinstance(value, int) and _is_key(name):
                    yield value


def _is_key(name: str) -> bool:
    return name.endswith("_key") or name in {"key", "identifier"}


def _with_content(row: dict[str, Any], workspace: Workspace) -> dict[str, Any]:
    """Return a message that waits, with what it says."""
    at = row["log_offset"], row["place"]
    return row | {"content": questions.waiting_event(workspace.log, *at, persons=True)}


def _in_words(row: Mapping[str, Any], said: Mapping[int, str]) -> dict[str, Any]:
    return {name: _word(name, value, said) for name, value in row.items() if value is not None}


def _word(name: str, value: Any, said: Mapping[int, str]) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int) and _is_key(name):
        return said.get(value, value)
    if isinstance(value, int) and name.endswith("_time"):
        return format_time(value)
    if name == "purposes" and isinstance(value, int):
        return ", ".join(purposes_in(value))
    if name == "properties" and isinstance(value, str):
        return msgspec.json.decode(value)
    return value


def _write(place: Path, head: Mapping[str, Any], told: Mapping[str, Table]) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps({**head, **told}, ensure_ascii=False, indent=2)
        for name, content in (("person.json", text), ("person.html", page(head, told))):
            path = place / name
            path.touch(mode=0o600)
            path.write_text(content, "utf-8")
    except OSError as error:
        message = f"{place} cannot be written: {error.strerror or error}."
        raise MachineFailed(message, "Make room, or name another folder.") from error


def page(head: Mapping[str, Any], told: Mapping[str, Table]) -> str:
    """Return a page without scripts that shows all of it."""
    parts = [f"<section>{_section(name, rows)}</section>" for name, rows in told.items()]
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'><title>Your data</title>"
        f"<style>{_STYLE}</style><main><h1>Your data</h1>"
        f"<p>All that is kept of you, as of {escape(str(head['made_time']))}.</p>"
        f"{''.join(parts)}</main></html>"
    )


def _section(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    columns = [one for one in dict.fromkeys(c for row in rows for c in row) if one not in _INNER]
    head = "".join(f"<th scope=col>{escape(one.replace('_', ' '))}</th>" for one in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{_cell(row.get(one))}</td>' for one in columns)}</tr>" for row in rows
    )
    title = escape(_TITLES.get(name, name.replace("_", " ").capitalize()))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<h2>{title} ({len(rows):,})</h2><div tabindex=0>{table}</div>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return escape(json.dumps(value, ensure_ascii=False))
    return escape(str(value))
