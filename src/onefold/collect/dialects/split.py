"""Cut a batch whose JSON is broken somewhere into its items, so that one costs the others nothing.

Only brackets and strings have to balance; what stands between them may be anything. The pieces
are judged one by one afterwards. Used when the strict parser has refused the whole.
"""

import re

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
_COLON = re.compile(rb"\s*:\s*\[")
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.",
    re.DOTALL,
)
_LONE = 6
"""Length of a surrogate's escape that stands without its other half."""


def split_batch(body: bytes, name: bytes = b"batch") -> tuple[bytes, list[bytes]] | None:
    """Return the envelope with an empty batch, and the batch's items; None if brackets fail.

    `name` is what the list is called.

    >>> split_batch(b'{"batch":[{"a":NaN},{"b":1}],"sentAt":"x"}')
    (b'{"batch":[],"sentAt":"x"}', [b'{"a":NaN}', b'{"b":1}'])
    """
    begin = _batch_start(body, b'"' + name + b'"')
    if begin is None:
        return None
    items: list[bytes] = []
    depth, start = 0, begin
    for token in _TOKEN.finditer(body, begin):
        mark = token.group()
        if mark in {b"[", b"{"}:
            depth += 1
        elif mark == b"," and depth == 0:
            items.append(body[start : token.start()].strip())
            start = token.end()
        elif mark == b"]" and depth == 0:
            last = body[start : token.start()].strip()
            if last or items:
                items.append(last)
            return body[:begin] + body[token.start() :], items
        elif mark in {b"]", b"}"}:
            depth -= 1
    return None


def _batch_start(body: bytes, name: bytes) -> int | None:
    """Return where the first item of the envelope's own list begins."""
    depth = 0
    for token in _TOKEN.finditer(body):
        mark = token.group()
        if mark in {b"[", b"{"}:
            depth += 1
        elif mark in {b"]", b"}"}:
            depth -= 1
        elif depth == 1 and mark == name:
            colon = _COLON.match(body, token.end())
            if colon:
                return colon.end()
    return None


def mend_surrogates(item: bytes) -> bytes:
    r"""Return the JSON with halves of a character replaced by U+FFFD.

    Browsers cut texts in the middle of an emoji and send the half; that is no reason to lose
    the event.

    >>> mend_surrogates(rb'"\ud83d\ude00 \ud83d"') == rb'"\ud83d\ude00 \ufffd"'
    True
    """
    return _ESCAPE.sub(_mended, item)


def _mended(found: re.Match[bytes]) -> bytes:
    escape = found.group()
    return rb"\ufffd" if len(escape) == _LONE else escape
