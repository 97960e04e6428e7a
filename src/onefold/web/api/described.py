"""The API described as OpenAPI 3.1, made from the records that the calls take."""

from functools import lru_cache
from typing import Any

import msgspec

from onefold import __version__
from onefold.runtime import CALLS

PREFIX = "/api/v1"
_REFERENCE = "#/components/schemas/{name}"

_ANSWER = {
    "type": "object",
    "description": "A table that explains itself, or the facts of one thing.",
    "properties": {
        "columns": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "type", "unit"],
                "properties": {name: {"type": "string"} for name in ("name", "type", "unit")},
            },
        },
        "rows": {"type": "array", "items": {"type": "array"}},
        "definition": {"type": "string"},
        "query": {"type": "string"},
        "as_of": {"type": ["string", "null"], "format": "date-time"},
        "excluded_by_consent": {"type": "integer"},
        "notes": {"type": "array", "items": {"type": "string"}},
    },
}
_PROBLEM = {
    "type": "object",
    "description": "An RFC 9457 problem, with its mend.",
    "required": ["type", "title", "status", "detail", "fix"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "fix": {"type": "string"},
    },
}


@lru_cache(maxsize=1)
def description() -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of every call.

    Source: OpenAPI Specification 3.1.0.
    """
    records = list(dict.fromkeys(call.takes for call in CALLS.values()))
    _, components = msgspec.json.schema_components(records, ref_template=_REFERENCE)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Onefold",
            "version": __version__,
            "description": "The same names as the commands.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}, {"session": []}],
        "paths": {address_of(name): _path(name) for name in CALLS},
        "components": {
            "schemas": {**components, "Answer": _ANSWER, "Problem": _PROBLEM},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "onefold"},
            },
        },
    }


def address_of(name: str) -> str:
    """Return the address of a call.

    >>> address_of("source list")
    '/api/v1/source/list'
    """
    return f"{PREFIX}/{name.replace(' ', '/')}"


def _path(name: str) -> dict[str, Any]:
    call = CALLS[name]
    body = {
        "required": any(one.required for one in msgspec.structs.fields(call.takes)),
        "content": {"application/json": {"schema": _reference(call.takes.__name__)}},
    }
    operations: dict[str, Any] = {"post": {**_operation(name, "post"), "requestBody": body}}
    if not call.changes:
        operations["get"] = {**_operation(name, "get"), "parameters": _parameters(call.takes)}
    return operations


def _operation(name: str, method: str) -> dict[str, Any]:
    call = CALLS[name]
    return {
        "operationId": f"{method}_{name.replace(' ', '_')}",
        "summary": call.summary,
        "tags": [name.partition(" ")[0]],
        "description": f"Needs the right to `{call.action}`.",
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {"application/json": {"schema": _reference("Answer")}},
            },
            "default": {
                "description": "Why not, and the mend.",
                "content": {"application/problem+json": {"schema": _reference("Problem")}},
            },
        },
    }


def _parameters(takes: type[msgspec.Struct]) -> list[dict[str, Any]]:
    (_,), components = msgspec.json.schema_components([takes], ref_template=_REFERENCE)
    schema = components[takes.__name__]
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": of}
        for name, of in schema["properties"].items()
    ]


def _reference(name: str) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=name)}
