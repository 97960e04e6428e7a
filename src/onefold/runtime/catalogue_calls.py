"""Calls about the catalogue: described, brought in, handed out, checked; waiting events let in."""

from typing import Literal

import msgspec

from onefold.runtime import auditing, cataloguing, retrying
from onefold.runtime import call_params as take
from onefold.runtime.placing import placed
from onefold.runtime.registry import Asked, Body, Outcome, named

Kind = Literal["segment", "iglu"]


class InferParams(take.Asking, frozen=True, kw_only=True):
    """Descriptions of recorded events: of one, or of all that nobody described."""

    event: str | None = None
    overwrite: bool = False
    dry_run: bool = False


class PlanParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A tracking plan or schemas to bring in."""

    path: take.Place
    kind: Kind | None = None
    overwrite: bool = False
    dry_run: bool = False


class HandOutParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """As what to hand the catalogue out."""

    kind: Kind = "segment"
    vendor: str = ""


class CheckParams(take.Asking, frozen=True, kw_only=True):
    """Definitions to check: a folder of them, or the workspace's own."""

    definitions: take.Place | None = None


class RetryParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Waiting events to let in: all that fit, or one name's."""

    event: str | None = None


@named("catalogue infer", InferParams, action="define", changes=True)
def _infer(asked: Asked, params: InferParams) -> Body:
    """Describe recorded events in files of the definitions, by what was seen."""
    return cataloguing.describe_recorded(
        asked.workspace,
        asked.view(params),
        event=params.event,
        overwrite=params.overwrite,
        dry_run=params.dry_run,
        progress=asked.progress,
    )


@named("catalogue import", PlanParams, action="define", changes=True)
def _import(asked: Asked, params: PlanParams) -> Body:
    """Bring in a Segment tracking plan or Iglu schemas as definitions."""
    return cataloguing.bring_in(
        asked.workspace,
        placed(asked.workspace, asked.asker, params.path),
        kind=params.kind,
        overwrite=params.overwrite,
        dry_run=params.dry_run,
    )


@named("catalogue export", HandOutParams, whole=False)
def _export(asked: Asked, params: HandOutParams) -> Body:
    """The catalogue as a Segment tracking plan or as Iglu schemas: `files`, path by path."""
    return cataloguing.hand_out(asked.workspace, kind=params.kind, vendor=params.vendor)


@named("check", CheckParams)
def _check(asked: Asked, params: CheckParams) -> Outcome:
    """What a change of definitions would break: recorded events, metrics, experiments."""
    folder = None
    if params.definitions:
        folder = placed(asked.workspace, asked.asker, params.definitions)
    found = cataloguing.check(asked.workspace, asked.view(params), folder)
    return Outcome(found.to_json(), good=not found.rows)


@named("quarantine retry", RetryParams, action="define", changes=True)
def _retry(asked: Asked, params: RetryParams) -> Body:
    """Let waiting events in that fit the definitions in force."""
    return retrying.let_in(asked.workspace, asked.asker, params.event, asked.progress)


@named("audit-instrumentation", take.Asking)
def _audit(asked: Asked, params: take.Asking) -> Outcome:
    """Whether what is sent is what was planned, and whole: everything that is not."""
    view = asked.view(params)
    found = auditing.instrumentation(asked.workspace, view)
    return Outcome(auditing.told(found, view), good=not found.findings)
