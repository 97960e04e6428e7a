"""A workspace that a server holds, asked over HTTP by a key."""

import os
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import msgspec

from onefold.found.questions import Questions, plain
from onefold.model.errors import BadInput, MachineFailed, NotAllowed, OnefoldError, error_of

KEY = "ONEFOLD_API_KEY"
"""Where the key is looked for that is not given."""
_CONNECT_SECONDS, _ANSWER_SECONDS = 10.0, 300.0


class Remote(Questions):
    """A workspace that a server holds. Use it in a `with` block, or close it."""

    def __init__(self, address: str, key: str) -> None:
        self._client = httpx.Client(
            base_url=f"{address.rstrip('/')}/api/v1/",
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
        )

    def ask(self, name: str, /, *, as_user: str | None = None, **params: Any) -> dict[str, Any]:
        """Return what a call answers, as the API does.

        Args:
            name: One of `calls()`, such as `experiment show`.
            as_user: None: a key asks as itself.
            params: What the call takes; a Python keyword gets a trailing `_`, as in `from_`.

        Raises:
            OnefoldError: What the server refuses, as it would here.
            NotAllowed: The key may not, or somebody else was to be asked as.
            MachineFailed: The server cannot be reached, or does not answer as Onefold does.
        """
        if as_user is not None:
            message = f"A key asks as itself, not as {as_user}."
            raise NotAllowed(message, "Leave out as_user, or use a key of the scope you want.")
        place = self._client.base_url
        try:
            body = msgspec.json.encode(plain(params))
            said = self._client.post(quote(name.replace(" ", "/")), content=body)
        except httpx.HTTPError as error:
            message = f"{place} does not answer: {error}."
            raise MachineFailed(message, "Look whether the server runs and is reached.") from error
        try:
            told = said.json()
        except ValueError:
            told = None
        if not isinstance(told, dict):
            message = f"{place} answers {said.status_code}, and not as Onefold does."
            raise MachineFailed(message, "Give the address that `onefold serve` prints.")
        if said.status_code != httpx.codes.OK:
            raise _refused(told, said.status_code)
        return told

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Remote: {self._client.base_url}>"


def connect(address: str, key: str | None = None) -> Remote:
    """Return a workspace that a server holds, to be asked over HTTP.

    Args:
        address: Where `onefold serve` is reached, such as `http://127.0.0.1:8000`.
        key: An API key (`onefold key add`); the variable ONEFOLD_API_KEY holds it where it is
            left out.

    Raises:
        BadInput: The address is none, or there is no key.
    """
    if not _is_address(address):
        message = f"{address!r} is no address of a server."
        raise BadInput(message, "Write it as http://127.0.0.1:8000; a folder is open_folder's.")
    found = key or os.environ.get(KEY, "")
    if not found:
        fix = f"Give `key`, or set {KEY}; `onefold key add NAME` makes one."
        raise BadInput("There is no API key to ask with.", fix)
    if not found.isascii() or not found.isprintable():
        raise BadInput("The API key has characters that no key has.", "Copy it anew.")
    return Remote(address, found)


def _is_address(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    # What no host may hold comes back escaped.
    return url.scheme in {"http", "https"} and url.host != "" and "%" not in url.host


def _refused(told: dict[str, Any], status: int) -> OnefoldError:
    return error_of({"detail": f"The server answers {status}.", **told, "status": status})
