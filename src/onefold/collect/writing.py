"""Descriptions of events as YAML files that `apply` takes; what stands is not overwritten."""

import os
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import yaml

from onefold.collect.catalogue import CALLS, Catalogue, EventDefinition, parse_event, takes_column
from onefold.collect.schemas import Property
from onefold.model.errors import BadInput, MachineFailed

Document = dict[str, Any]
"""A definition as plain values, as its YAML says it."""

NEW, CHANGED, SAME, KEPT, REFUSED = "new", "changed", "same", "kept", "refused"
"""What became of a description: `kept` is one that stands and was not overwritten."""

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one description.

    Attributes:
        event: Its name.
        file: Where it stands, below the folder of definitions; empty where it was refused.
        change: `new`, `changed`, `same`, `kept` or `refused`.
        note: What a reader has to know; may be empty.
    """

    event: str
    file: str
    change: str
    note: str = ""


def document_of(definition: EventDefinition) -> Document:
    """Return a definition as its YAML would say it, without what is said by default."""
    document: Document = {"event": definition.event, "version": definition.version}
    for name in ("owner", "description"):
        if getattr(definition, name):
            document[name] = getattr(definition, name)
    document["kind"] = definition.kind
    if definition.discovery:
        document["discovery"] = True
    document["purpose"] = definition.purpose
    if definition.short:
        document["properties"] = {
            name: property_document(found) for name, found in definition.properties.items()
        }
    else:
        document["schema"] = dict(definition.schema)
    if definition.examples:
        document["examples"] = [dict(one) for one in definition.examples]
    if definition.origin:
        document["origin"] = definition.origin
    return document


def property_document(found: Property) -> Document:
    """Return a property as YAML says it, without what is said by default."""
    said: Document = {"type": found.type}
    if found.required:
        said["required"] = True
    if found.pii != "none":
        said["pii"] = found.pii
    if found.description:
        said["description"] = found.description
    if found.enum:
        said["enum"] = list(found.enum)
    if found.pattern:
        said["pattern"] = found.pattern
    for name in ("minimum", "maximum"):
        if getattr(found, name) is not None:
            said[name] = getattr(found, name)
    if not found.column:
        said["column"] = False
    return said


def yaml_of(document: Document, heading: str = "") -> str:
    """Return a definition's YAML, under a comment."""
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=98)
    lines = "".join(f"# {line}\n" for line in heading.splitlines())
    return lines + text


def file_name(event: str, taken: Container[str] = ()) -> str:
    """Return the file that an event's description goes to; no name leads out of the folder.

    >>> file_name("Order Completed"), file_name("../etc"), file_name("a b", {"a_b.yaml"})
    ('order_completed.yaml', 'etc.yaml', 'a_b-7faae47c.yaml')
    """
    plain = re.sub(r"[^a-z0-9]+", "_", event.lower()).strip("_")[:_LONGEST_NAME] or "event"
    if f"{plain}.yaml" not in taken:
        return f"{plain}.yaml"
    stamp = blake2b(event.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{plain}-{stamp}.yaml"


def write(
    folder: Path,
    documents: Sequence[Document],
    *,
    headings: Mapping[str, str] | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
) -> tuple[Written, ...]:
    """Write descriptions into a folder of events and return what became of each.

    Args:
        folder: `definitions/events` of a workspace.
        documents: One an event; the first of a name wins.
        headings: Event -> comment to stand above it.
        overwrite: Replace what stands; its version grows where it changes.
        dry_run: Only tell.

    Raises:
        BadInput: What stands in the folder cannot be read.
        MachineFailed: A file cannot be written.
    """
    standing = Catalogue.read(folder)
    wanted, refused = _usable(documents)
    known = standing.all
    new = {name: one for name, one in wanted.items() if overwrite or name not in known}
    others = [one for name, one in known.items() if name not in new]
    taken = {path.name for path in folder.glob("*")} if folder.is_dir() else set()
    written = []
    for name, document in wanted.items():
        former = known.get(name)
        place = former.place.partition("/")[2] if former else file_name(name, taken)
        taken.add(place)
        if name not in new:
            written.append(Written(name, f"events/{place}", KEPT, "It is described already."))
            continue
        final, note = _beside(document, others)
        if former is not None:
            final["version"] = max(final.get("version", 1), former.version)
            if _as_said(final) == _as_said(document_of(former)):
                written.append(Written(name, f"events/{place}", SAME))
                continue
            final["version"] = former.version + 1
        others.append(parse_event(yaml_of(final), f"events/{place}"))
        if not dry_run:
            _put(folder / place, yaml_of(final, (headings or {}).get(name, "")))
        written.append(Written(name, f"events/{place}", CHANGED if former else NEW, note))
    return (*written, *refused)


def _usable(documents: Sequence[Document]) -> tuple[dict[str, Document], list[Written]]:
    """Return what can be used by event, and the rest with the reason."""
    wanted: dict[str, Document] = {}
    refused = []
    for document in documents:
        name = str(document.get("event", ""))
        try:
            found = parse_event(yaml_of(document), file_name(name))
            if found.event != name:
                raise BadInput("Its name begins or ends with a blank.", "Rename it.")
        except BadInput as error:
            refused.append(Written(name, "", REFUSED, error.message))
            continue
        if name in wanted:
            refused.append(Written(name, "", REFUSED, "It stands here twice; the first is taken."))
            continue
        wanted[name] = document
    return wanted, refused


def _beside(document: Document, others: Sequence[EventDefinition]) -> tuple[Document, str]:
    """Return a document whose columns agree with those of the others, and what was changed."""
    if document["event"] in CALLS:
        return dict(document), ""
    known = {
        found.name.lower(): (found.name, found.type)
        for one in others
        if one.event not in CALLS
        for found in one.properties.values()
        if takes_column(found)
    }
    definition = parse_event(yaml_of(document), "events/new.yaml")
    apart = [
        found.name
        for found in definition.properties.values()
        if takes_column(found)
        and known.get(found.name.lower(), (found.name, found.type)) != (found.name, found.type)
    ]
    if not apart:
        return dict(document), ""
    part, key = ("properties", "column") if "properties" in document else ("schema", "x-column")
    rules = document[part] if part == "properties" else document[part]["properties"]
    changed = {name: {**rule, key: False} for name, rule in rules.items() if name in apart}
    merged: Document = {**rules, **changed}
    whole = merged if part == "properties" else {**document[part], "properties": merged}
    names = ", ".join(f"`{name}`" for name in apart)
    return {**document, part: whole}, f"{names} got no column: another event types it otherwise."


def _as_said(document: Document) -> EventDefinition:
    """Return what a document means, whatever its place and comments."""
    return replace(parse_event(yaml_of(document), "-"), place="", text="")


def _put(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    aside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        message = f"{path.name} cannot be written: {error.strerror or error}."
        raise MachineFailed(message, "Make room, or mend the rights of the folder.") from error
