"""Intake: what one request is worth, event by event, and what of it goes into the log.

The judgement rests on the request and its source's policy alone, never on the facts, so intake
never waits and the order of requests does not matter.
"""

from collections.abc import Callable
from functools import lru_cache, partial

import msgspec

from onefold.collect.catalogue import Catalogue
from onefold.collect.countries import NOWHERE, Whence
from onefold.collect.dialects.reading import taken_apart
from onefold.collect.dialects.segment import (
    BATCH,
    MADE,
    Request,
    decode_request,
    readable,
)
from onefold.collect.gate import (
    may_hold_address,
    stripped,
    with_context,
    with_id,
    without_address,
    without_properties,
)
from onefold.collect.holding import (
    ROUTE,
    HeldEntry,
    HeldItem,
    about,
    id_in,
    timed,
)
from onefold.collect.records import Code, Incoming, Receipt, Source, Waiting
from onefold.collect.sampling import is_drawn, whose, with_rate
from onefold.collect.stating import DROPPED, is_change, with_subjects
from onefold.collect.suppression import Suppressed
from onefold.collect.validation import Judged, judge_call
from onefold.consent import Gate, keeps_identifiers, rules, saying
from onefold.model.errors import BadInput, TooLarge
from onefold.model.ids import message_hash
from onefold.store import NewRow

MOST_EVENTS = 2500
"""Events of one batch; those beyond are refused, one by one."""

NOTHING = b'{"batch":[]}'
"""The body of a row that only counts."""

_MOST_SAID = 160
_NONE: frozenset[str] = frozenset()
_objects = msgspec.json.Decoder(dict[str, object])


def receive(  # noqa: PLR0913 - whatever a verdict rests on is told
    source: Source,
    *,
    dialect: str,
    route: str,
    body: bytes,
    received_time: int,
    catalogue: Catalogue,
    gate: Gate | None = None,
    sampling_key: bytes = b"",
    whence: Whence = NOWHERE,
    suppressed: Suppressed | None = None,
) -> Receipt:
    """Return the verdicts on a request and the row to append to the log.

    Args:
        source: Whose key it carried.
        dialect: `segment`, `rudder`, `posthog` or `snowplow`. What one of RudderStack's SDKs
            sends to an address of Segment's is known for what it is.
        route: What `wire.address_of` said of its address.
        body: As it came, compressed or not.
        received_time: The clock, microseconds UTC.
        catalogue: The described events.
        gate: Judges consent by the workspace's rules; by the shipped ones where there is none.
        sampling_key: By which a source that samples draws persons.
        whence: Where the request came from, and what it said beside its body.
        suppressed: Who was erased and must not come back.

    Raises:
        TooLarge: Its body or its one event is over the limit.
        BadInput: The whole is unusable; nothing of it can be kept.
    """
    dialect, text, request = taken_apart(dialect, route, body, whence.beside)
    events = decode_request(request, received_time, source.name.encode())
    judge = _Judge(
        source,
        catalogue,
        gate or _shipped_gate(),
        sampling_key=sampling_key,
        whence=whence,
    )
    judge.suppressed = suppressed or None
    judge.as_came = not request.translated
    judge.addressed = request.translated or may_hold_address(text)
    for place, event in enumerate(events):
        judge.take(place, event, request)
    if (request.kind or request.alone) and judge.refused:
        _refuse_whole(judge.refused[0], events[0])
    kept, held = judge.kept, judge.held_row(received_time)
    if not kept and not judge.dropped:
        counts = (judge.sampled_out, 0, 0, held, len(judge.held))
        return Receipt(None, 0, (), tuple(judge.refused), *counts)
    reasons = judge.reasons | ({DROPPED: str(judge.dropped)} if judge.dropped else {})
    row = NewRow(
        received_time=received_time,
        source=source.name,
        environment=source.environment,
        dialect=dialect,
        route=(request.kind or BATCH) if kept else BATCH,
        body=(judge.body(request) or text) if kept else NOTHING,
        verdicts=bytes(kept),
        reasons=msgspec.json.encode(reasons) if reasons else b"",
        who=judge.who,
    )
    waiting, refused = tuple(judge.waiting), tuple(judge.refused)
    counts = (judge.sampled_out, judge.dropped, judge.unnamed, held, len(judge.held))
    return Receipt(row, judge.accepted, waiting, refused, *counts)


def _refuse_whole(refused: Waiting, event: Incoming) -> None:
    if event.code == Code.REFUSED:
        raise TooLarge(refused.reason, "Send less in one event.")
    raise BadInput(refused.reason, "Send one event as a JSON object.")


@lru_cache(maxsize=1)
def _shipped_gate() -> Gate:
    return Gate()


class _Judge:
    """Verdicts of one request, as they come up."""

    def __init__(
        self,
        source: Source,
        catalogue: Catalogue,
        gate: Gate,
        *,
        sampling_key: bytes,
        whence: Whence,
    ) -> None:
        self._source, self._environment = source.name, source.environment
        self._sample = source.sample
        self._sampling_key = sampling_key
        self._whence = whence
        self._region = gate.rules.region_of(country=whence.country, region=source.region)
        self._named_region = source.region
        self._masked: tuple[bytes | None, rules.Region | None, int] = (None, None, 0)
        self._writes = source.sample < 1 or bool(whence.tells)
        """Whether intake writes something into events."""
        self.sampled_out = self.dropped = 0
        self.suppressed: Suppressed | None = None
        """Who must not come back; None where nobody was erased."""
        self.unnamed = 0
        """How many events lost their name for that."""
        self._basis = source.basis
        self._unplanned = source.unplanned
        self._catalogue = catalogue
        self._gate = gate
        self.as_came = True
        """Whether what is kept is still what came, byte for byte."""
        self.addressed = True
        """Some event may name the address that it came from; asked of all of them at once."""
        self._whole: set[int] = set()
        self.who = b""
        """A hash of the first identifier that is kept."""
        self.accepted = 0
        self.kept = bytearray()
        self.items: list[bytes] = []
        self.reasons: dict[str, str] = {}
        self.waiting: list[Waiting] = []
        self.refused: list[Waiting] = []
        self.held: list[tuple[Incoming, bytes, bytes, int]] = []
        """Events that wait for a yes: decoded, whole, as nobody's, and the purposes allowed."""

    def take(self, place: int, event: Incoming, request: Request) -> None:
        """Judge one event and keep what may be kept of it."""
        gone = self.suppressed is not None and self.suppressed.meets(event)
        raw = bytes(request.items[place])
        region = self._region if self._whence.look is None else self._region_of(raw, request)
        mask = 0 if gone else self._mask(event.sent_consent, region)
        code, reason, dropped = event.code, event.reason, _NONE
        if place >= MOST_EVENTS:
            code, reason = Code.REFUSED, f"A batch has at most {MOST_EVENTS:,} events."
        elif code == Code.MALFORMED and not keeps_identifiers(mask):
            code = Code.REFUSED
            reason += " It cannot be kept, as its consent cannot be read."
        if not code:
            judged = self._content(event)
            code, reason, dropped = judged.code, judged.reason, judged.dropped
        if code == Code.REFUSED:
            self.as_came = False
            self.refused.append(Waiting(place, event.message_id[:_MOST_SAID], reason))
            return
        if self._leaves_some(region) and self._leaves_out(event, region, mask, code):
            self.as_came = False
            return
        if region.before == rules.HELD and not (code or gone) and self._holds(event, mask):
            self.as_came = False
            finish = partial(self._finished, raw, request, dropped, code)
            self._hold(raw, event, request, mask, finish)
            return
        kept = self._gated(raw, event, request, mask, gone=gone)
        if dropped or self._writes:
            kept = self._finished(raw, request, dropped, code, kept)
        if kept is not raw:
            self.as_came = False
        if code:
            self.waiting.append(Waiting(place, event.message_id[:_MOST_SAID], reason))
            self.reasons[str(len(self.kept))] = reason
        else:
            self.accepted += 1
        if not self.who and keeps_identifiers(mask):
            self.who = whose(event, self._sampling_key)
        self.items.append(kept)
        self.kept.append(code << 4 | mask)

    def _mask(self, consent: bytes | None, region: rules.Region) -> int:
        """Return the purposes of an event; those of a request mostly say the same of consent."""
        said, where, mask = self._masked
        if where is not region or said != consent:
            mask = self._gate.mask(self._basis, consent, region)
            self._masked = consent, region, mask
        return mask

    def _leaves_some(self, region: rules.Region) -> bool:
        """Return whether there may be events of which nothing is kept."""
        return self._sample < 1 or region.before == rules.DROPPED

    def _finished(
        self, raw: bytes, request: Request, dropped: frozenset[str], code: int, kept: bytes
    ) -> bytes:
        """Return what is kept of an event with what intake takes out of it and writes into it."""
        if dropped:
            kept = without_properties(kept, dropped)
        if not code and self._sample < 1:
            kept = with_rate(kept, self._sample)
        if self._whence.tells and code != Code.MALFORMED:
            kept = self._whence.placed(kept, raw, request.context)
        return kept

    def _holds(self, event: Incoming, mask: int) -> bool:
        """Return whether an event waits for its person's word: nobody said yes or no yet."""
        if keeps_identifiers(mask) or self._gate.keys is None:
            return False
        someone = event.user_id or event.anonymous_id
        change = is_change(event.kind, event.event)
        return bool(someone) and not change and self._gate.untold(event.sent_consent)

    def _hold(
        self,
        raw: bytes,
        event: Incoming,
        request: Request,
        mask: int,
        finish: Callable[[bytes], bytes],
    ) -> None:
        """Keep an event twice: sealed as with a yes, and as nobody's."""
        context = _context_without_address(request.context)
        whole = without_address(with_context(raw, context) if context else raw)
        plain = finish(stripped(raw, event, request.context, self._gate.identity_key))
        self.held.append(
            (
                event,
                timed(finish(whole), event, event.message_id),
                timed(plain, event, id_in(plain)),
                mask,
            )
        )

    def held_row(self, received_time: int) -> NewRow | None:
        """Return the control entry of what is held; None where nothing is."""
        if not self.held or self._gate.keys is None:
            return None
        day, key = self._gate.keys.key_of(received_time)
        items: list[HeldItem] = []
        for event, whole, plain, mask in self.held:
            message = message_hash(event.message_id, self._gate.identity_key)
            sealed_up = saying.seal(key, whole, about(message))
            items.append(HeldItem(message, msgspec.Raw(plain), sealed_up, mask))
        return NewRow(
            received_time=received_time,
            source=self._source,
            environment=self._environment,
            dialect="control",
            route=ROUTE,
            body=msgspec.json.encode(HeldEntry(day, items)),
            verdicts=b"",
        )

    def _region_of(self, raw: bytes, request: Request) -> rules.Region:
        """Return what holds where an event came from."""
        if self._whence.look is None:
            return self._region
        country = self._whence.country_of(raw, request.context)
        return self._gate.rules.region_of(country=country, region=self._named_region)

    def _leaves_out(self, event: Incoming, region: rules.Region, mask: int, code: int) -> bool:
        """Return whether nothing is kept of an event: it is counted only."""
        if not code and self._sample < 1 and not is_drawn(event, self._sample, self._sampling_key):
            self.sampled_out += 1
            return True
        drops = region.before == rules.DROPPED and not keeps_identifiers(mask)
        if drops and not is_change(event.kind, event.event):
            self.dropped += 1
            return True
        return False

    def _content(self, event: Incoming) -> Judged:
        """Return the verdict on an event's properties."""
        properties = event.properties
        if properties == b"{}":
            fields: dict[str, object] = {}
        else:
            try:
                fields = _objects.decode(properties)
            except (msgspec.DecodeError, RecursionError):
                reason = "The properties hold a number that is out of range."
                return Judged(Code.BAD_PROPERTIES, reason)
        return judge_call(self._catalogue, event.kind, event.event, fields, self._unplanned)

    def _gated(
        self, raw: bytes, event: Incoming, request: Request, mask: int, *, gone: bool
    ) -> bytes:
        """Return what may be kept of an event; the very same object where that is all of it."""
        if event.code == Code.MALFORMED and readable(raw) is None:
            self._whole.add(len(self.items))
            return raw
        kept = raw
        if keeps_identifiers(mask):
            if event.message_id.startswith(MADE):
                kept = with_id(kept, event.message_id)
            if self.addressed:
                kept = without_address(kept)
        else:
            self._whole.add(len(self.items))
            self.unnamed += gone
            kept = stripped(kept, event, request.context, self._gate.identity_key)
            if not gone and event.sent_consent and is_change(event.kind, event.event):
                kept = with_subjects(kept, event, self._gate)
        return kept

    def body(self, request: Request) -> bytes | None:
        """Return the request's body anew, from what may be kept; None where that is all of it."""
        context = _context_without_address(request.context)
        if self.as_came and context is request.context:
            return None
        if request.kind:
            return self.items[0]
        items = [
            item if place in self._whole or not context else with_context(item, context)
            for place, item in enumerate(self.items)
        ]
        sent = b'"sentAt":' + request.sent_at + b"," if request.sent_at else b""
        return b"{" + sent + b'"batch":[' + b",".join(items) + b"]}"


def _context_without_address(context: bytes) -> bytes:
    if not may_hold_address(context):
        return context
    fields = msgspec.json.decode(context, type=dict[str, msgspec.Raw])
    return context if fields.pop("ip", None) is None else msgspec.json.encode(fields)
