"""Planned journeys: sequences of events that people are meant to take, as YAML."""

from dataclasses import dataclass
from pathlib import Path

from onefold.model.documents import read_document
from onefold.model.errors import BadInput


@dataclass(frozen=True, slots=True)
class Journey:
    """One planned journey.

    Attributes:
        name: Unique among journeys.
        label: How pages call it.
        owner: Who answers for it; may be empty. Likewise `description`.
        steps: Names of events in order.
    """

    name: str
    label: str
    owner: str
    description: str
    steps: tuple[str, ...]


def parse_journey(text: str, path: str) -> Journey:
    """Return the journey in a YAML text.

    Raises:
        BadInput: It cannot be used; with file, line and column.
    """
    fields = read_document(text, path)
    name = fields.text("journey")
    steps = fields.texts("steps")
    if len(steps) < 2:
        fields.refuse("steps", "A journey has two steps at least.", "Write [one, another].")
    found = Journey(
        name=name,
        label=fields.text("label", name.replace("_", " ").replace("-", " ").capitalize()),
        owner=fields.text("owner", ""),
        description=fields.text("description", ""),
        steps=steps,
    )
    fields.close()
    return found


def load_journeys(folder: Path) -> tuple[Journey, ...]:
    """Return the journeys of a folder; none where there is no folder.

    Raises:
        BadInput: A definition cannot be used, or two files describe one journey.
    """
    found: dict[str, Journey] = {}
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        one = parse_journey(path.read_text("utf-8"), f"{folder.name}/{path.name}")
        if one.name in found:
            message = f"{folder.name}/{path.name}: `{one.name}` is described twice."
            raise BadInput(message, "Keep one of the two.")
        found[one.name] = one
    return tuple(found.values())
