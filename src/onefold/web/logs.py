"""What the processes say of themselves: plain lines or JSON lines, and nothing about anybody.

A line holds names of ours (an address as its route has it, a status, a trace), never what a
sender or a reader wrote: no body, no query, no header, no part of an address that may name
somebody. An exception is told by its kind and by where it arose, as its text may quote a value.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import IO, Any

FORMS = ("quiet", "text", "json")
"""Warnings alone, as plain lines; every request too, as plain lines; the same as JSON lines."""

VARIABLE = "ONEFOLD_LOG"
"""How the door tells its house which form to take."""

_FIELDS = ("method", "route", "status", "ms", "trace", "request", "events")
_TELLING = re.compile(
    r"[^\s\"'<>@]+@[^\s\"'<>@]+\.[^\s\"'<>@]+"  # an e-mail
    r"|\b(?:wk|ok|ak)_[\w-]{6,}"  # a key of ours
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b"  # an address of a machine
    r"|(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}(?![\w:])"
    r"|(?<!\w)\+\d[\d ()./-]{6,}\d"  # a phone number
)


def clean(text: str) -> str:
    """Return a text without e-mails, keys, addresses of machines and phone numbers.

    >>> clean("ada@example.org sent wk_0123456789 from 10.0.0.7")
    '... sent ... from ...'
    """
    return _TELLING.sub("...", text)


def set_up(form: str, stream: IO[str] | None = None) -> None:
    """Let all loggers of this process write in one form.

    Args:
        form: One of `FORMS`.
        stream: Where to; standard error when None.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else PlainLines())
    root = logging.getLogger()
    for former in list(root.handlers):
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("onefold").setLevel(logging.WARNING if form == "quiet" else logging.INFO)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        told: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": clean(record.getMessage()),
        }
        told |= {n: getattr(record, n) for n in _FIELDS if getattr(record, n, None) is not None}
        told |= _failure(record)
        return json.dumps(told)


class PlainLines(logging.Formatter):
    """One line, as a person reads it."""

    def format(self, record: logging.LogRecord) -> str:
        failed = _failure(record)
        tail = f" ({failed['error']} at {', '.join(failed['at'])})" if failed else ""
        said = ((name, getattr(record, name, None)) for name in _FIELDS)
        told = "".join(f" {name}={value}" for name, value in said if value is not None)
        return f"{record.name}: {clean(record.getMessage())}{told}{tail}".replace("\n", " ")


def _failure(record: logging.LogRecord) -> dict[str, Any]:
    """Return the kind of an exception and where it arose, innermost last."""
    if not record.exc_info or record.exc_info[1] is None:
        return {}
    _, error, trace = record.exc_info
    places: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return {"error": type(error).__name__, "at": places[-6:]}


def route_of_path(path: str, params: dict[str, Any], *, known: bool) -> str:
    """Return an address as its route has it, without what may name somebody.

    >>> route_of_path("/customers/ada@example.org", {"id": "ada@example.org"}, known=True)
    '/customers/{id}'
    >>> route_of_path("/ada@example.org", {}, known=False)
    '(unknown)'
    """
    if not known:
        return "(unknown)"
    for name, value in params.items():
        if str(value):
            path = path.replace(str(value), f"{{{name}}}", 1)
    return path
