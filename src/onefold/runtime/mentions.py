"""Names that a workspace's metrics and experiments mention and nobody described or sent: typos."""

from collections.abc import Iterator
from dataclasses import dataclass

from onefold.collect import Catalogue, catalogues
from onefold.experiments import load_experiments
from onefold.metrics import load_metrics
from onefold.model.errors import did_you_mean
from onefold.model.facts import CONTEXT
from onefold.model.records import MARKS, OWNER, Question
from onefold.runtime.cataloguing import uses_of
from onefold.runtime.workspace import Workspace

_ENVIRONMENTS = ("production", "staging", "development")
_ENVELOPE = frozenset({"event", "source", "environment", *CONTEXT})
_TRIED = 2_000
"""Recorded events of a name whose properties are looked at."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name that stands for nothing yet.

    Attributes:
        user: Who mentions it, such as `metric saves_per_session`.
        what: One sentence.
        fix: What would be right.
    """

    user: str
    what: str
    fix: str


class _Known:
    """What is known of events: their descriptions in the folder, and what came."""

    def __init__(self, workspace: Workspace) -> None:
        self.described = Catalogue.read(workspace.definitions / "events").described
        terms = [
            Question(OWNER, environment=name, include=frozenset(MARKS)) for name in _ENVIRONMENTS
        ]
        self._views = [workspace.view(term) for term in terms]
        self._counts = [catalogues.recorded(view) for view in self._views]
        self.events = {*self.described, *(name for counts in self._counts for name in counts)}
        self._fields: dict[str, frozenset[str]] = {}

    def fields(self, event: str) -> frozenset[str]:
        """Return the properties of an event: described, or seen in some of those that came."""
        if event not in self._fields:
            found = set(self.described.get(event, ()))
            for view, counts in zip(self._views, self._counts, strict=True):
                if event in counts:
                    sample = catalogues.sample(view, event, counts[event], most=_TRIED)
                    found |= {name for one in sample.properties for name in one}
            self._fields[event] = frozenset(found)
        return self._fields[event]


def unheard(workspace: Workspace) -> tuple[Mention, ...]:
    """Return what the folder's metrics and experiments mention and nothing is known of.

    Shipped metrics are left out, and so is everything while no event is known at all: then nothing
    can be told from a typo.

    Raises:
        BadInput: A definition cannot be used; with file, line and column.
    """
    shipped = load_metrics().values()
    metrics = load_metrics(workspace.definitions / "metrics")
    own = {name: one for name, one in metrics.items() if one not in shipped}
    uses = uses_of(own, load_experiments(workspace.definitions / "experiments"))
    if not uses:
        return ()
    known = _Known(workspace)
    return tuple(found for use in uses for found in _of_use(use, known)) if known.events else ()


def _of_use(use: catalogues.Use, known: _Known) -> Iterator[Mention]:
    for event in use.events:
        if event not in known.events:
            near = did_you_mean(event, known.events)
            what = f"{use.user} names `{event}`, which nobody described or sent.{near}"
            yield Mention(use.user, what, "Write the name as it is sent, or send it.")
    here = [event for event in use.events if event in known.events]
    fields = {name for event in here for name in known.fields(event)}
    for field in dict.fromkeys((*use.fields, *use.summed)):
        if fields and field not in fields and field not in _ENVELOPE:
            near = did_you_mean(field, fields)
            what = f"{use.user} reads `{field}`, which no {' or '.join(here)} has.{near}"
            yield Mention(use.user, what, "Write the property as it is sent, or send it.")
