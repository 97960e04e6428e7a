"""The register of what people ask for: what, when, until when, and what became of it."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onefold.model.records import Answer, Asker, Column
from onefold.model.time import DAY
from onefold.store import State, tables

ERASE, EXPORT = "erase", "export"
DUE_DAYS = 30
"""Days within which a request is to be answered unless told otherwise (GDPR art. 12: a month)."""

_requests = tables.requests


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        id: Its own.
        kind: `erase` or `export`.
        subject: `person:` and the number of whom it is about; never a name.
        asked_by: Who noted it.
        received_time: Microseconds; likewise until when it is due.
        begun_time: When the work began, None before.
        done_time: When it was done, None before.
        detail: What became of it: counts and places, nothing personal.
    """

    id: str
    kind: str
    subject: str
    asked_by: str
    received_time: int
    due_time: int
    begun_time: int | None
    done_time: int | None
    detail: Mapping[str, Any]


def subject_of(person_id: int) -> str:
    """Return how a register calls a person."""
    return f"person:{person_id}"


def noted(
    state: State,
    asker: Asker,
    kind: str,
    person_id: int,
    *,
    now: int,
    due_days: int = DUE_DAYS,
    received_time: int | None = None,
) -> Request:
    """Note a request; one of its kind that is open for the same person stays as it is."""
    subject = subject_of(person_id)
    standing = [one for one in of(state, subject) if one.kind == kind and one.done_time is None]
    if standing:
        return standing[0]
    received = now if received_time is None else received_time
    row = {
        "id": secrets.token_hex(8),
        "kind": kind,
        "subject": subject,
        "asked_by": asker.name,
        "received_time": received,
        "due_time": received + due_days * DAY,
        "begun_time": None,
        "done_time": None,
        "detail": "{}",
    }
    with state.change(asker, f"request.{kind}", subject, detail={"request": row["id"]}) as change:
        change.execute(_requests.insert().values(**row))
    return _request(row)


def of(state: State, subject: str) -> tuple[Request, ...]:
    """Return the requests about one person, the newest first."""
    return tuple(one for one in every(state) if one.subject == subject)


def every(state: State) -> tuple[Request, ...]:
    """Return all requests: those open first, the most pressing before; then the newest done."""
    found = [_request(row) for row in state.rows(_requests.select())]
    waiting = sorted((r for r in found if r.done_time is None), key=lambda r: (r.due_time, r.id))
    done = sorted((r for r in found if r.done_time is not None), key=lambda r: -(r.done_time or 0))
    return (*waiting, *done)


def unfinished(state: State) -> tuple[Request, ...]:
    """Return the erasures that were begun and not brought to their end."""
    begun = _requests.c.begun_time.is_not(None) & _requests.c.done_time.is_(None)
    rows = state.rows(_requests.select().where(begun & (_requests.c.kind == ERASE)))
    return tuple(map(_request, rows))


def work(
    state: State,
    asker: Asker,
    request: Request,
    action: str,
    detail: Mapping[str, Any],
    entry: tuple[str, Mapping[str, object]] | None = None,
) -> None:
    """Note how far the work on a request is, with an entry for the log where one tells of it."""
    said = {"request": request.id, **detail}
    with state.change(asker, action, request.subject, detail=said, entry=entry) as change:
        mine = _requests.c.id == request.id
        values = {"detail": json.dumps(dict(detail))}
        change.execute(_requests.update().where(mine).values(**values))


def end(state: State, asker: Asker, request: Request, detail: Mapping[str, Any]) -> None:
    """Note that a request is done, and what became of it."""
    now = state.now()
    values = {"done_time": now, "detail": json.dumps(dict(detail))}
    values.setdefault("begun_time", request.begun_time or now)
    action = f"request.{request.kind}.done"
    said = {"request": request.id, **detail}
    with state.change(asker, action, request.subject, detail=said) as change:
        mine = _requests.c.id == request.id
        change.execute(_requests.update().where(mine).values(**values))


def register(state: State, *, now: int) -> Answer:
    """Return the register: one row a request, what is open and most pressing first."""
    rows = tuple(
        (
            one.id,
            one.kind,
            one.subject,
            one.received_time,
            one.due_time,
            one.done_time,
            _standing(one, now),
            one.asked_by,
        )
        for one in every(state)
    )
    return Answer(
        columns=(
            Column("request", "text"),
            Column("kind", "text"),
            Column("subject", "text"),
            Column("received_time", "time"),
            Column("due_time", "time"),
            Column("done_time", "time"),
            Column("standing", "text"),
            Column("asked_by", "text"),
        ),
        rows=rows,
        definition="What people asked for: their data, or to be erased. A person is named by a "
        "number that tells nothing once it is erased.",
    )


def _standing(one: Request, now: int) -> str:
    if one.done_time is not None:
        return "done" if one.done_time <= one.due_time else "done late"
    if now > one.due_time:
        return "overdue"
    return "under way" if one.begun_time is not None else "open"


def _request(row: Any) -> Request:
    fields = {name: row[name] for name in Request.__slots__}
    return Request(**fields | {"detail": json.loads(row["detail"] or "{}")})
