"""Calls about what comes in: sources, imports, quarantine."""

from dataclasses import replace
from typing import Any

import msgspec

from onefold.collect import Source, questions, sources
from onefold.governance import may
from onefold.model.ids import new_secret
from onefold.runtime import call_params as take
from onefold.runtime.registry import Asked, Body, named, table

HIDDEN_KEY = "hidden"
"""What stands for a write key where the asker may not see it."""
_SOURCE = ("name", "write_key", "environment", "basis", "region", "unplanned", "sample", "country")


@named("source list", take.Nothing, whole=False)
def _source_list(asked: Asked, _: take.Nothing) -> Body:
    """Sources with their policies, and their keys for those who may define what is sent."""
    found = sources.list_sources(asked.workspace.state)
    if not may(asked.asker, "define"):
        found = tuple(replace(source, write_key=HIDDEN_KEY) for source in found)
    return table(tuple(map(_source_row, found)), *_SOURCE)


@named("source add", take.SourceParams, action="settings", changes=True)
def _source_add(asked: Asked, params: take.SourceParams) -> Body:
    """Add a source and show its write key."""
    source = Source(write_key=new_secret("wk_"), **_given(params))
    sources.add_source(asked.workspace.state, asked.asker, source)
    return table((_source_row(source),), *_SOURCE)


@named("source set", take.SourceParams, action="settings", changes=True)
def _source_set(asked: Asked, params: take.SourceParams) -> Body:
    """Change the policy of a source; what is left out stays."""
    given = _given(params)
    source = sources.set_source(asked.workspace.state, asked.asker, given.pop("name"), **given)
    return table((_source_row(source),), *_SOURCE)


def _source_row(source: Source) -> tuple[object, ...]:
    return tuple(getattr(source, name) for name in _SOURCE)


def _given(params: msgspec.Struct) -> dict[str, Any]:
    return {k: v for k, v in msgspec.structs.asdict(params).items() if v is not None}


@named("quarantine list", take.QuarantineParams)
def _quarantine_list(asked: Asked, params: take.QuarantineParams) -> Body:
    """What was refused, and why."""
    return questions.waiting(asked.view(params), event=params.event)
