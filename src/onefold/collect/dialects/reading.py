"""Every dialect's requests taken apart, each by the module that knows it."""

from collections.abc import Mapping

from onefold.collect.dialects import posthog, rudder, segment, shape, snowplow
from onefold.collect.dialects.segment import Request
from onefold.collect.packing import LARGEST_REQUEST, unpacked
from onefold.model.errors import BadInput, TooLarge

_NOTHING: Mapping[str, str] = {}
_DIALECTS = ("segment", "rudder", "posthog", "snowplow")


def taken_apart(
    dialect: str, route: str, body: bytes, beside: Mapping[str, str] | None = None
) -> tuple[str, bytes, Request]:
    """Return whose SDK a request is of, its text, and its events in Segment's shape.

    Args:
        dialect: What its address says.
        route: What the dialect calls the address.
        body: As it came, compressed or not.
        beside: What headers say of the events (see `snowplow.read`).

    Raises:
        TooLarge: The body is over its dialect's limit.
        BadInput: The whole is unusable.
    """
    text = unpacked(body, shape.LARGEST_REQUEST)
    if dialect == "segment":
        if not rudder.speaks(text):
            if len(text) > LARGEST_REQUEST:
                message = f"The request has more than {LARGEST_REQUEST:,} bytes."
                raise TooLarge(message, "Send fewer events a request.")
            return dialect, text, segment.read(route, text)
        dialect = "rudder"
    if dialect == "rudder":
        return dialect, text, rudder.read(route, text)
    if dialect == "posthog":
        return dialect, text, posthog.read(route, text)
    if dialect == "snowplow":
        return dialect, text, snowplow.read(text, beside or _NOTHING)
    raise BadInput(f"No dialect `{dialect}`.", f"Use one of: {', '.join(_DIALECTS)}.")
