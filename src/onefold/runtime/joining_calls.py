"""Calls about what two parties have in common, and figures that may be published."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from onefold.governance import require
from onefold.model.errors import BadInput, Conflict, MachineFailed, NotFound
from onefold.model.records import Question
from onefold.model.time import day_start, parse_date
from onefold.runtime import call_params as take
from onefold.runtime.placing import placed
from onefold.runtime.registry import Asked, Body, named
from onefold.sharing import budget as budgets
from onefold.sharing import intersections, joins, releases
from onefold.store import View

Smallest = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class JoinParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A partner's file, and what to join it by."""

    file: take.Place
    column: str
    field: Literal["email", "phone"] = "email"
    by: str = ""
    salt: str = ""
    event: str = ""
    k: Smallest = budgets.SMALLEST_GROUP
    environment: take.Environment = "production"


class IntersectionParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a request goes, about whom."""

    to: take.Place
    field: Literal["email", "phone"] = "email"
    events: str = ""
    k: Smallest = budgets.SMALLEST_GROUP
    environment: take.Environment = "production"


class AnswerParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A partner's request, and where its response goes."""

    file: take.Place
    to: take.Place
    environment: take.Environment = "production"


class ResultParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A partner's response."""

    file: take.Place
    k: Smallest = budgets.SMALLEST_GROUP


class ReleaseParams(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    rename={"from_date": "from", "to_date": "to"},
):
    """What is counted for publication, over which days of UTC, for how much epsilon."""

    event: str
    from_date: str
    to_date: str
    by: Literal["", "day", "source"] = ""
    epsilon: float = 1.0
    each: int = 1
    k: Smallest = budgets.SMALLEST_GROUP
    environment: take.Environment = "production"


def _shared(asked: Asked, environment: str) -> View:
    """Return the facts of who agreed to sharing."""
    require(asked.asker, "see_persons")
    terms = Question(asker=asked.asker, purpose="sharing", environment=environment)
    return asked.workspace.view(terms)


@named("join", JoinParams, action="import", changes=True)
def _join(asked: Asked, params: JoinParams) -> Body:
    """Count who of a partner's file is a customer, by groups and never by person."""
    workspace = asked.workspace
    found = joins.Joined(
        file=placed(asked.workspace, asked.asker, params.file),
        column=params.column,
        field=params.field,
        by=params.by,
        salt=params.salt,
        event=params.event,
        k=params.k,
    )
    view = _shared(asked, params.environment)
    return joins.join_partner(
        view, workspace.vault, workspace.state, asked.asker, found, workspace.identity_key
    )


@named("intersect ask", IntersectionParams, action="import", changes=True)
def _intersect_ask(asked: Asked, params: IntersectionParams) -> Body:
    """Write a request to a partner: how many people have we in common?"""
    workspace = asked.workspace
    place = _new(placed(asked.workspace, asked.asker, params.to))
    request = intersections.ask(
        _shared(asked, params.environment),
        workspace.vault,
        workspace.state,
        asked.asker,
        field=params.field,
        events=[one.strip() for one in params.events.split(",") if one.strip()],
        k=params.k,
    )
    _write(place, request)
    return {"request": str(place), "bytes": len(request)}


@named("intersect answer", AnswerParams, action="import", changes=True)
def _intersect_answer(asked: Asked, params: AnswerParams) -> Body:
    """Write the response to a partner's request; it shows no value of anybody."""
    workspace = asked.workspace
    place = _new(placed(asked.workspace, asked.asker, params.to))
    response = intersections.respond(
        _shared(asked, params.environment),
        workspace.vault,
        workspace.state,
        asked.asker,
        _content(placed(asked.workspace, asked.asker, params.file)),
    )
    _write(place, response)
    return {"response": str(place), "bytes": len(response)}


@named("intersect result", ResultParams, action="import", changes=True)
def _intersect_result(asked: Asked, params: ResultParams) -> Body:
    """Read a partner's response: how many are in common, in groups of at least k."""
    workspace = asked.workspace
    content = _content(placed(asked.workspace, asked.asker, params.file))
    return intersections.result(workspace.state, asked.asker, content, k=params.k)


@named("release", ReleaseParams, action="import", changes=True)
def _release(asked: Asked, params: ReleaseParams) -> Body:
    """Count persons for publication, with noise that hides whether any one is in."""
    first, last = (day_start(parse_date(day), "UTC") for day in (params.from_date, params.to_date))
    if first >= last:
        message = f"The days from {params.from_date} to {params.to_date} are none."
        raise BadInput(message, "Let --to be a later day than --from.")
    what = releases.Release(
        event=params.event,
        from_time=first,
        to_time=last,
        by=params.by,
        epsilon=params.epsilon,
        each=params.each,
        k=params.k,
    )
    view = _shared(asked, params.environment)
    return releases.release(view, asked.workspace.state, asked.asker, what)


@named("budget", take.Nothing)
def _budget(asked: Asked, _: take.Nothing) -> Body:
    """What was told of the people of this workspace, and what is left of the privacy budget."""
    return budgets.listed(asked.workspace.state)


def _new(path: Path) -> Path:
    if path.exists():
        raise Conflict(f"{path.name} is there already.", "Name a new file.")
    if not path.parent.is_dir():
        raise NotFound(f"No folder {path.parent.name}.", "Name a file of a folder that is there.")
    return path


def _write(path: Path, content: bytes) -> None:
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(content)
    except OSError as error:
        message = f"{path.name} cannot be written: {error.strerror}."
        raise MachineFailed(message, "Name another file.") from error


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise NotFound(f"No file {path.name}.", "Give the path of a file that a partner sent.")
    if path.stat().st_size > intersections.MOST_BYTES:
        raise BadInput(f"{path.name} is too large.", "Ask the partner for smaller groups.")
    return path.read_bytes()
