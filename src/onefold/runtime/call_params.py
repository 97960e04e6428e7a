"""What each call takes: the same for the command line and the API."""

from typing import Annotated, Literal

import msgspec

Environment = Literal["production", "staging", "development"]
Basis = Literal["opt-in", "notice", "contract"]
Unplanned = Literal["allow", "strip", "quarantine"]
Purpose = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,99}$")]
"""One of the four, or one of the workspace's own (definitions/consent.yaml)."""
Role = Literal["owner", "analyst", "marketer", "viewer"]
Place = Annotated[str, msgspec.Meta(extra={"place": True})]
"""A file or folder of the server's machine: a key may name those of the workspace."""
Sample = Annotated[float, msgspec.Meta(gt=0, le=1)]
_MARK = "(bots?|internal|tests?|synthetic)"
Include = Annotated[str, msgspec.Meta(pattern=f"^(all|{_MARK}(,{_MARK})*)?$")]
"""Marks of traffic that a question lets in, apart by commas, or `all`."""
Every = Literal["day", "week", "month"]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call that takes nothing."""


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The terms of a question: its purpose, its environment, and what traffic is let in."""

    purpose: Purpose = "analytics"
    environment: Environment = "production"
    include: Include = ""


class Segmented(Asking, frozen=True, kw_only=True):
    """A question that may be of the members of a segment alone, as of the end of its days."""

    segment: str = ""


class MetricParams(
    Segmented, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}
):
    """A metric over days; `from` is inclusive, `to` is exclusive."""

    name: str
    from_date: str | None = None
    to_date: str | None = None
    every: Every | None = None
    by: str | None = None
    compare: Literal["", "former"] = ""
    cumulative: bool = False


class NameParams(Asking, frozen=True, kw_only=True):
    """A question about something of a name."""

    name: str


class ExposuresParams(NameParams, frozen=True, kw_only=True):
    """The exposures of an experiment, by variant or by person."""

    people: bool = False


class IdParams(Asking, frozen=True, kw_only=True):
    """A question about one customer."""

    id: str


class WhoParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whom a request is about: any identifier, or `person:NUMBER`."""

    id: str


class PersonExportParams(WhoParams, frozen=True, kw_only=True):
    """Whose data, and into which folder; `exports` of the workspace where it is not named."""

    folder: Place = ""


class RequestParams(WhoParams, frozen=True, kw_only=True):
    """What a person asked for, when, and within how many days it is due."""

    kind: Literal["erase", "export"]
    received: str | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30


class AdviseParams(Asking, frozen=True, kw_only=True):
    """Advice for one account, or for the whole market."""

    account: str | None = None


class SourceParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A source and its policy; what is left out stays, or takes its default."""

    name: str
    environment: Environment | None = None
    basis: Basis | None = None
    region: str | None = None
    unplanned: Unplanned | None = None
    sample: Sample | None = None
    country: str | None = None


class ImportParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An import by a mapping file."""

    mapping: Place
    dry_run: bool = False


class ExportParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where to write the whole workspace, and whether keys and sign-ins go along."""

    folder: Place
    with_secrets: bool = False


class UndoParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which run of an import to take back."""

    run: str


class QuarantineParams(Asking, frozen=True, kw_only=True):
    """What waits, all of it or one event's."""

    event: str | None = None


class AuditParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Entries of the trail, the latest first."""

    last: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 50
    action: str = ""
    actor: str = ""
    subject: str = ""
    before: Annotated[int, msgspec.Meta(ge=1, le=2**62)] | None = None


class UserParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A user and the role."""

    name: str
    role: Role = "viewer"


class LinkParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whom a one-time link is for."""

    name: str
