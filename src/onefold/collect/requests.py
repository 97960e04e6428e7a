"""Requests as they come: their address, their body (gzip by its magic bytes), their key."""

import zlib

import msgspec

from onefold.collect.dialects.segment import route_of
from onefold.model.errors import BadInput, TooLarge

__all__ = ["LARGEST_REQUEST", "route_of", "unpacked", "write_key_in"]

LARGEST_REQUEST = 500 * 1024
"""Bytes of one request's body after decompression."""

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


def unpacked(body: bytes, most: int = LARGEST_REQUEST) -> bytes:
    """Return a body uncompressed, without byte order mark.

    Raises:
        TooLarge: It has more than `most` bytes; a compressed one is not unpacked further.
        BadInput: It begins like gzip but is none.
    """
    if body[:2] == _GZIP:
        inflater = zlib.decompressobj(wbits=31)
        try:
            body = inflater.decompress(body, most + 1)
        except zlib.error as error:
            raise BadInput(
                "The body begins like gzip but does not unpack.", "Send it again."
            ) from error
        if not inflater.eof and len(body) <= most:
            raise BadInput("The gzip body ends too early.", "Send it again.")
    if len(body) > most:
        message = f"The request has more than {most:,} bytes."
        raise TooLarge(message, "Send fewer events a request.")
    return body.removeprefix(_BOM)


class _Keyed(msgspec.Struct, rename="camel", gc=False):
    write_key: str | None = None


_keyed = msgspec.json.Decoder(_Keyed)


def write_key_in(body: bytes) -> str:
    """Return the write key in a request's body, compressed or not; empty without one."""
    try:
        return _keyed.decode(unpacked(body)).write_key or ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, BadInput):
        return ""
