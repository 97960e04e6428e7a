"""A two-sided market whose truth is known: made whole from a plan, the same every time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from onefold.simulate.advertisers import (
    INDUSTRIES,
    Advertisers,
    history_days,
    make_advertisers,
    spend_days,
)
from onefold.simulate.arms import shipped_arms
from onefold.simulate.behaviour import Reach, join_events, member_events
from onefold.simulate.catalogue import COUNTRIES, FIRST_NAMES, LAST_NAMES, Items, make_items
from onefold.simulate.contacts import Contacts, contact_events, make_contacts
from onefold.simulate.dirt import Sent, send
from onefold.simulate.names import account_name
from onefold.simulate.people import Assign, People, anonymous_id, make_people
from onefold.simulate.records import (
    ARMS,
    LIFT,
    NULL,
    Floats,
    Ints,
    MarketPlan,
    PlantedEffect,
    Request,
)
from onefold.simulate.streams import (
    ACCOUNTS,
    ADS,
    CONTACT_EVENTS,
    CONTACTS,
    DIRT,
    EVENTS,
    ITEMS,
    PEOPLE,
    VISITS,
    stream,
)
from onefold.simulate.truth import planted_effects
from onefold.simulate.visits import make_visits
from onefold.simulate.wire import Words, item_words, requests


@dataclass(frozen=True)
class Market:
    """A market: who is in it, what is true of it, and the requests that tell of it.

    Attributes:
        plan: What it was made from.
        people: The members; accounts: the advertisers; contacts: the people at these.
        items: What there is to pin.
        campaign_account: For every campaign its account.
        cents: For every campaign what a click costs.
        effects: The planted effects with their true values.
        own_arms: Arms were not given by the experiments of `onefold.experiments`.
    """

    plan: MarketPlan
    people: People
    accounts: Advertisers
    contacts: Contacts
    items: Items
    campaign_account: Ints
    cents: Ints
    effects: tuple[PlantedEffect, ...]
    own_arms: bool = False

    @cached_property
    def sent(self) -> Sent:
        """Everything that goes over the wire, in order of arrival."""
        return _sent(self)

    def requests(self) -> Iterator[Request]:
        """Yield Segment batch bodies, without write key, in the order in which they arrive."""
        sent = self.sent
        return requests(self.plan, sent.events, (sent.place, sent.arrival), _words(self))

    @property
    def counts(self) -> dict[str, int]:
        """How much of what there is; `events` counts each message once."""
        sent = self.sent
        return {
            "people": self.plan.people,
            "contacts": len(self.contacts.account),
            "accounts": self.plan.account_count,
            "campaigns": len(self.campaign_account),
            "items": len(self.items.creator),
            "events": len(sent.events),
            "sent": len(sent.place),
            "sent_twice": sent.twice,
            "late": sent.late,
            "dated_ahead": sent.future,
            "broken": sent.broken,
            "misspelt": sent.misspelt,
            "refused_analytics": int((~self.people.analytics).sum()),
        }

    @property
    def truth(self) -> dict[str, Any]:
        """What stands in `truth.json`."""
        return {
            "format": 1,
            "market": {
                "people": self.plan.people,
                "days": self.plan.days,
                "seed": self.plan.seed,
                "accounts": self.plan.account_count,
                "end_time": self.plan.end_time,
                "started_date": self.plan.started_date.isoformat(),
                "planned_days": self.plan.planned_days,
            },
            "counts": self.counts,
            "effects": [effect.as_dict() for effect in self.effects],
        }


def make_market(plan: MarketPlan, *, assign: Assign | None = None) -> Market:
    """Return the market of a plan.

    Args:
        plan: Sizes, seed and end.
        assign: Names the arm of an experiment for a targeting key; by default that of
            `onefold.experiments`, so that live traffic and history agree.
    """
    accounts = make_advertisers(plan, stream(plan, ACCOUNTS))
    campaign_account = np.repeat(np.arange(plan.account_count), accounts.campaigns)
    chance = stream(plan, ADS)
    cents = np.clip(70 * chance.lognormal(0, 0.5, len(campaign_account)), 8, 600)
    return Market(
        plan=plan,
        people=make_people(plan, stream(plan, PEOPLE), assign=assign or shipped_arms()),
        accounts=accounts,
        contacts=make_contacts(plan, accounts, stream(plan, CONTACTS)),
        items=make_items(plan.people, stream(plan, ITEMS)),
        campaign_account=campaign_account,
        cents=cents.astype(np.int64),
        effects=planted_effects(plan, accounts),
        own_arms=assign is not None,
    )


def _sent(market: Market) -> Sent:
    plan = market.plan
    everyone = plan.people + len(market.contacts.account)
    visits = make_visits(plan, market.people, stream(plan, VISITS))
    members = member_events(
        plan,
        market.people,
        visits,
        everyone=everyone,
        items=market.items,
        reach=Reach(chance=_chances(market), cents=market.cents),
        rng=stream(plan, EVENTS),
    )
    others = contact_events(plan, market.contacts, stream(plan, CONTACT_EVENTS))
    return send(plan, join_events([members, others]), stream(plan, DIRT))


def _chances(market: Market) -> Floats:
    """Return running sums over campaigns, a row a day, by what the account spends that day."""
    days = spend_days(market.plan)
    day = np.minimum(history_days(market.plan) + np.arange(market.plan.days + 1), days - 1)
    spend = market.accounts.spend[:, day].T / market.accounts.campaigns[None, :]
    return np.asarray(spend[:, market.campaign_account].cumsum(axis=1), np.float64)


def _words(market: Market) -> Words:
    accounts = market.campaign_account.tolist()
    items = len(market.items.creator)
    return Words(
        who=pa.array(_who(market)),
        traits=pa.array(_traits(market)),
        items=item_words(market.items),
        campaigns=pa.array(
            [
                f'"campaign_id":"cmp-{c}","account_id":"acc-{a}","item_id":"i{c * 7 % items}"'
                for c, a in enumerate(accounts)
            ]
        ),
        groups=pa.array(
            [
                f'"groupId":"acc-{a}","traits":{{"name":{json.dumps(account_name(a))},'
                f'"industry":"{INDUSTRIES[i]}"'
                for a, i in enumerate(market.accounts.industry.tolist())
            ]
        ),
        exposures=pa.array(
            [
                f'"experiment_id":"{name}","variation_id":"{arm}","flag_version":1'
                for name in (LIFT, NULL)
                for arm in ARMS
            ]
        ),
    )


def _who(market: Market) -> list[str]:
    """Return ids and consent of every device, without and with the user id, context open."""
    people = market.plan.people
    contacts = len(market.contacts.account)
    analytics = market.people.analytics.tolist() + [True] * contacts
    advertising = market.people.advertising.tolist() + [True] * contacts
    lines = []
    for second in (False, True):
        for person in range(people + contacts):
            consent = (
                '"context":{"consent":{"categoryPreferences":{"analytics":'
                f"{_flag(analytics[person])},"
                f'"advertising":{_flag(advertising[person])}}}}}'
            )
            ids = f'"anonymousId":"{anonymous_id(person, second=second)}",'
            lines += [ids + consent, f'{ids}"userId":"u{person}",{consent}']
    return lines


def _flag(value: object) -> str:
    return "true" if value else "false"


def _traits(market: Market) -> list[str]:
    lines = []
    people = market.people
    for person, (first, last, country) in enumerate(
        zip(people.first.tolist(), people.last.tolist(), people.country.tolist(), strict=True)
    ):
        given, family = FIRST_NAMES[first], LAST_NAMES[last]
        lines.append(
            f'"email":"{given.lower()}.{family.lower()}.{person}@mail.example",'
            f'"name":"{given} {family}","country":"{COUNTRIES[country]}"'
        )
    contacts = market.contacts
    for account, first, last in zip(
        contacts.account.tolist(), contacts.first.tolist(), contacts.last.tolist(), strict=True
    ):
        given, family = FIRST_NAMES[first], LAST_NAMES[last]
        domain = account_name(account).lower().replace(" ", "-")
        lines.append(
            f'"email":"{given.lower()}.{family.lower()}@{domain}.example",'
            f'"name":"{given} {family}","country":"US"'
        )
    return lines
