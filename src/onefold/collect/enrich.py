"""What surrounds an event, made short: agent, channel, campaign, place, language.

A context as sent is long and comes again and again; what is kept of it is one row of `contexts`,
and an event has the key of its row. Everything here is a function of the context and the rules.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Raw

from onefold.collect.agents import LONGEST, agent_of, device_of_system
from onefold.collect.channels import Arrival, Channels, ChannelTable
from onefold.collect.dialects.split import mend_surrogates
from onefold.collect.known_as import KnownAs, in_context
from onefold.collect.patterns import matcher
from onefold.collect.personal import personal_text
from onefold.collect.traffic import mark_of

_MOST_KNOWN = 20_000
"""Contexts as sent that are kept at hand: some 10 MB."""
_LONGEST = 200
_HOST = re.compile(
    r"[a-z][a-z0-9+.-]*://(?:[^/?#@\s]*@)?([\w.-]{1,253})(?=[:/?#]|$)", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z]{2,8}(?=[-_.@]|$)")
_COUNTRY = re.compile(r"[A-Za-z]{2}\Z")
_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term")


class Context(msgspec.Struct, frozen=True, gc=False):
    """A row of `contexts`; None where nothing is known."""

    browser: str | None = None
    browser_version: str | None = None
    system: str | None = None
    device: str | None = None
    channel: str | None = None
    referrer: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_term: str | None = None
    country: str | None = None
    language: str | None = None
    library: str | None = None


class _Named(msgspec.Struct, gc=False):
    name: str | None = None


class _Page(msgspec.Struct, gc=False):
    url: str | None = None
    referrer: str | None = None
    search: str | None = None


class _Campaign(msgspec.Struct, gc=False):
    source: str | None = None
    medium: str | None = None
    name: str | None = None
    term: str | None = None


class _Place(msgspec.Struct, gc=False):
    country: str | None = None


class _Said(msgspec.Struct, gc=False, rename="camel"):
    """What a sender says around an event, as far as it is looked at."""

    user_agent: str | None = None
    page: _Page | None = None
    campaign: _Campaign | None = None
    locale: str | None = None
    country: str | None = None
    location: _Place | None = None
    library: _Named | None = None
    os: _Named | None = None
    traffic: str | None = None
    synthetic: bool | None = None
    group_id: str | None = None
    sample_rate: float | None = msgspec.field(default=None, name="sample_rate")
    external_ids: Raw = Raw()
    device: Raw = Raw()


_said = msgspec.json.Decoder(_Said)
_NOTHING = Context()
_NO_PAGE, _NO_CAMPAIGN, _NO_NAME, _NO_PLACE = _Page(), _Campaign(), _Named(), _Place()


@dataclass(frozen=True, slots=True)
class Surrounding:
    """What an event gets from its context.

    Attributes:
        key: Of the row of `contexts`; None where nothing is known.
        context: That row.
        traffic: Its mark where it is no customer's (`model.records.MARKS`).
        sample_rate: Share of persons of whom such events are kept; None for all.
        account_id: Of the account in whose name it was done; None where none is told.
        known_as: Other identifiers of whoever it is of.
    """

    key: int | None
    context: Context
    traffic: str | None = None
    sample_rate: float | None = None
    account_id: str | None = None
    known_as: tuple[KnownAs, ...] = ()


_NO_SURROUNDING = Surrounding(None, _NOTHING)


class Enricher:
    """Reads contexts by one set of rules and remembers those that came before."""

    def __init__(self, channels: Channels, bots: Iterable[str]) -> None:
        """`bots` are patterns of user agents, beside the crawlers that are known anyway."""
        self._channels = ChannelTable(channels)
        self._is_bot = matcher(bots)
        self._places: dict[bytes, int] = {}
        self._found: list[Surrounding] = []

    def make_room(self) -> None:
        """Forget what is at hand where it has grown long; places told before are void then."""
        if len(self._places) > _MOST_KNOWN:
            self._places.clear()
            self._found.clear()

    def places(self, contexts: Sequence[bytes]) -> list[int]:
        """Return for each context as sent, JSON, the place of what `at` says of it."""
        known = self._places
        for sent in set(contexts):
            if sent not in known:
                known[sent] = len(self._found)
                self._found.append(self._surrounding(sent))
        return list(map(known.__getitem__, contexts))

    def at(self, place: int) -> Surrounding:
        """Return what an event gets from the context at a place."""
        return self._found[place]

    def _surrounding(self, sent: bytes) -> Surrounding:
        said = _read(sent)
        if said is None:
            return _NO_SURROUNDING
        context = self._context(said)
        agent = (said.user_agent or "")[:LONGEST]
        bot = bool(agent) and (agent_of(agent).spider or self._is_bot(agent))
        return Surrounding(
            None if context == _NOTHING else context_key(context),
            context,
            mark_of(said.traffic, synthetic=said.synthetic, bot=bot),
            _rate(said.sample_rate),
            _account(said.group_id),
            in_context(bytes(said.external_ids), bytes(said.device)),
        )

    def _context(self, said: _Said) -> Context:
        agent = agent_of(said.user_agent or "")
        system = agent.system or _text((said.os or _NO_NAME).name)
        page, campaign = said.page or _NO_PAGE, said.campaign or _NO_CAMPAIGN
        asked = _parameters(page)
        told = (campaign.source, campaign.medium, campaign.name, campaign.term)
        if not any(told):
            told = tuple(asked.get(name) for name in _UTM)  # type: ignore[assignment]
        utm = [_text(value) for value in told]
        arrival = Arrival(
            host=_host(page.url),
            referrer=_host(page.referrer),
            source=utm[0] or "",
            medium=utm[1] or "",
            campaign=utm[2] or "",
            parameters=asked.keys(),
        )
        foreign = arrival.referrer if not self._channels.is_own(arrival) else ""
        return Context(
            browser=agent.browser,
            browser_version=agent.version,
            system=system,
            device=agent.device or device_of_system(system),
            channel=self._channels.channel(arrival),
            referrer=foreign or None,
            utm_source=utm[0],
            utm_medium=utm[1],
            utm_campaign=utm[2],
            utm_term=utm[3],
            country=_country(said),
            language=_matching(_WORD, said.locale, str.lower),
            library=_text((said.library or _NO_NAME).name),
        )


@lru_cache(maxsize=16_384)
def context_key(context: Context) -> int:
    """Return the key of a context: a hash of what it says, signed 64 bits."""
    digest = blake2b(msgspec.msgpack.encode(context), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _read(sent: bytes) -> _Said | None:
    """Return what a context says; parts that are not what they should be say nothing."""
    if sent[:1] != b"{":
        return None
    try:
        return _said.decode(sent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        fields = msgspec.json.decode(mend_surrogates(sent))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return _Said(
        user_agent=_as_text(fields.get("userAgent")),
        page=_Page(*_part(fields, "page", ("url", "referrer", "search"))),
        campaign=_Campaign(*_part(fields, "campaign", ("source", "medium", "name", "term"))),
        locale=_as_text(fields.get("locale")),
        country=_as_text(fields.get("country")),
        location=_Place(*_part(fields, "location", ("country",))),
        library=_Named(*_part(fields, "library", ("name",))),
        os=_Named(*_part(fields, "os", ("name",))),
        traffic=_as_text(fields.get("traffic")),
        synthetic=fields.get("synthetic") is True,
        group_id=_as_text(fields.get("groupId")),
        sample_rate=_as_number(fields.get("sample_rate")),
        external_ids=Raw(msgspec.json.encode(fields.get("externalIds"))),
        device=Raw(msgspec.json.encode(fields.get("device"))),
    )


def _part(fields: dict[str, Any], name: str, keys: tuple[str, ...]) -> list[str | None]:
    inner = fields.get(name)
    if not isinstance(inner, dict):
        return [None] * len(keys)
    return [_as_text(inner.get(key)) for key in keys]


def _as_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _as_number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _rate(value: float | None) -> float | None:
    """Return a share of persons that are kept; None for all, or for what is no share."""
    return value if value is not None and 0 < value < 1 else None


def _account(value: str | None) -> str | None:
    """Return an id of an account; None for a blank, or for one that is longer than any."""
    found = (value or "").strip()
    return found if found and len(found) <= _LONGEST else None


def _text(value: str | None) -> str | None:
    """Return a short text as it is kept; nothing of what looks personal."""
    found = value[:_LONGEST].strip() if value else ""
    return None if not found or personal_text(found) else found


def _matching(pattern: re.Pattern[str], value: str | None, spelt: Any) -> str | None:
    found = pattern.match(value) if value and len(value) <= _LONGEST else None
    return spelt(found.group()) if found else None


def _country(said: _Said) -> str | None:
    """Return the country that the sender tells, else the one that intake was told."""
    told = _matching(_COUNTRY, (said.location or _NO_PLACE).country, str.upper)
    return told or _matching(_COUNTRY, said.country, str.upper)


def _host(address: str | None) -> str:
    found = _HOST.match(address) if address else None
    if found is None:
        return ""
    return found.group(1).lower().removeprefix("www.").rstrip(".")


def _parameters(page: _Page) -> dict[str, str]:
    query = page.search or (page.url or "").partition("#")[0].partition("?")[2]
    if not query:
        return {}
    try:
        return dict(parse_qsl(query.removeprefix("?"), max_num_fields=100, errors="replace"))
    except ValueError:
        return {}
