"""A page of customers: accounts with how they stand, persons seen lately."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from onefold.customers import queries
from onefold.customers.naming import names_of
from onefold.customers.records import Listing, Market, Seen, Standing
from onefold.customers.standing import standings
from onefold.governance import may
from onefold.model.errors import BadInput, did_you_mean
from onefold.stats import Moments, change

if TYPE_CHECKING:
    from onefold.store import Vault, View

PERSONS = 20
LARGEST_PAGE = 500


def _change_key(each: Standing) -> tuple[float, str]:
    share = each.level.change if each.level else None
    return (float("inf") if share is None else share, each.name)


ORDERS: dict[str, Callable[[Standing], Any]] = {
    "spend": lambda each: (-(each.level.now if each.level else -1), each.name),
    "change": _change_key,
    "issues": lambda each: (-len(each.issues), -(each.level.now if each.level else -1), each.name),
    "name": lambda each: (each.name.casefold(), each.account_id),
}
"""By what accounts may be ordered: most spend, deepest fall, most open issues, name."""


def list_customers(
    view: "View",
    vault: "Vault | None" = None,
    *,
    search: str = "",
    order: str = "spend",
    page: int = 1,
    size: int = 50,
) -> Listing:
    """Return a page of accounts with how they stand, and the persons seen last.

    Args:
        view: The facts.
        vault: Names persons for those who may see it; without it they have numbers.
        search: Part of an account's name, id, industry, country or owner, or the beginning of
            what a person is known by; case ignored.
        order: One of `spend`, `change`, `issues`, `name`.
        page: From 1; past the end is an empty page.
        size: Accounts a page, 1 to 500.

    Raises:
        BadInput: The order, page or size is none.
    """
    if order not in ORDERS:
        raise BadInput(
            f"No order `{order}`.{did_you_mean(order, ORDERS)}", f"Use one of: {', '.join(ORDERS)}."
        )
    if page < 1 or not 1 <= size <= LARGEST_PAGE:
        raise BadInput(
            f"No page {page} of {size}.", f"Pages count from 1 and hold 1 to {LARGEST_PAGE}."
        )
    everyone = standings(view)
    wanted = sorted((each for each in everyone if _meant(each, search)), key=ORDERS[order])
    start = (page - 1) * size
    shown = may(view.question.asker, "see_persons")
    return Listing(
        accounts=tuple(wanted[start : start + size]),
        total=len(wanted),
        page=page,
        size=size,
        order=order,
        persons=_persons(view, vault, search.strip()) if shown else (),
        persons_total=queries.persons_total(view),
        markets=markets(everyone),
        all_accounts=len(everyone),
        asked_time=queries.asked(view).time,
        fresh_time=view.fresh_time,
        query=view.sql(queries.spend_levels(view)),
    )


def _meant(standing: Standing, search: str) -> bool:
    text = search.strip().casefold()
    fields = (
        standing.account_id,
        standing.name,
        standing.industry,
        standing.country,
        standing.owner,
        standing.phase.name,
    )
    return not text or any(text in each.casefold() for each in fields)


def _persons(view: "View", vault: "Vault | None", search: str) -> tuple[Seen, ...]:
    """Return the persons seen last; of a search those whose identifier or field begins so."""
    among: list[int] | None = None
    if search:
        named = vault is not None and may(view.question.asker, "see_personal_fields")
        keys = vault.search(search) if vault is not None and named else []
        among = queries.persons_of(view, keys) if keys else []
    if among == []:
        return ()
    rows = queries.seen_persons(view, most=PERSONS, among=among)
    names = names_of(view, vault, queries.column(rows, "person_id"))
    return tuple(
        Seen(person_id, names[person_id], sessions, int(actions or 0), first or 0, last or 0)
        for person_id, sessions, actions, first, last in zip(
            queries.column(rows, "person_id"),
            queries.column(rows, "sessions"),
            queries.column(rows, "actions"),
            queries.micros(rows, "first_time"),
            queries.micros(rows, "last_time"),
            strict=True,
        )
    )


def markets(everyone: Sequence[Standing]) -> tuple[Market, ...]:
    """Return spend of all accounts now and before, a currency each, the largest first.

    The change is an estimate over accounts, each beside itself: what it would have been with
    other accounts of the same kind.
    """
    levels = [level for each in everyone for level in each.levels if level.now or level.former]
    found = []
    for currency in sorted({each.currency for each in levels}):
        ours = [each for each in levels if each.currency == currency]
        pairs = Moments.of([each.now for each in ours], [each.former for each in ours])
        found.append(
            Market(
                currency=currency,
                now=sum(each.now for each in ours),
                former=sum(each.former for each in ours),
                change=change(pairs),
                accounts=len(ours),
            )
        )
    return tuple(sorted(found, key=lambda each: -each.now))
