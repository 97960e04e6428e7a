"""What the definitions in force tell the folds."""

from dataclasses import dataclass, field

from onefold.collect.catalogue import Catalogue, promoted
from onefold.collect.reentry import Retry
from onefold.model.facts import PROMOTED


@dataclass(frozen=True, slots=True)
class FoldRules:
    """What the definitions in force tell the folds; comes from a control entry of the log.

    Attributes:
        promoted: Column of `events` -> kind (string, integer, number, boolean, time, money).
        personal: Event -> its fields of a personal class.
        described: Event -> its described fields; only others are searched for personal values.
        passive: Events that are not something a person did: impressions and system events.
        discoveries: Events that make a session a discovery session.
        retries: What judges waiting events anew, oldest first; each is an entry of its own.
    """

    promoted: dict[str, str] = field(default_factory=dict)
    personal: dict[str, list[str]] = field(default_factory=dict)
    described: dict[str, list[str]] = field(default_factory=dict)
    passive: tuple[str, ...] = ()
    discoveries: tuple[str, ...] = ()
    retries: tuple[Retry, ...] = ()


def rules_of(catalogue: Catalogue) -> FoldRules:
    """Return what a catalogue tells the folds."""
    events = catalogue.events.values()
    return FoldRules(
        promoted={PROMOTED + name: kind for name, kind in promoted(catalogue).items()},
        personal={
            d.event: sorted(name for name, p in d.properties.items() if p.pii != "none")
            for d in events
            if any(p.pii != "none" for p in d.properties.values())
        },
        described={d.event: sorted(d.properties) for d in events},
        passive=tuple(sorted(d.event for d in events if d.kind != "action")),
        discoveries=tuple(sorted(d.event for d in events if d.discovery)),
    )
