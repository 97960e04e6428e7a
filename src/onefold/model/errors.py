"""One error tree. Each error is one sentence (what is wrong, the value, what would be right)."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any


class OnefoldError(Exception):
    """Anything Onefold refuses or fails to do, with the mend.

    Attributes:
        status: The HTTP status it becomes.
        exit_code: The exit code it becomes (see the interface reference).
        title: The short name of its kind.
        fix: What would mend it, as an imperative sentence; may be empty.
    """

    status = 500
    exit_code = 5
    title = "The machine failed"

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def to_problem(self) -> dict[str, object]:
        """Return the error as an RFC 9457 problem, with its mend."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.message,
            "fix": self.fix,
        }


class BadInput(OnefoldError, ValueError):
    """What was given cannot be used."""

    status = 422
    exit_code = 2
    title = "Bad input"


class TooLarge(BadInput):
    """What was given is over a limit."""

    status = 413
    title = "Too large"


class NotSignedIn(OnefoldError):
    """Nobody is known to ask."""

    status = 401
    exit_code = 3
    title = "Not signed in"


class NotAllowed(OnefoldError, PermissionError):
    """The asker may not do this."""

    status = 403
    exit_code = 3
    title = "Not allowed"


class NotFound(OnefoldError, LookupError):
    """There is nothing of that name."""

    status = 404
    exit_code = 4
    title = "Not found"


class Conflict(OnefoldError):
    """It stands against something that is already so."""

    status = 409
    exit_code = 2
    title = "Conflict"


class Busy(OnefoldError):
    """Not now; the same request may succeed later.

    Attributes:
        retry_seconds: When to try again.
    """

    status = 503
    exit_code = 5
    title = "Not ready"

    def __init__(self, message: str, fix: str = "", *, retry_seconds: int = 1) -> None:
        super().__init__(message, fix)
        self.retry_seconds = retry_seconds


class TooMany(Busy):
    """One sender asks for more than its share."""

    status = 429
    title = "Too many requests"


class DiskFull(Busy):
    """There is no room left to keep what came in."""

    title = "Disk full"


class MachineFailed(OnefoldError):
    """The machine or its files do not do what they should."""


_KINDS: tuple[type[OnefoldError], ...] = (
    BadInput,
    NotSignedIn,
    NotAllowed,
    NotFound,
    Conflict,
    MachineFailed,
)


def error_of(told: Mapping[str, Any]) -> OnefoldError:
    """Return the error that an RFC 9457 problem tells of, of the kind of its status.

    >>> error_of({"status": 404, "detail": "No metric `x`.", "fix": "Use another."})
    NotFound('No metric `x`.')
    """
    status = int(told.get("status", 500))
    kind = next((kind for kind in _KINDS if kind.status == status), None)
    if kind is None:
        kind = BadInput if 400 <= status < 500 else MachineFailed
    return kind(str(told.get("detail", "")), str(told.get("fix", "")))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean ...?` for the nearest known name, or nothing.

    >>> did_you_mean("saves_per_sesion", ["saves_per_session", "click_rate"])
    ' Did you mean `saves_per_session`?'
    """
    near = get_close_matches(name, list(known), n=1)
    return f" Did you mean `{near[0]}`?" if near else ""


def unknown(what: str, name: str, known: Iterable[str]) -> NotFound:
    """Return the error for a name that is not there.

    >>> str(unknown("metric", "click_rat", ["click_rate"]))
    'No metric `click_rat`. Did you mean `click_rate`?'
    """
    names = sorted(known)
    fix = f"Use one of: {', '.join(names[:20])}." if names else f"There is no {what} yet."
    return NotFound(f"No {what} `{name}`.{did_you_mean(name, names)}", fix)
