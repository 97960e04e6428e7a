"""Traffic that is no customer's: programs, ourselves, tests, synthetic journeys.

`definitions/traffic.yaml` of the workspace, or the table shipped with Onefold where there is none.
What is marked is kept, and left out of every figure unless a question includes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import msgspec

from onefold.model.documents import Fields, read_document
from onefold.model.ids import identifier_key
from onefold.model.records import BOT, INTERNAL, SYNTHETIC, TEST

FILE = "traffic.yaml"
_SAID = (SYNTHETIC, TEST, INTERNAL)
"""What a sender may say of an event."""


class _Once(msgspec.Struct, gc=False):
    email: str = ""


class _Traits(msgspec.Struct, gc=False):
    email: str = ""
    once: _Once = msgspec.field(default_factory=_Once, name="$set_once")


_traits = msgspec.json.Decoder(_Traits)


@dataclass(frozen=True, slots=True)
class Traffic:
    """The table; identifiers are keys here, as no fact knows a name.

    Attributes:
        keys: (key of an identifier, mark).
        accounts: (account id, mark): whoever belongs to it.
        domains: (domain of e-mail addresses, mark).
        bots: Patterns of user agents.
    """

    keys: tuple[tuple[int, str], ...] = ()
    accounts: tuple[tuple[str, str], ...] = ()
    domains: tuple[tuple[str, str], ...] = ()
    bots: tuple[str, ...] = ()


def parse_traffic(text: str, path: str, identity_key: bytes) -> Traffic:
    """Return the table that a YAML document holds.

    Args:
        text: The document.
        path: How complaints name the file.
        identity_key: Of the workspace; keys every hash of an identifier.

    Raises:
        BadInput: Something is unknown or contradictory; with file, line and column.
    """
    fields = read_document(text, path)
    keys: list[tuple[int, str]] = []
    accounts: list[tuple[str, str]] = []
    domains: list[tuple[str, str]] = []
    for mark in (INTERNAL, TEST):
        listed = fields.fields(mark)
        if listed is None:
            continue
        for kind in ("user_id", "anonymous_id"):
            values = listed.texts(f"{kind}s", ())
            keys += [(identifier_key(identity_key, kind, value), mark) for value in values]
        accounts += [(value, mark) for value in listed.texts("account_ids", ())]
        domains += [(_domain(listed, name), mark) for name in listed.texts("email_domains", ())]
        listed.close()
    bots = fields.texts("bots", ())
    fields.close()
    return Traffic(tuple(sorted(keys)), _sorted(accounts), _sorted(domains), bots)


def _sorted(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(set(pairs)))


def _domain(fields: Fields, name: str) -> str:
    domain = name.lower().removeprefix("@")
    if "@" in domain or "." not in domain:
        fields.refuse("email_domains", f"`{name}` is no domain.", "Write it as company.example.")
    return domain


def shipped_traffic_text() -> str:
    """Return the table that is shipped, as YAML."""
    return (files("onefold.collect") / "seeds" / FILE).read_text("utf-8")


@lru_cache(maxsize=1)
def shipped_traffic() -> Traffic:
    """Return the table that holds where a workspace has none of its own; it names nobody."""
    return parse_traffic(shipped_traffic_text(), FILE, b"")


class Marks:
    """The table made ready to ask for the marks of identifiers."""

    def __init__(self, traffic: Traffic) -> None:
        self.listed = traffic.keys
        self.by_domain = bool(traffic.domains)
        self._accounts: dict[str, str] = dict(reversed(traffic.accounts))
        self._domains: dict[str, str] = dict(reversed(traffic.domains))

    def of_account(self, account_id: str) -> str | None:
        """Return the mark of who belongs to an account."""
        return self._accounts.get(account_id)

    def of_traits(self, traits: bytes) -> str | None:
        """Return the mark of a person with these traits as sent, by the domain of the e-mail."""
        if not self._domains or (b"@" not in traits and b"\\u" not in traits):
            return None
        try:
            found = _traits.decode(traits)
            domain = (found.email or found.once.email).strip().rpartition("@")[2].lower()
        except msgspec.DecodeError:
            return None
        while domain:
            if domain in self._domains:
                return self._domains[domain]
            domain = domain.partition(".")[2]
        return None


def mark_of(said: object, *, synthetic: object, bot: bool) -> str | None:
    """Return the mark of an event by what its context says and whether a program sent it.

    >>> mark_of("test", synthetic=None, bot=True), mark_of("nonsense", synthetic=None, bot=False)
    ('test', None)
    """
    if synthetic is True:
        return SYNTHETIC
    if isinstance(said, str) and said in _SAID:
        return said
    return BOT if bot else None
