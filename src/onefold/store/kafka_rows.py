"""Rows of the log as messages of Kafka: a MessagePack list, its body packed by LZ4."""

import lz4.block
import msgspec

from onefold.model.errors import MachineFailed
from onefold.store.records import FORMAT, LogRow, NewRow


class _Kept(msgspec.Struct, array_like=True, gc=False):
    """What a message holds, in this order; later versions add at the end."""

    format: int
    received_time: int
    source: str
    environment: str
    dialect: str
    route: str
    body: bytes
    verdicts: bytes
    reasons: bytes
    trace: str = ""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Kept)


def packed(row: NewRow) -> bytes:
    """Return a row as the value of a message."""
    return _encoder.encode(
        _Kept(
            FORMAT,
            row.received_time,
            row.source,
            row.environment,
            row.dialect,
            row.route,
            lz4.block.compress(row.body),
            row.verdicts,
            row.reasons,
            row.trace,
        )
    )


def unpacked(value: bytes, offset: int) -> LogRow:
    """Return the row of a message's value.

    Raises:
        MachineFailed: It is none of ours: somebody else writes to the topic.
    """
    try:
        kept = _decoder.decode(value)
        body = lz4.block.decompress(kept.body)
    except (msgspec.DecodeError, lz4.block.LZ4BlockError) as error:
        message = f"Row {offset:,} of the topic is none of Onefold's."
        raise MachineFailed(message, "Let nobody else write to the topic of the log.") from error
    return LogRow(
        received_time=kept.received_time,
        source=kept.source,
        environment=kept.environment,
        dialect=kept.dialect,
        route=kept.route,
        body=body,
        verdicts=kept.verdicts,
        reasons=kept.reasons,
        trace=kept.trace,
        offset=offset,
        format=kept.format,
    )


class _Glanced(msgspec.Struct, array_like=True, gc=False):
    """What of a message tells of its events: `_Kept` but for its body, which is not looked at."""

    format: int
    received_time: int
    source: str
    environment: str
    dialect: str
    route: str
    body: msgspec.Raw
    verdicts: bytes
    reasons: msgspec.Raw
    trace: str = ""


_glancer = msgspec.msgpack.Decoder(_Glanced)


def glanced(value: bytes) -> tuple[int, int, str]:
    """Return received time, number of events and trace of a message's row; not unpacked."""
    try:
        found = _glancer.decode(value)
    except msgspec.DecodeError:
        return 0, 0, ""
    return found.received_time, len(found.verdicts), found.trace


def key_of(dialect: str, route: str) -> str:
    """Return the kind of a row as one name."""
    return f"{dialect}/{route}"
