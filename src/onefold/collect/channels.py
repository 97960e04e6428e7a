"""Channels: by which way somebody came, by an editable table of rules.

`definitions/channels.yaml` of the workspace, or the table shipped with Onefold where there is none.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

from onefold.collect.patterns import host_matcher, matcher
from onefold.model.documents import Fields, read_document

FILE = "channels.yaml"
REFERRERS = ("none", "own", "other")
"""What a referrer may be: there is none, it is a site of our own, it is another's."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: the channel of what meets every condition that is not empty.

    Attributes:
        channel: Its name.
        site: Classes of sites, of which the campaign's source or else the referrer is one.
        source: Patterns of `utm_source`.
        medium: Patterns of `utm_medium`.
        campaign: Patterns of `utm_campaign`.
        click_id: Parameters of the page's address, of which one is there.
        referrer: What the referrer is, of `REFERRERS`; a page was seen.
    """

    channel: str
    site: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    medium: tuple[str, ...] = ()
    campaign: tuple[str, ...] = ()
    click_id: tuple[str, ...] = ()
    referrer: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Channels:
    """The table.

    Attributes:
        own_hosts: Patterns of the workspace's own sites.
        sites: Class of sites -> patterns of their hosts.
        rules: Tried in order.
    """

    own_hosts: tuple[str, ...] = ()
    sites: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """What an event says of the way by which its person came; empty where it says nothing."""

    host: str = ""
    referrer: str = ""
    source: str = ""
    medium: str = ""
    campaign: str = ""
    parameters: Collection[str] = ()


def parse_channels(text: str, path: str) -> Channels:
    """Return the table that a YAML document holds.

    Raises:
        BadInput: Something is missing, unknown or contradictory; with file, line and column.
    """
    fields = read_document(text, path)
    own_hosts = fields.texts("own_hosts", ())
    classes = fields.fields("sites")
    sites = {name: classes.texts(name) for name in classes.names()} if classes else {}
    rules = tuple(_rule(one, sites) for one in fields.each("rules"))
    fields.close()
    return Channels(own_hosts, sites, rules)


def _rule(fields: Fields, sites: Collection[str]) -> Rule:
    rule = Rule(
        channel=fields.text("channel"),
        site=fields.texts("site", ()),
        source=fields.texts("source", ()),
        medium=fields.texts("medium", ()),
        campaign=fields.texts("campaign", ()),
        click_id=fields.texts("click_id", ()),
        referrer=fields.texts("referrer", ()),
    )
    fields.close()
    for name, known in (("site", sites), ("referrer", REFERRERS)):
        for value in getattr(rule, name):
            if value not in known:
                fields.refuse(
                    name, f"`{name}` cannot be `{value}`.", f"Use one of: {', '.join(known)}."
                )
    return rule


def shipped_text() -> str:
    """Return the table that is shipped, as YAML."""
    return (files("onefold.collect") / "seeds" / FILE).read_text("utf-8")


@lru_cache(maxsize=1)
def shipped_channels() -> Channels:
    """Return the table that holds where a workspace has none of its own."""
    return parse_channels(shipped_text(), FILE)


class ChannelTable:
    """The table made ready to ask."""

    def __init__(self, channels: Channels) -> None:
        self._own = host_matcher(channels.own_hosts)
        self._sites = {name: _site(hosts) for name, hosts in channels.sites.items()}
        self._rules = [(rule.channel, self._conditions(rule)) for rule in channels.rules]

    def channel(self, arrival: Arrival) -> str | None:
        """Return the channel of an arrival; None where no rule says one."""
        for channel, conditions in self._rules:
            if all(holds(arrival) for holds in conditions):
                return channel
        return None

    def is_own(self, arrival: Arrival) -> bool:
        """Return whether the referrer is a site of our own."""
        referrer = arrival.referrer
        return bool(referrer) and (referrer == arrival.host or self._own(referrer))

    def _conditions(self, rule: Rule) -> list[Callable[[Arrival], bool]]:
        found: list[Callable[[Arrival], bool]] = []
        if rule.site:
            known = [self._sites[name] for name in rule.site]
            found.append(lambda arrival: any(site(arrival) for site in known))
        found += [
            _field(name, matcher(patterns))
            for name in ("source", "medium", "campaign")
            if (patterns := getattr(rule, name))
        ]
        if rule.click_id:
            ids = frozenset(rule.click_id)
            found.append(lambda arrival: not ids.isdisjoint(arrival.parameters))
        if rule.referrer:
            kinds = rule.referrer
            found.append(lambda arrival: self._referrer(arrival) in kinds)
        return found

    def _referrer(self, arrival: Arrival) -> str:
        if not arrival.referrer:
            return "none" if arrival.host else ""
        return "own" if self.is_own(arrival) else "other"


def _field(name: str, fits: Callable[[str], bool]) -> Callable[[Arrival], bool]:
    return lambda arrival: bool(value := getattr(arrival, name)) and fits(value)


def _site(hosts: tuple[str, ...]) -> Callable[[Arrival], bool]:
    """Return whether an arrival is from one of the sites; a source may be a site's short name."""
    fits = host_matcher(hosts)
    names = frozenset(host.partition(".")[0].lower() for host in hosts)

    def holds(arrival: Arrival) -> bool:
        if arrival.source:
            source = arrival.source.lower()
            return source in names if "." not in source else fits(source)
        return bool(arrival.referrer) and fits(arrival.referrer)

    return holds
