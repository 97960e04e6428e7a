"""What the definitions in force tell the folds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onefold.collect.catalogue import Catalogue, promoted
from onefold.collect.channels import FILE as CHANNELS
from onefold.collect.channels import (
    Channels,
    parse_channels,
    shipped_channels,
    shipped_text,
)
from onefold.collect.erasures import Erasure
from onefold.collect.known_as import FILE as IDENTITY
from onefold.collect.known_as import parse_identity, shipped_identity, shipped_identity_text
from onefold.collect.reentry import Retry
from onefold.collect.traffic import FILE as TRAFFIC
from onefold.collect.traffic import (
    Traffic,
    parse_traffic,
    shipped_traffic,
    shipped_traffic_text,
)
from onefold.consent import rules as laid_down
from onefold.model.facts import PROMOTED
from onefold.model.kinds import IdentityRules


@dataclass(frozen=True, slots=True)
class FoldRules:
    """What the definitions in force tell the folds; comes from a control entry of the log.

    Attributes:
        promoted: Column of `events` -> kind (string, integer, number, boolean, time, money).
        personal: Event -> its fields of a personal class.
        described: Event -> its described fields; only others are searched for personal values.
        passive: Events that are not something a person did: impressions and system events.
        discoveries: Events that make a session a discovery session.
        channels: The table of channels; None where the shipped one holds.
        traffic: Whose traffic is no customer's; None where the shipped table holds.
        consent: What is laid down about consent; None where the shipped table holds.
        identity: Which identifiers make a person; None where the shipped rules hold.
        retries: What judges waiting events anew, oldest first; each is an entry of its own.
        erasures: Who is erased, oldest first; likewise.
        expired: Purpose -> before when nothing is kept for it any more, microseconds; likewise.
        expired_rows: Table of imported rows -> before when none of its rows is kept; likewise.
        masked: Where the last entry stands that says that rows before it were masked.
    """

    promoted: dict[str, str] = field(default_factory=dict)
    personal: dict[str, list[str]] = field(default_factory=dict)
    described: dict[str, list[str]] = field(default_factory=dict)
    passive: tuple[str, ...] = ()
    discoveries: tuple[str, ...] = ()
    channels: Channels | None = None
    traffic: Traffic | None = None
    consent: laid_down.ConsentRules | None = None
    identity: IdentityRules | None = None
    retries: tuple[Retry, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    expired: dict[str, int] = field(default_factory=dict)
    expired_rows: dict[str, int] = field(default_factory=dict)
    masked: int = 0

    @property
    def persons(self) -> IdentityRules:
        """Return by which rules identifiers make persons."""
        return self.identity or shipped_identity()


def write_seeds(folder: Path) -> None:
    """Write the tables that a new workspace begins with into its folder of definitions."""
    for name, text in _seeds().items():
        (folder / name).write_text(text, "utf-8")


def is_seed(name: str, text: str) -> bool:
    """Return whether a definition is a shipped table as it came: it holds without being applied."""
    return _seeds().get(name) == text


def _seeds() -> dict[str, str]:
    return {
        CHANNELS: shipped_text(),
        TRAFFIC: shipped_traffic_text(),
        laid_down.FILE: laid_down.shipped_consent_text(),
        IDENTITY: shipped_identity_text(),
    }


def rules_of(
    catalogue: Catalogue,
    folder: Path,
    identity_key: bytes,
    *,
    categories: Mapping[str, str] | None = None,
) -> FoldRules:
    """Return what a catalogue and the tables beside it tell the folds.

    Args:
        catalogue: The described events.
        folder: The folder of definitions, with `channels.yaml` and `traffic.yaml` or without.
        identity_key: Of the workspace; keys every hash of an identifier.
        categories: Consent category -> purpose, of the workspace's settings.

    Raises:
        BadInput: A table cannot be used; with file, line and column.
    """
    events = catalogue.events.values()
    # A call is known in the facts by its kind.
    named = {**catalogue.events, **{name[1:]: one for name, one in catalogue.calls.items()}}
    return FoldRules(
        promoted={PROMOTED + name: kind for name, kind in promoted(catalogue).items()},
        personal={
            event: sorted(name for name, p in d.properties.items() if p.pii != "none")
            for event, d in named.items()
            if any(p.pii != "none" for p in d.properties.values())
        },
        described={event: sorted(d.properties) for event, d in named.items()},
        passive=tuple(sorted(d.event for d in events if d.kind != "action")),
        discoveries=tuple(sorted(d.event for d in events if d.discovery)),
        channels=_channels(folder / CHANNELS),
        traffic=_traffic(folder / TRAFFIC, identity_key),
        consent=_consent(folder / laid_down.FILE, categories or {}),
        identity=_identity(folder / IDENTITY),
    )


def _consent(path: Path, categories: Mapping[str, str]) -> laid_down.ConsentRules | None:
    text = path.read_text("utf-8") if path.exists() else None
    found = consent_rules(text, categories)
    return None if found == laid_down.shipped_consent() else found


def consent_rules(text: str | None, categories: Mapping[str, str]) -> laid_down.ConsentRules:
    """Return what is laid down about consent.

    Args:
        text: Of `consent.yaml`; None where the shipped table holds.
        categories: More consent categories -> purpose.

    Raises:
        BadInput: The table cannot be used; with line and column.
    """
    found = laid_down.shipped_consent()
    if text is not None:
        found = laid_down.parse_consent(text, laid_down.FILE)
    return found.with_categories(categories) if categories else found


def _channels(path: Path) -> Channels | None:
    if not path.exists():
        return None
    found = parse_channels(path.read_text("utf-8"), path.name)
    return None if found == shipped_channels() else found


def _traffic(path: Path, identity_key: bytes) -> Traffic | None:
    if not path.exists():
        return None
    found = parse_traffic(path.read_text("utf-8"), path.name, identity_key)
    return None if found == shipped_traffic() else found


def _identity(path: Path) -> IdentityRules | None:
    if not path.exists():
        return None
    found = parse_identity(path.read_text("utf-8"), path.name)
    return None if found == shipped_identity() else found
