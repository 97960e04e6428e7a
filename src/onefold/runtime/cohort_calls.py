"""Calls about frozen cohorts: who was in one stays in it, whatever is decided of who is who."""

from typing import Annotated, Any

import msgspec

from onefold.identity import groups
from onefold.metrics import questions
from onefold.model.errors import BadInput, Conflict, unknown
from onefold.model.records import Answer, Column
from onefold.model.time import day_start, parse_date
from onefold.runtime import call_params as take
from onefold.runtime.registry import Asked, Body, named
from onefold.runtime.segmenting import own_view, segments_of
from onefold.store import View

_LONGEST = 100


class FreezeParams(
    take.Asking, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """A cohort of who did an event over days, or of the members of a segment.

    `from` is inclusive, `to` is exclusive. A segment has its members as of the begin of `to`;
    without it, as of now.
    """

    name: str
    event: str = ""
    from_date: str = ""
    to_date: str = ""
    segment: str = ""


class CohortParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A frozen cohort by its name."""

    name: str


class ShowParams(take.Asking, frozen=True, kw_only=True):
    """A frozen cohort by its name, and how many of its members."""

    name: str
    last: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 100


def _change(asked: Asked, action: str, name: str, entry: Any, detail: dict[str, object]) -> None:
    body: dict[str, object] = msgspec.to_builtins(entry)
    told = (action, body)
    with asked.workspace.state.change(asked.asker, action, name, detail=detail, entry=told):
        pass
    asked.workspace.catch_up(asked.progress)


@named("cohort freeze", FreezeParams, action="define", changes=True, whole=True)
def _freeze(asked: Asked, params: FreezeParams) -> Body:
    """Freeze who did an event, or is in a segment: members stay, whoever is merged afterwards."""
    view = asked.view(params)
    name = params.name.strip()
    if not name or len(name) > _LONGEST or not name.isprintable():
        message = f"`{params.name[:_LONGEST]}` is not a cohort's name."
        raise BadInput(message, f"Use at most {_LONGEST} letters, none of them unseen.")
    if any(one.name == name for one in groups.frozen(view)):
        raise Conflict(f"A cohort `{name}` is frozen already.", "Take another name.")
    members, how = (_in_segment if params.segment else _doers)(asked, view, params)
    now = asked.workspace.clock()
    entry = groups.Frozen(name, how, now, {str(one): keys for one, keys in members.items()})
    _change(asked, groups.FREEZE, name, entry, {"how": how, "members": len(members)})
    return {"cohort": name, "members": len(members), "how": how}


def _doers(_: Asked, view: View, params: FreezeParams) -> tuple[dict[int, list[int]], str]:
    """Return who did the event in the days, by person the keys of its identifiers, and how."""
    if not (params.event and params.from_date and params.to_date):
        message = "Whom to freeze is not said."
        raise BadInput(message, "Name a segment; or an event, with --from and --to.")
    days = (params.from_date, params.to_date)
    first, after = (day_start(parse_date(day), view.zone) for day in days)
    if first >= after:
        message = f"The days from {params.from_date} to {params.to_date} are none."
        raise BadInput(message, "Let --to be a later day than --from.")
    members = groups.who_did(view, params.event, (first, after))
    if not members or len(members) > groups.MOST_MEMBERS:
        message = f"{len(members):,} persons did `{params.event}` then."
        raise BadInput(message, "Choose an event and days that anybody was seen with.")
    return members, f"did {params.event} from {params.from_date} to {params.to_date}"


def _in_segment(asked: Asked, view: View, params: FreezeParams) -> tuple[dict[int, list[int]], str]:
    """Return who belongs to the segment, by person the keys of its identifiers, and how."""
    if params.event or params.from_date:
        message = "A segment and an event are named at once."
        raise BadInput(message, "Leave out --event and --from: a segment has its own days.")
    at = day_start(parse_date(params.to_date), view.zone) if params.to_date else view.now
    one = questions.segments.segment_named(segments_of(asked.workspace), params.segment)
    own = own_view(asked.workspace, view, one)
    found = questions.segments.members(view, one, min(at, view.now), own=own)
    members = groups.who_are(view, found)
    if not members or len(members) > groups.MOST_MEMBERS:
        message = f"{len(members):,} persons are in the segment `{one.name}` then."
        raise BadInput(message, "Choose a segment and a day that anybody was in it.")
    return members, f"in segment {one.name}, version {one.version}, {_as_of(params.to_date)}"


def _as_of(day: str) -> str:
    return f"as of the begin of {day}" if day else "as it was frozen"


@named("cohort dissolve", CohortParams, action="define", changes=True, whole=True)
def _dissolve(asked: Asked, params: CohortParams) -> Body:
    """Take a frozen cohort back, as if it had never been."""
    names = [one.name for one in groups.frozen(asked.view(take.Asking()))]
    if params.name not in names:
        raise unknown("cohort", params.name, names)
    _change(asked, groups.DISSOLVE, params.name, groups.Frozen(params.name), {})
    return {"cohort": params.name, "dissolved": True}


@named("cohort show", ShowParams, action="see_persons")
def _show(asked: Asked, params: ShowParams) -> Body:
    """The members of a frozen cohort, those of whom something changed first."""
    view = asked.view(params)
    names = [one.name for one in groups.frozen(view)]
    if params.name not in names:
        raise unknown("cohort", params.name, names)
    found = groups.members(view, params.name)
    shown = found[: params.last]
    # A person's number is the key of one of its identifiers.
    known = asked.vault().names([one.member for one in shown])
    told = {key: f"{one.kind}:{one.value}" for key, one in known.items()}
    return Answer(
        columns=tuple(
            Column(name, "text") for name in ("member", "known_as", "change", "now", "with")
        ),
        rows=tuple(
            (
                str(one.member),
                told.get(one.member, ""),
                one.change,
                _numbers(one.now),
                _numbers(one.others),
            )
            for one in shown
        ),
        definition="Each member is the person that it was when the cohort was frozen; now says to "
        "which persons its identifiers belong, with which other members are one person with it.",
        notes=(f"{len(found) - len(shown):,} more are not shown.",) * (len(found) > len(shown)),
        as_of_time=view.fresh_time,
    )


def _numbers(persons: tuple[int, ...]) -> str:
    return ", ".join(map(str, persons))


@named("cohort list", take.Asking, action="see_persons")
def _list(asked: Asked, params: take.Asking) -> Body:
    """Frozen cohorts: members as they were, and beside them what has changed of who is who."""
    view = asked.view(params)
    return Answer(
        columns=(
            Column("cohort", "text"),
            Column("how", "text"),
            Column("frozen_time", "time"),
            *(Column(name, "integer", "persons") for name in ("members", "merged", "split")),
            Column("gone", "integer", "persons"),
        ),
        rows=tuple(
            (one.name, one.how, one.frozen_time, one.members, one.merged, one.split, one.gone)
            for one in groups.frozen(view)
        ),
        definition="Members stay as they were when the cohort was frozen. Merged: now one person "
        "with another member; split: now several persons; gone: nobody is known by it any more.",
        as_of_time=view.fresh_time,
    )
