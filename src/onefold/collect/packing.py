"""Bodies as they come over the wire, uncompressed up to a limit."""

import zlib

from onefold.model.errors import BadInput, TooLarge

LARGEST_REQUEST = 500 * 1024
"""Bytes of one Segment request's body after decompression."""

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


def unpacked(body: bytes, most: int = LARGEST_REQUEST) -> bytes:
    """Return a body uncompressed (gzip by its magic bytes), without byte order mark.

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
