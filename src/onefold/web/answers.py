"""How the door answers: JSON, images, problems, and leave for a browser to send."""

from base64 import b64decode
from binascii import Error as Base64Error
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import msgspec

from onefold.model.errors import BadInput, Busy, OnefoldError
from onefold.web.passing import Headers, Scope, Send

_GIF = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
JSON = (b"content-type", b"application/json")


async def answer(
    send: Send, status: int, content: dict[str, Any], headers: Headers | None = None
) -> None:
    """Answer with JSON."""
    await answer_bytes(send, status, msgspec.json.encode(content), [JSON, *(headers or ())])


async def answer_image(send: Send, headers: Headers) -> None:
    """Answer with an image of one clear pixel."""
    kind = [(b"content-type", b"image/gif"), (b"cache-control", b"no-store")]
    await answer_bytes(send, 200, _GIF, [*kind, *headers])


async def refuse(scope: Scope, send: Send, error: OnefoldError) -> None:
    """Answer with an RFC 9457 problem (see `refusal`)."""
    status, headers, told = refusal(scope, error)
    await answer_bytes(send, status, told, headers)


def refusal(scope: Scope, error: OnefoldError) -> tuple[int, Headers, bytes]:
    """Return status, headers and body of a problem; the server's own faults ask to come back."""
    status = error.status
    headers = cors(scope)
    if status == 422:
        status = 400
    if status >= 500 or isinstance(error, Busy):
        retry = error.retry_seconds if isinstance(error, Busy) else 5
        headers.append((b"retry-after", str(retry).encode()))
    headers.append((b"content-type", b"application/problem+json"))
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="write key"'))
    told = {"success": False, **error.to_problem(), "status": status}
    return status, headers, msgspec.json.encode(told)


async def refuse_method(scope: Scope, send: Send, allowed: bytes) -> None:
    """Answer that an address takes other methods."""
    error = BadInput(
        f"`{scope['path']}` does not answer {scope['method']}.", f"Send it as {allowed.decode()}."
    )
    told = {"success": False, **error.to_problem(), "title": "Method not allowed", "status": 405}
    kind = (b"content-type", b"application/problem+json")
    headers = [*cors(scope), kind, (b"allow", allowed)]
    await answer_bytes(send, 405, msgspec.json.encode(told), headers)


async def answer_bytes(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """Answer with a body as it is."""
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def cors(scope: Scope) -> Headers:
    """Return the headers that let a page of any site read the answer."""
    origin = header(scope, b"origin")
    if not origin:
        return []
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"retry-after, traceresponse"),
        (b"vary", b"origin"),
    ]


def preflight(scope: Scope) -> Headers:
    """Return the headers that let a page of any site send."""
    allowed = b"content-type, authorization, x-retry-count, anonymousid, sp-anonymous, traceparent"
    return [
        *cors(scope),
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", allowed),
        (b"access-control-max-age", b"86400"),
    ]


def header(scope: Scope, name: bytes) -> bytes:
    """Return a header of a request; empty without it."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return b""


def query(scope: Scope) -> dict[str, str]:
    """Return what stands behind the question mark of an address."""
    found = parse_qs(scope["query_string"].decode("latin-1"))
    return {name: values[0] for name, values in found.items()}


def is_sound(value: bytes) -> bool:
    """Return whether a header's value may stand in an answer as it is.

    >>> is_sound(b"https://shop.example"), is_sound(bytes(3))
    (True, False)
    """
    return value.isascii() and value.decode("ascii").isprintable()


def basic_key(scope: Scope) -> str:
    """Return the key in `Authorization: Basic`, with or without colon; empty without one."""
    return _key_in(header(scope, b"authorization"))


@lru_cache(maxsize=1024)
def _key_in(authorization: bytes) -> str:
    kind, _, coded = authorization.partition(b" ")
    if kind.lower() != b"basic":
        return ""
    try:
        text = b64decode(coded.strip() + b"==")
    except (Base64Error, ValueError):
        return ""
    return text.decode("utf-8", "replace").partition(":")[0]


def from_base64(data: str) -> bytes:
    """Return what a pixel's address says in base64.

    Raises:
        BadInput: It is none.
    """
    # A plus sign comes as a space out of a query; both alphabets are in use.
    plain = data.replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (Base64Error, ValueError) as error:
        raise BadInput("The pixel's data is not base64.", "Send ?data=base64(JSON).") from error
