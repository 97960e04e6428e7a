"""Signatures of webhooks as Standard Webhooks has them (specification 1.0.0, HMAC-SHA256)."""

import base64
import hmac
import secrets
from hashlib import sha256

PREFIX = "whsec_"


def new_secret() -> str:
    """Return a fresh signing secret of 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(secret: str, message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """Return the three headers by which a receiver knows us and what it has had already.

    Args:
        secret: `whsec_` and base64.
        message_id: The same whenever the same message is tried again.
        seconds: When it is sent, since 1970.
        body: As sent, byte for byte.
    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((message_id.encode(), str(seconds).encode(), body))
    signature = base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{signature}",
    }
