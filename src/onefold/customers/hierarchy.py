"""Accounts below accounts, and their money added up, as of any day.

Where an account belongs is what imports tell in `parent_id`, the latest of the source that goes
first, unless somebody placed it by hand. A circle is cut at its smallest id.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onefold.customers import queries
from onefold.governance import require
from onefold.model.decided import PLACED
from onefold.model.errors import BadInput, NotFound
from onefold.model.money import Money
from onefold.model.records import Answer, Column

if TYPE_CHECKING:
    from onefold.model.records import Asker
    from onefold.store import State, View

__all__ = ["DUE_DAYS", "Below", "Family", "family", "money_of", "place", "rolled_up"]

DUE_DAYS = 30
"""After so many days an invoice that is not paid is overdue."""
MOST_SHOWN = 200
"""Accounts of one hierarchy that are told one by one."""
KINDS = ("ad_spend", "invoice", "credit", "commitment", "overdue")
"""What is added up, in the order in which it is told."""
_DEFINITION = (
    "Money by kind up to the asked day: of the account alone, and with all below it. Overdue is "
    f"what of invoices older than {DUE_DAYS} days no payment names; credits stand apart."
)


@dataclass(frozen=True, slots=True)
class Below:
    """An account in its hierarchy.

    Attributes:
        account_id: Its id.
        name: What to call it.
        parent_id: Below which it stands; None at the top.
        depth: How far below the top, from 0.
        own: (kind, currency) -> micros of it alone.
        total: The same with all below it.
    """

    account_id: str
    name: str
    parent_id: str | None
    depth: int
    own: Mapping[tuple[str, str], int]
    total: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Family:
    """A hierarchy of accounts, from the top down.

    Attributes:
        accounts: The top first, each followed by those below it.
        cut: Accounts whose parent was left out because it made a circle.
        unknown: Parents that nobody brought in.
        left_out: How many more accounts there are.
    """

    accounts: tuple[Below, ...]
    cut: tuple[str, ...]
    unknown: tuple[str, ...]
    left_out: int = 0


def family(view: "View", account_id: str) -> Family:
    """Return the whole hierarchy in which an account stands, money added up."""
    parents, cut = _parents(view)
    names = _names(view)
    top = account_id
    while top in parents:
        top = parents[top]
    below: dict[str, list[str]] = defaultdict(list)
    for child, parent in parents.items():
        below[parent].append(child)
    order = _from(top, below)
    # Rows of accounts that the asker may not see are in no table: they have no name, and no money.
    seen = [(one, depth) for one, depth in order if one in names or one == account_id]
    own = money_of(view, [one for one, _ in seen])
    totals: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for one, _ in seen:
        above: str | None = one
        while above is not None:
            for key, micros in own.get(one, {}).items():
                totals[above][key] += micros
            above = parents.get(above)
    accounts = tuple(
        Below(one, names.get(one) or one, parents.get(one), depth, own.get(one, {}), totals[one])
        for one, depth in seen[:MOST_SHOWN]
    )
    lost = sorted({p for p in parents.values() if p not in names and p in {x for x, _ in order}})
    return Family(accounts, cut, tuple(lost), max(len(seen) - MOST_SHOWN, 0))


def rolled_up(view: "View", account_id: str) -> Answer:
    """Return a hierarchy as rows: an account, a currency, money of its own and with all below.

    Raises:
        NotFound: There is no such account.
    """
    found = family(view, account_id)
    rows: list[tuple[object, ...]] = []
    for one in found.accounts:
        currencies = sorted({currency for _, currency in one.total}) or [""]
        for currency in currencies:
            sums = [
                Money(told[kind, currency], currency) if (kind, currency) in told else None
                for told in (one.own, one.total)
                for kind in KINDS
            ]
            rows.append((one.account_id, one.name, one.parent_id, one.depth, *sums))
    if not rows:
        raise NotFound(f"No account `{account_id}`.", "Name an account that was brought in.")
    return Answer(
        columns=(
            Column("account_id", "text"),
            Column("name", "text"),
            Column("parent_id", "text"),
            Column("depth", "integer"),
            *(Column(kind, "money") for kind in KINDS),
            *(Column(f"{kind}_with_below", "money") for kind in KINDS),
        ),
        rows=tuple(rows),
        definition=_DEFINITION,
        as_of_time=view.now,
        notes=tuple(_notes(found)),
    )


def _notes(found: Family) -> list[str]:
    notes = [f"{one} stands below itself; its parent is left out." for one in found.cut]
    notes += [f"Nobody has brought in the parent {one}." for one in found.unknown]
    if found.left_out:
        notes.append(f"{found.left_out:,} more accounts are in the sums and not told one by one.")
    return notes


def money_of(view: "View", accounts: list[str]) -> dict[str, dict[tuple[str, str], int]]:
    """Return account -> (kind, currency) -> micros up to the asked day."""
    found: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for row in queries.money_sums(view, accounts).to_pylist():
        key = (row["kind"] or queries.SPEND, row["currency"] or "")
        found[row["account_id"]][key] = int(row["amount"] or 0)
    for row in queries.overdue_sums(view, accounts, DUE_DAYS).to_pylist():
        if row["amount"]:
            found[row["account_id"]]["overdue", row["currency"] or ""] = int(row["amount"])
    return found


def place(
    view: "View",
    state: "State",
    asker: "Asker",
    account_id: str,
    parent_id: str | None,
) -> None:
    """Let an account stand below another by hand: a control entry, undone by another.

    Args:
        view: Tells which accounts there are.
        state: Takes the change and its audit entry.
        asker: Who places it.
        account_id: Whose place it is.
        parent_id: Below which; empty: below none; None: where the imports say.

    Raises:
        NotAllowed: The asker may not decide.
        NotFound: There is no such account.
        BadInput: It would stand below itself.
    """
    require(asker, "decide")
    known = _names(view)
    for one in (account_id, parent_id):
        if one and one not in known:
            raise NotFound(f"No account `{one}`.", "Name an account that was brought in.")
    if parent_id:
        parents, _ = _parents(view)
        above: str | None = parent_id
        while above is not None:
            if above == account_id:
                message = f"`{account_id}` would stand below itself, by way of `{parent_id}`."
                raise BadInput(message, "Take one that is not below it.")
            above = parents.get(above)
    body = {"account_id": account_id, "parent_id": parent_id, "told_time": state.now()}
    detail = {"parent_id": parent_id}
    with state.change(asker, "account.parent", account_id, detail=detail, entry=(PLACED, body)):
        pass


def _names(view: "View") -> dict[str, str]:
    rows = queries.account_rows(view)
    ids, names = (queries.column(rows, name) for name in ("account_id", "name"))
    return {one: name or one for one, name in zip(ids, names, strict=True)}


def _parents(view: "View") -> tuple[dict[str, str], tuple[str, ...]]:
    """Return account -> parent without circles, and whose parent was cut."""
    heads = queries.heads(view)
    told: dict[str, str] = {}
    # By hand goes last: an empty parent there takes the imported one away.
    for one, parent in (_imported(view) | _by_hand(view)).items():
        child, above = heads.get(one, one), heads.get(parent or "", parent)
        if above and child != above:
            told[child] = above
    cut = []
    for one in sorted(told):
        seen, above = {one}, told.get(one)
        while above is not None and above not in seen:
            seen.add(above)
            above = told.get(above)
        if above == one:
            # In the order of ids the first of a circle is its smallest.
            cut.append(one)
            del told[one]
    return told, tuple(cut)


def _imported(view: "View") -> dict[str, str | None]:
    """Return account -> parent as imports tell it: the latest of the source that goes first."""
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in queries.told_parents(view).to_pylist():
        rank = (row["known_time"], row["message_hi"], row["message_lo"])
        former = latest.get((row["key"], row["source"]))
        if former is None or rank > former["rank"]:
            latest[row["key"], row["source"]] = {**row, "rank": rank}
    found: dict[str, tuple[tuple[Any, ...], str]] = {}
    for (one, _), row in latest.items():
        if row["parent_id"]:
            said = ((row["priority"], *row["rank"]), row["parent_id"])
            found[one] = max(said, found.get(one, said))
    return {one: parent for one, (_, parent) in found.items()}


def _by_hand(view: "View") -> dict[str, str | None]:
    """Return account -> parent by hand, empty for none; not those left to the imports."""
    latest: dict[str, str | None] = {}
    for row in queries.placed_parents(view).to_pylist():
        latest[row["account_id"]] = row["parent_id"]
    return {one: parent for one, parent in latest.items() if parent is not None}


def _from(top: str, below: Mapping[str, list[str]]) -> list[tuple[str, int]]:
    """Return a hierarchy from the top down, each account with its depth."""
    found, waiting = [], [(top, 0)]
    while waiting:
        one, depth = waiting.pop()
        found.append((one, depth))
        waiting += [(child, depth + 1) for child in sorted(below.get(one, ()), reverse=True)]
    return found
