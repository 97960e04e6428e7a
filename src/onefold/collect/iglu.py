"""Iglu's self-describing JSON Schemas, read from a folder and written to one.

Source: Snowplow's documentation of self-describing schemas: `self` names vendor, name, format and
version (MODEL-REVISION-ADDITION); a registry keeps each at vendor/name/jsonschema/version.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from onefold.collect.catalogue import EventDefinition
from onefold.collect.plans import OWN, described_schema, plain_schema
from onefold.collect.writing import Document, document_of
from onefold.model.errors import BadInput

_META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
_DRAFT = "http://json-schema.org/draft-04/schema#"
_VERSION = re.compile(r"(\d{1,6})-(\d{1,6})-(\d{1,6})")
_ORIGIN = re.compile(r"iglu:([^/]+)/([^/]+)/jsonschema/(\d+-\d+-\d+)")
_NOT_PATH = re.compile(r"[^A-Za-z0-9_.-]+")
MOST_FILES = 20_000
LARGEST = 2_000_000
"""Bytes of one schema."""


def read_schemas(place: Path) -> tuple[tuple[Document, ...], tuple[str, ...]]:
    """Return the events of a schema or a folder of them, and notes on what was left out.

    Of several versions of one schema the newest is taken. An event is named as its schema; where
    two vendors use one name, as `vendor/name`.

    Raises:
        BadInput: There is no self-describing schema.
    """
    newest: dict[tuple[str, str], tuple[tuple[int, ...], Mapping[str, Any]]] = {}
    notes = []
    for path in _files(place):
        try:
            vendor, name, version, schema = _read(path)
        except BadInput as error:
            notes.append(error.message)
            continue
        if (vendor, name) not in newest or version > newest[vendor, name][0]:
            newest[vendor, name] = version, schema
    if not newest:
        message = f"{place.name} holds no self-describing JSON Schema."
        raise BadInput(message, "Give a schema with `self`, or a folder of such.")
    names = [name for _, name in newest]
    documents = tuple(
        _document(vendor, name, version, schema, shared=names.count(name) > 1)
        for (vendor, name), (version, schema) in sorted(newest.items())
    )
    return documents, tuple(notes)


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    found = sorted(path for path in place.rglob("*") if path.is_file())
    if len(found) > MOST_FILES:
        raise BadInput(f"{place.name} holds {len(found):,} files.", "Give a folder of schemas.")
    yield from found


def _read(path: Path) -> tuple[str, str, tuple[int, ...], Mapping[str, Any]]:
    if path.stat().st_size > LARGEST:
        raise BadInput(f"{path.name} is larger than any schema.", "Leave it out.")
    try:
        schema = msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput(f"{path.name} is no JSON.", "Leave it out.") from error
    own = schema.get("self") if isinstance(schema, dict) else None
    if not isinstance(own, dict):
        raise BadInput(f"{path.name} does not describe itself.", "Give it a `self`.")
    parts = _VERSION.fullmatch(str(own.get("version", "")))
    vendor, name = str(own.get("vendor", "")), str(own.get("name", ""))
    if parts is None or not vendor or not name:
        message = f"{path.name} lacks a vendor, a name or a version such as 1-0-0."
        raise BadInput(message, "Mend its `self`.")
    return vendor, name, tuple(map(int, parts.groups())), schema


def _document(
    vendor: str,
    name: str,
    version: tuple[int, ...],
    schema: Mapping[str, Any],
    *,
    shared: bool,
) -> Document:
    own = schema.get(OWN)
    if isinstance(own, Mapping) and isinstance(own.get("definition"), Mapping):
        return dict(own["definition"])
    document: Document = {
        "event": f"{vendor}/{name}" if shared else name,
        "version": max(1, version[0]),
    }
    description = schema.get("description")
    if isinstance(description, str) and description.strip():
        document["description"] = " ".join(description.split())
    plain = plain_schema({k: v for k, v in schema.items() if k not in {"self", "description"}})
    document["schema"] = {**plain, "$schema": _DRAFT}
    document["origin"] = f"iglu:{vendor}/{name}/jsonschema/{'-'.join(map(str, version))}"
    return document


def schemas_of(
    definitions: Iterable[EventDefinition], vendor: str
) -> Iterator[tuple[str, Document]]:
    """Yield (path in a registry, self-describing schema) of each definition.

    Args:
        definitions: What to write.
        vendor: Of events that were not brought in from a registry, such as `com.acme`.
    """
    taken: set[str] = set()
    for one in definitions:
        came = _ORIGIN.fullmatch(one.origin)
        own_vendor, name, version = (
            came.groups() if came else (vendor, _NOT_PATH.sub("_", one.event), f"{one.version}-0-0")
        )
        path = f"{_safe(own_vendor)}/{_safe(name)}/jsonschema/{version}"
        if path in taken:
            path = f"{_safe(own_vendor)}/{_safe(name)}_{len(taken)}/jsonschema/{version}"
        taken.add(path)
        schema = described_schema(one.schema, one)
        schema.pop("$schema", None)
        yield (
            path,
            {
                "$schema": _META,
                **({"description": one.description} if one.description else {}),
                "self": {
                    "vendor": own_vendor,
                    "name": path.split("/")[1],
                    "format": "jsonschema",
                    "version": version,
                },
                **schema,
                OWN: {"definition": document_of(one)},
            },
        )


def _safe(name: str) -> str:
    """Return a part of a path that stays where it is put."""
    return _NOT_PATH.sub("_", name).strip(".") or "event"
