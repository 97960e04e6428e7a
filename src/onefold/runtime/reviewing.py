"""What the definitions in the folder would do with data: proposals for those who have to sign."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

import msgspec

from onefold.collect import Catalogue, sources
from onefold.consent import PURPOSES
from onefold.experiments import load_experiments
from onefold.governance import approvals
from onefold.metrics import load_metrics
from onefold.runtime.definitions import SECTIONS, Entry, changed_sections, drift, entry_of
from onefold.runtime.settings import FILE
from onefold.runtime.workspace import Workspace

_EXPERIMENTS = "experiments/"
_CONSENT = frozenset({"consent.yaml", FILE})


def proposals(workspace: Workspace, entry: Entry | None = None) -> tuple[approvals.Proposal, ...]:
    """Return what an `apply` would change, to be signed: each experiment, consent, all else as one.

    Args:
        workspace: Whose.
        entry: What its folder says, where that was read already.

    Raises:
        BadInput: A definition cannot be used.
    """
    said = entry or entry_of(workspace.folder)
    words = dict(drift(workspace.folder, workspace.log, said))
    texts = {name: _text(said, name) for name in words}
    tests = {name: text for name, text in texts.items() if name.startswith(_EXPERIMENTS)}
    consent = {name: text for name, text in texts.items() if name in _CONSENT}
    others = {name: text for name, text in texts.items() if name not in {*tests, *consent}}
    found = [_experiment(workspace, name, words[name], text) for name, text in tests.items()]
    if consent:
        sections = changed_sections(workspace.log, said)
        found.append(_consent(workspace, consent, words, sections))
    if others:
        found.append(_definitions(workspace, others, words))
    return tuple(found)


def _text(entry: Entry, name: str) -> str:
    if name == FILE:
        return "\n".join(
            msgspec.json.encode(sorted(entry[name].items())).decode() for name in SECTIONS
        )
    return str(entry["files"].get(name, ""))


def _consent(
    workspace: Workspace,
    texts: Mapping[str, str],
    words: Mapping[str, str],
    sections: tuple[str, ...],
) -> approvals.Proposal:
    use = approvals.Use(
        kind="consent_policy", purposes=tuple(PURPOSES), sources=sources_of(workspace)
    )
    detail = tuple(
        f"{name} is {words[name]}{' in ' + ' and '.join(sections) if name == FILE else ''}."
        for name in sorted(texts)
    )
    return approvals.Proposal("consent_policy", "rules of consent", _digest(texts), detail, use)


def _experiment(workspace: Workspace, file: str, change: str, text: str) -> approvals.Proposal:
    catalogue = Catalogue.read(workspace.definitions / "events")
    folder = workspace.definitions / "experiments"
    # Its file is gone where an experiment ends; nothing is shown to anybody by that.
    known = load_experiments(folder).values() if text else ()
    mine = [one for one in known if f"experiment: {one.name}" in text]
    events = {event for one in mine for event in (*one.short.events, *one.long.events)}
    detail = (
        f"{file} is {change}.",
        *(f"{one.label}: {one.hypothesis}" for one in mine),
        *(f"Privacy: {one.privacy}" for one in mine),
    )
    use = approvals.Use(
        kind="experiment",
        fields=fields_of(catalogue, events),
        purposes=purposes_of(catalogue, events),
        sources=sources_of(workspace),
        shows=bool(mine),
    )
    return approvals.Proposal("experiment", file, _digest({file: text}), detail, use)


def _definitions(
    workspace: Workspace, texts: Mapping[str, str], words: Mapping[str, str]
) -> approvals.Proposal:
    catalogue = Catalogue.read(workspace.definitions / "events")
    meant = {
        name for name, one in catalogue.events.items() if one.text and one.text in texts.values()
    }
    metrics = load_metrics(workspace.definitions / "metrics").values()
    mine = [one for one in metrics if _holds(texts, "metrics/", f"metric: {one.name}")]
    purposes = {*purposes_of(catalogue, meant), *(one.purpose for one in mine)}
    use = approvals.Use(
        kind="definition",
        fields=fields_of(catalogue, meant),
        purposes=tuple(sorted(purposes)),
        sources=sources_of(workspace),
    )
    detail = tuple(f"{name} is {words[name]}." for name in sorted(texts))
    return approvals.Proposal("definition", "definitions", _digest(texts), detail, use)


def _holds(texts: Mapping[str, str], folder: str, line: str) -> bool:
    return any(
        name.startswith(folder) and line in text.splitlines() for name, text in texts.items()
    )


def fields_of(catalogue: Catalogue, events: Iterable[str]) -> tuple[approvals.FieldUse, ...]:
    """Return every field of some events, with what the catalogue says of it."""
    return tuple(
        approvals.FieldUse(event, name, found.pii)
        for event in sorted(events)
        if event in catalogue.events
        for name, found in catalogue.events[event].properties.items()
    )


def purposes_of(catalogue: Catalogue, events: Iterable[str]) -> tuple[str, ...]:
    """Return for what some events may be used."""
    said = {catalogue.events[event].purpose for event in events if event in catalogue.events}
    return tuple(sorted(said or {"analytics"}))


def sources_of(workspace: Workspace) -> tuple[approvals.Place, ...]:
    """Return where data come from."""
    return tuple(
        approvals.Place(one.name, one.region, one.basis)
        for one in sources.list_sources(workspace.state)
    )


def _digest(texts: Mapping[str, str]) -> str:
    told = msgspec.json.encode(sorted(texts.items()))
    return blake2b(told, digest_size=32).hexdigest()
