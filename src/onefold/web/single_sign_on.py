"""OpenID Connect: the code flow with PKCE, state and nonce; what the provider signs is checked.

Source: OpenID Connect Core 1.0 (3.1, 3.1.3.7), Discovery 1.0 (4), RFC 7636 (PKCE, S256),
RFC 9700 (security of OAuth 2.0: state bound to the browser, one use, exact issuer).
"""

from __future__ import annotations

import os
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import httpx

from onefold.model.errors import BadInput, Busy, MachineFailed, NotSignedIn
from onefold.model.time import MINUTE, SECOND

if TYPE_CHECKING:
    from onefold.model.single_sign_on import Provider
    from onefold.model.time import Clock

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""None that a shared secret makes, and never `none`."""
LIFE = 10 * MINUTE
LEEWAY_SECONDS = 60
KEPT = 60 * MINUTE
MOST_PENDING = 1_000
MOST_BYTES = 1_000_000
_FIX = "Try again; if it stays so, an owner looks at [oidc] in onefold.toml."


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that has begun: what the answer has to carry, and where it goes on to."""

    state: str
    nonce: str
    verifier: str
    next_path: str
    back: str
    time: int


class SingleSignOn:
    """The way to a provider and back; what has begun is kept here, for ten minutes."""

    def __init__(
        self, provider: Provider, clock: Clock, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Speak to a provider; `transport` is for tests.

        Raises:
            BadInput: Its address is not https, or the extra is not installed.
        """
        _installed()
        place = urlsplit(provider.issuer)
        here = place.scheme == "http" and place.hostname in {"localhost", "127.0.0.1", "::1"}
        if (place.scheme != "https" and not here) or not place.hostname:
            message = f"The issuer {provider.issuer!r} is not spoken to by https."
            raise BadInput(message, 'Write issuer = "https://..." below [oidc].')
        self._provider, self._clock = provider, clock
        self._client = httpx.Client(transport=transport, timeout=10, follow_redirects=False)
        self._lock = Lock()
        self._begun: dict[str, Begun] = {}
        self._known: tuple[int, dict[str, Any]] | None = None
        self._keys: tuple[int, dict[str, Any]] | None = None

    def begin(self, next_path: str, back: str) -> tuple[str, str]:
        """Return where to send the browser, and the state that its cookie keeps.

        Args:
            next_path: Where to go once signed in.
            back: The address to which the provider sends the browser.
        """
        now = self._clock()
        begun = Begun(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            next_path=next_path,
            back=back,
            time=now,
        )
        challenge = urlsafe_b64encode(sha256(begun.verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": back,
            "scope": self._provider.scopes,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        address = self._address("authorization_endpoint")
        with self._lock:
            self._begun = {k: b for k, b in self._begun.items() if now - b.time < LIFE}
            if len(self._begun) >= MOST_PENDING:
                raise Busy("Too many sign-ins have begun.", "Try again in a few minutes.")
            self._begun[begun.state] = begun
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", begun.state

    def finish(self, state: str, kept: str, code: str) -> tuple[dict[str, Any], Begun]:
        """Return what the provider says of who came back, once it is proven; used up by it.

        Args:
            state: As the address of the answer has it.
            kept: As the browser's cookie has it.
            code: What the provider gave, to be changed for the signed answer.

        Raises:
            NotSignedIn: It is not the answer to what this browser began, or it is not proven.
        """
        with self._lock:
            begun = self._begun.pop(state, None)
        same = bool(kept) and compare_digest(state.encode(), kept.encode())
        if begun is None or not same or self._clock() - begun.time >= LIFE:
            raise NotSignedIn("This sign-in was not begun here, or is over.", "Begin it anew.")
        token = self._exchanged(code, begun)
        claims = self._proven(token)
        if not compare_digest(str(claims.get("nonce", "")).encode(), begun.nonce.encode()):
            raise NotSignedIn("The answer is of another sign-in.", "Begin it anew.")
        return claims, begun

    def _exchanged(self, code: str, begun: Begun) -> str:
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.back,
            "client_id": self._provider.client_id,
            "code_verifier": begun.verifier,
        }
        name = self._provider.secret_from
        secret = os.environ.get(name, "") if name else ""
        auth = httpx.BasicAuth(self._provider.client_id, secret) if secret else None
        found = self._asked("POST", self._address("token_endpoint"), data=given, auth=auth)
        token = found.get("id_token")
        if not isinstance(token, str):
            raise NotSignedIn("The provider does not say who came.", _FIX)
        return token

    def _proven(self, token: str) -> dict[str, Any]:
        """Return the claims of a token whose signature, issuer, audience and time are right."""
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            claims = self._decoded(token)
            now = self._clock() // SECOND
            jwt.JWTClaimsRegistry(
                now=now,
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self._provider.issuer},
                aud={"essential": True, "value": self._provider.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError, KeyError) as error:
            message = f"What the provider signed is not right: {type(error).__name__}."
            raise NotSignedIn(message, _FIX) from error
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._provider.client_id:
            raise NotSignedIn("What the provider signed is for somebody else.", _FIX)
        return claims

    def _decoded(self, token: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import BadSignatureError, InvalidKeyIdError
        from joserfc.jwk import KeySet

        for fresh in (False, True):
            keys = KeySet.import_key_set({"keys": self._key_set(fresh=fresh)})
            try:
                return dict(jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims)
            except (BadSignatureError, InvalidKeyIdError, ValueError):
                # The provider may have new keys since.
                if fresh:
                    raise
        raise NotSignedIn("What the provider signed is not right.", _FIX)

    def _key_set(self, *, fresh: bool) -> list[Any]:
        now = self._clock()
        held = self._keys
        if held is None or fresh or now - held[0] > KEPT:
            held = self._keys = (now, self._asked("GET", self._address("jwks_uri")))
        found = held[1].get("keys", [])
        return [key for key in found if isinstance(key, dict) and key.get("kty") != "oct"]

    def _address(self, name: str) -> str:
        now = self._clock()
        held = self._known
        if held is None or now - held[0] > KEPT:
            issuer = self._provider.issuer.rstrip("/")
            found = self._asked("GET", f"{issuer}/.well-known/openid-configuration")
            if found.get("issuer") != self._provider.issuer:
                message = "The provider calls itself by another issuer than onefold.toml."
                raise MachineFailed(message, "Write the issuer exactly as the provider does.")
            held = self._known = (now, found)
        address = held[1].get(name)
        if not isinstance(address, str):
            raise MachineFailed(f"The provider does not say its {name}.", _FIX)
        return address

    def _asked(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        try:
            answer = self._client.request(method, address, **more)
            found = answer.json() if len(answer.content) <= MOST_BYTES else None
        except (httpx.HTTPError, ValueError) as error:
            message = f"The provider does not answer: {type(error).__name__}."
            raise Busy(message, "Try again.", retry_seconds=10) from error
        if answer.status_code != httpx.codes.OK or not isinstance(found, dict):
            raise NotSignedIn(f"The provider answered {answer.status_code}.", _FIX)
        return found


def role_of(provider: Provider, claims: dict[str, Any], order: tuple[str, ...]) -> str:
    """Return the widest role that the claims give.

    Raises:
        NotSignedIn: They give none.
    """
    said = claims.get(provider.role_claim, ())
    values = {said} if isinstance(said, str) else {one for one in said if isinstance(one, str)}
    given = {provider.roles[value] for value in values if value in provider.roles}
    for role in order:
        if role in given:
            return role
    message = f"Nothing in `{provider.role_claim}` gives you a role here."
    raise NotSignedIn(message, "Ask an owner: roles stand below [oidc.roles] in onefold.toml.")


def _installed() -> None:
    try:
        import joserfc  # noqa: F401
    except ModuleNotFoundError as error:
        message = "Signing in by OpenID Connect needs what is not installed: joserfc."
        raise BadInput(message, "Install it with `pip install 'onefold[oidc]'`.") from error
