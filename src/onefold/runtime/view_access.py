"""The access term of a View: which rows of every table the policies of who asks let be seen.

What is not known to be let through is not shown: a table that says neither of which account nor
of which campaign a row is shows none under a policy that names rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

import ibis

from onefold.governance import policies
from onefold.metrics import terms

if TYPE_CHECKING:
    import ibis.expr.types as ir

Tables = Mapping[str, "ir.Table"]

_OPEN = frozenset({"marked", "meta", "progress"})
"""Tables that nothing is shown of: they say what to leave out, and how far the folds are."""
_BY_IDENTIFIER = frozenset({"sessions"})
_BY_PERSON = frozenset({"identifiers"})
_TIED = {
    "edges": ("from_key", "to_key"),
    "links": ("from_key", "to_key"),
    "members": ("key",),
    "consents": ("key",),
}
"""Table of who is who -> its columns of identifiers, each of whom has to be shown."""
_UPWARDS = ("accounts", "account_parents")
"""Tables whose rows name the account above."""
_LEADS = {
    "campaign_id": ("campaigns", "campaign_id"),
    "ticket_id": ("tickets", "ticket_id"),
    "item_id": ("items", "item_id"),
    "creator_id": ("items", "creator_id"),
}
"""Column of a row that names no account -> the table, and its column, that knows the account."""


def seen(tables: Tables, sight: policies.Sight) -> dict[str, "ir.Table"]:
    """Return the facts' tables with the rows that policies let be seen.

    Args:
        tables: All tables of the facts, by name.
        sight: What the asker may see; without a policy on rows the tables are what they were.
    """
    if sight.whole:
        return dict(tables)
    terms = [_Term(tables, rows) for rows in sight.rows]
    found = {name: _seen(name, table, terms) for name, table in tables.items()}
    # What surrounds events is told of those alone that are shown.
    known = found["events"].select("context_key").distinct()
    contexts = tables["contexts"]
    found["contexts"] = contexts.semi_join(known, contexts.key == known.context_key)
    found |= _who_is_who(tables, found["identifiers"])
    return found | _hierarchy(found)


def _who_is_who(tables: Tables, identifiers: "ir.Table") -> dict[str, "ir.Table"]:
    """Return what ties identifiers to each other, where all of them are shown."""
    found = {}
    for name, ends in _TIED.items():
        table = tables[name]
        ways = [_or_no(table[end].isin(identifiers.key)) for end in ends]
        found[name] = table.filter(reduce(and_, ways))
    cohorts = tables["cohorts"]
    return found | {"cohorts": cohorts.filter(cohorts.cohort.isin(found["members"].cohort))}


def _hierarchy(shown: Tables) -> dict[str, "ir.Table"]:
    """Return accounts without the names of those above them that are not shown."""
    found = {}
    for name in _UPWARDS:
        table, known = shown[name], shown["accounts"].view()
        above = _or_no(table.parent_id.isin(known.account_id))
        found[name] = table.mutate(parent_id=above.ifelse(table.parent_id, ibis.null("string")))
    return found


def people_of(everybody: "ir.Table", shown: Tables, sight: policies.Sight) -> "ir.Table":
    """Return of everybody's keys those of whom something is shown, to join by."""
    if sight.whole:
        return everybody
    ways = [
        everybody.key.isin(table[column])
        for name, table in shown.items()
        for column in ("identifier", "user_key")
        if name not in _OPEN and column in table.columns
    ]
    return everybody.filter(_or_no(reduce(or_, ways)))


def _seen(name: str, table: "ir.Table", terms: "list[_Term]") -> "ir.Table":
    if name in _OPEN:
        return table
    return table.filter(reduce(or_, (term.shows(name, table) for term in terms)))


@dataclass(frozen=True, slots=True)
class _Term:
    """The rows of one policy."""

    tables: Tables
    rows: policies.Rows

    def shows(self, name: str, table: "ir.Table") -> Any:
        """Return whether a row is shown."""
        if name == "events":
            return self._event(table)
        if name in _BY_PERSON:
            return self._person(table)
        if name in _BY_IDENTIFIER or name == "orders":
            own = self._account(table.account_id) if "account_id" in table.columns else _no()
            return self._without_campaign(_or_no(own) | self._sender(table))
        parts = []
        if self.rows.names_accounts:
            parts.append(self._of_account(name, table))
        if self.rows.campaigns:
            parts.append(self._of_campaign(name, table))
        return _or_no(reduce(and_, parts))

    def _without_campaign(self, shown: Any) -> Any:
        """Return no, where rows of some campaigns alone are shown: this row is of none."""
        return _no() if self.rows.campaigns else shown

    def _account(self, column: Any) -> Any:
        """Return whether an account may be seen; null where the column is."""
        accounts, terms = self.tables["accounts"], []
        if self.rows.accounts:
            terms.append(column.isin(sorted(self.rows.accounts)))
        if self.rows.owners:
            owned = accounts.filter(accounts.owner.lower().isin(sorted(self.rows.owners)))
            terms.append(column.isin(owned.account_id))
        if self.rows.regions:
            there = accounts.filter(accounts.country.lower().isin(sorted(self.rows.regions)))
            terms.append(column.isin(there.account_id))
        return reduce(and_, terms, column.notnull())

    def _of_account(self, name: str, table: "ir.Table") -> Any:
        own = _no()
        if "account_id" in table.columns:
            own = _or_no(self._account(table.account_id))
        for column, (lead, of) in _LEADS.items():
            if lead == name or column not in table.columns:
                continue
            known = self.tables[lead]
            mine = known.filter(_or_no(self._account(known.account_id)))
            way = _or_no(table[column].isin(mine[of]))
            if "account_id" in table.columns:
                way = table.account_id.isnull() & way
            own = own | way
        return own

    def _of_campaign(self, name: str, table: "ir.Table") -> Any:
        wanted = sorted(self.rows.campaigns)
        if "campaign_id" in table.columns:
            return _or_no(table.campaign_id.isin(wanted))
        if name == "accounts":
            campaigns = self.tables["campaigns"]
            mine = campaigns.filter(campaigns.campaign_id.isin(wanted))
            return table.account_id.isin(mine.account_id)
        return _no()

    def _event(self, events: "ir.Table") -> Any:
        """Return whether an event is shown: every account it names, and its campaign, may be.

        One that names no account is shown where all accounts its sender was ever of may be seen.
        """
        parts = []
        if self.rows.names_accounts:
            named = terms.dimension_of(events, "account_id")
            named = (named == "").ifelse(ibis.null("string"), named)
            envelope = events.account_id
            own = envelope.isnull() | _or_no(self._account(envelope))
            told = named.isnull() | _or_no(self._account(named))
            nobodys = envelope.isnull() & named.isnull()
            parts.append(own & told & (~nobodys | self._sender(events)))
        if self.rows.campaigns:
            campaign = terms.dimension_of(events, "campaign_id")
            parts.append(_or_no(campaign.isin(sorted(self.rows.campaigns))))
        return _or_no(reduce(and_, parts))

    def _sender(self, table: "ir.Table") -> Any:
        """Return whether a sender is of accounts, and all of them may be seen."""
        memberships = self.tables["memberships"]
        mine = _or_no(self._account(memberships.account_id))
        some, others = memberships.filter(mine), memberships.filter(~mine)
        return _or_no(table.identifier.isin(some.identifier)) & ~_or_no(
            table.identifier.isin(others.identifier)
        )

    def _person(self, identifiers: "ir.Table") -> Any:
        """Return whether a person is shown: it was ever of an account that may be seen."""
        if not self.rows.names_accounts or self.rows.campaigns:
            return _no()
        memberships, everybody = self.tables["memberships"], self.tables["identifiers"]
        mine = memberships.filter(_or_no(self._account(memberships.account_id)))
        persons = everybody.filter(everybody.key.isin(mine.identifier))
        return _or_no(identifiers.person_id.isin(persons.person_id))


def _or_no(shown: Any) -> Any:
    """Return no where nobody can tell."""
    return shown.fill_null(_no())


def _no() -> Any:
    return ibis.literal(False)
