"""Events as signed requests to an address of the receiver."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import httpx

from onefold.model.errors import OnefoldError
from onefold.model.time import SECOND
from onefold.sharing.carriers import Taken, Undelivered
from onefold.sharing.guard import Resolve, resolve, target_of
from onefold.sharing.records import Batch, Destination
from onefold.sharing.signing import headers

_PATIENCE = httpx.Timeout(15.0, connect=5.0)
_MOST_REDIRECTS = 3
_AGAIN_ELSEWHERE = (307, 308)
_MOST_EVENTS, _MOST_SUBJECTS = 500, 1000


class Webhook:
    """An address that takes signed requests (see `Carrier`)."""

    most = 5_000
    gives_up = True
    rewrites = False

    def __init__(
        self, destination: Destination, clock: Callable[[], int], by: Resolve = resolve
    ) -> None:
        self._destination = destination
        self._clock = clock
        self._by = by

    def begin(self, _cursor: int) -> None:
        """Nothing is left behind at a receiver that a second try would not say again."""

    def carry(self, batch: Batch, sequence: int) -> None:
        """Post the events of a batch, at most 500 a message."""
        for start in range(0, len(batch.rows), _MOST_EVENTS):
            events = batch.rows[start : start + _MOST_EVENTS]
            self._post("onefold.events", {"events": events}, (sequence, start), events[-1])

    def take_back(self, _taken: Taken, subjects: Collection[str], sequence: int) -> None:
        """Post which subjects the receiver has to drop, at most 1,000 a message."""
        named = sorted(subjects)
        for start in range(0, len(named), _MOST_SUBJECTS):
            piece = named[start : start + _MOST_SUBJECTS]
            self._post("onefold.deleted", {"subjects": piece}, (sequence, start), {})

    def _post(
        self,
        kind: str,
        data: Mapping[str, Any],
        place: tuple[int, int],
        last: Mapping[str, Any],
    ) -> None:
        told = {"destination": self._destination.name, "sequence": place[0], **data}
        message = {"type": kind, "timestamp": last.get("received_time"), "data": told}
        body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )
        # Tried again with the same content it has the same id, by which receivers know it.
        digest = blake2b(body + f"{place}".encode(), digest_size=16).hexdigest()
        self._send(f"msg_{digest}", body)

    def _send(self, message_id: str, body: bytes) -> None:
        settings = self._destination.settings
        allowed: Sequence[str] = settings.get("allow") or ()
        signed = headers(self._destination.secret, message_id, self._clock() // SECOND, body)
        try:
            url = httpx.URL(settings["url"])
            # Proxies of the environment would resolve names anew, behind the guard.
            with httpx.Client(trust_env=False, timeout=_PATIENCE, follow_redirects=False) as line:
                for _ in range(_MOST_REDIRECTS + 1):
                    target = target_of(url, allowed, self._by)
                    status, further = _ask(line, target.pinned, target.host, signed, body)
                    if status not in _AGAIN_ELSEWHERE or not further:
                        return _judge(status)
                    url = url.join(further)
        except OnefoldError as error:
            if isinstance(error, Undelivered):
                raise
            raise Undelivered(error.message, error.fix) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Undelivered(f"The receiver does not answer: {type(error).__name__}.") from error
        raise Undelivered("The receiver sends us on and on.")


def _ask(
    line: httpx.Client, url: httpx.URL, host: str, signed: Mapping[str, str], body: bytes
) -> tuple[int, str]:
    """Return the status of one request, and where it sends us on; the answer's body is not read."""
    port = f":{url.port}" if url.port else ""
    name = f"[{host}]" if ":" in host else host
    with line.stream(
        "POST",
        url,
        content=body,
        headers={
            **signed,
            "host": name + port,
            "content-type": "application/json",
            "user-agent": "onefold",
        },
        extensions={"sni_hostname": host},
    ) as response:
        return response.status_code, response.headers.get("location", "")


def _judge(status: int) -> None:
    if httpx.codes.is_success(status):
        return
    if status == httpx.codes.GONE:
        message = "The receiver says that it is gone (410)."
        raise Undelivered(message, "Give it another address, or remove it.", gone=True)
    raise Undelivered(f"The receiver answered {status}.", "Look at its log.")
