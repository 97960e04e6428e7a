"""Calls about segments: listed, shown over time; put together, tried, kept here, removed."""

from typing import Annotated

import msgspec

from onefold.metrics import questions
from onefold.model.errors import Conflict
from onefold.model.records import Answer, Column
from onefold.runtime import call_params as take
from onefold.runtime.question_calls import span_of
from onefold.runtime.registry import Asked, Body, named
from onefold.runtime.segmenting import Segment, own_view, segments_of

_Text = Annotated[str, msgspec.Meta(max_length=20_000)]
_Field = Annotated[str, msgspec.Meta(max_length=2_000)]
_HERE = "segment"
"""How complaints name the text."""


class SegmentParams(
    take.Asking, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """The members of a segment over days; without `every` at their end."""

    name: str
    every: take.Every | None = None
    from_date: str | None = None
    to_date: str | None = None


class RuleParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line of a form: how it stands to the others, of what it is, and of which values."""

    join: _Field = "all"
    of: _Field = "did"
    name: _Field = ""
    property: _Field = ""
    values: _Field = ""
    at_least: _Field = ""
    at_most: _Field = ""
    days: _Field = ""


class ComposeSegmentParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a form says of a segment; values are apart by commas."""

    label: _Field
    description: _Field = ""
    owner: _Field = ""
    purpose: _Field = ""
    version: _Field = ""
    rules: Annotated[tuple[RuleParams, ...], msgspec.Meta(max_length=24)] = ()


class SegmentTextParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A segment as YAML."""

    text: _Text


class TrySegmentParams(
    take.Asking, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """A segment as YAML, over days; `from` is inclusive, `to` is exclusive."""

    text: _Text
    every: take.Every | None = None
    from_date: str | None = None
    to_date: str | None = None


class DropSegmentParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A segment that is kept here, by its name."""

    name: str


@named("segment list", take.Asking)
def _segments(asked: Asked, params: take.Asking) -> Body:
    """The segments that are defined, with how many belong to each now."""
    view, known = asked.view(params), segments_of(asked.workspace)
    rows = []
    for name, one in sorted(known.items()):
        own = own_view(asked.workspace, view, one)
        found = questions.segments.members(view, one, view.now, own=own)
        count = view.ask(found.aggregate(n=found.count())).column("n")[0].as_py()
        told = (name, one.label, one.words, count, one.owner, one.version)
        rows.append((*told, one.purpose, one.origin))
    return Answer(
        columns=(
            *(Column(name, "text") for name in ("segment", "label", "who")),
            Column("members", "integer", "people"),
            Column("owner", "text"),
            Column("version", "integer"),
            *(Column(name, "text") for name in ("purpose", "origin")),
        ),
        rows=tuple(rows),
        definition="Segments of definitions/segments and those kept here, with whom they hold of "
        "now: of those alone who may be asked of for what the segment is for.",
        as_of_time=view.fresh_time,
    )


@named("segment show", SegmentParams)
def _segment(asked: Asked, params: SegmentParams) -> Body:
    """How many belong to a segment over time, and who came and went."""
    known = segments_of(asked.workspace)
    return _membership(asked, params, questions.segments.segment_named(known, params.name))


@named("segment compose", ComposeSegmentParams, action="compose", whole=False)
def _compose(_: Asked, params: ComposeSegmentParams) -> Body:
    """The YAML of a segment that a form describes; nothing is kept."""
    given = {key: value for key, value in msgspec.to_builtins(params).items() if value}
    text = questions.segments.composed(given, given.pop("rules", ()))
    return {"segment": questions.segments.parse_segment(text, _HERE).name, "text": text}


@named("segment try", TrySegmentParams, action="compose")
def _try(asked: Asked, params: TrySegmentParams) -> Body:
    """The members of a segment that is not kept, over the last 28 whole days or those named."""
    return _membership(asked, params, questions.segments.parse_segment(params.text, _HERE))


@named("segment keep", SegmentTextParams, action="compose", changes=True, whole=False)
def _keep(asked: Asked, params: SegmentTextParams) -> Body:
    """Keep a segment that is written as YAML here, without a file; a change is a new version."""
    workspace = asked.workspace
    one = questions.segments.parse_segment(params.text, _HERE, origin=questions.segments.KEPT)
    before = segments_of(workspace).get(one.name)
    _check_free(before, one.name)
    told: dict[str, object] = {"segment": one.name, "version": one.version}
    if before == one:
        return {**told, "changed": False}
    if before and one.version <= before.version:
        message = f"Version {one.version} of segment `{one.name}` says something else."
        raise Conflict(message, f"Write `version: {before.version + 1}`.")
    detail: dict[str, object] = {"version": one.version}
    with workspace.state.change(asked.asker, "segment.keep", one.name, detail=detail) as change:
        questions.segments.keep(
            change,
            one.name,
            params.text,
            version=one.version,
            by=asked.asker.name,
            now=workspace.clock(),
        )
    return {**told, "changed": True}


@named("segment drop", DropSegmentParams, action="compose", changes=True, whole=False)
def _drop(asked: Asked, params: DropSegmentParams) -> Body:
    """Remove a segment that is kept here."""
    workspace = asked.workspace
    one = questions.segments.segment_named(segments_of(workspace), params.name)
    _check_free(one, one.name)
    with workspace.state.change(asked.asker, "segment.drop", one.name) as change:
        questions.segments.drop(change, one.name)
    return {"segment": one.name, "dropped": True}


def _membership(asked: Asked, params: SegmentParams | TrySegmentParams, one: Segment) -> Answer:
    view = asked.view(params)
    span = span_of(view, params.from_date, params.to_date)
    own = own_view(asked.workspace, view, one)
    return questions.segments.membership(view, one, span, every=params.every or "none", own=own)


def _check_free(before: Segment | None, name: str) -> None:
    """Refuse a name under which something stands in git.

    Raises:
        Conflict: It does.
    """
    if before is not None and before.origin == questions.segments.IN_GIT:
        message = f"Segment `{name}` stands in definitions/segments."
        raise Conflict(message, "Change it there, or take another name here.")
