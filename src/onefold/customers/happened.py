"""What imported records tell of a customer, as entries of a timeline."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from onefold.customers import queries
from onefold.customers.records import Happening
from onefold.model.money import MICROS
from onefold.model.time import day_start, parse_time

if TYPE_CHECKING:
    from onefold.store import View

_Tell = Callable[["View", dict[str, Any]], Iterator[Happening]]

_LONGEST = 120
_PAID = {
    "paid": "Payment of",
    "pending": "Payment is on its way,",
    "failed": "Payment failed,",
    "refunded": "Paid back,",
}


def of_account(view: "View", account_id: str) -> list[Happening]:
    """Return entries of an account: deals, campaigns, invoices, payments and what was said."""
    return _told(view, _OF_ACCOUNT, {"account_id": account_id}, {"account_id": account_id})


def of_person(view: "View", person_id: int, keys: Sequence[int]) -> list[Happening]:
    """Return entries of a person: tickets, talks, answers, comments, purchases."""
    return _told(view, _OF_PERSON, {"keys": keys}, {"person_id": person_id})


def _told(
    view: "View", tables: Mapping[str, _Tell], whose: dict[str, Any], buyer: dict[str, Any]
) -> list[Happening]:
    found: list[Happening] = []
    filled = queries.filled(view)
    for table, tell in tables.items():
        if table in filled:
            for row in queries.record_rows(view, table, **whose).to_pylist():
                found += tell(view, row)
    if "purchases" in filled:
        for row in queries.bought(view, **buyer).to_pylist():
            found += _purchase(view, row)
    return found


def _entry(
    view: "View", when: date | datetime | None, kind: str, what: str, *quiet: object
) -> Iterator[Happening]:
    """Yield an entry; a row that does not say when has none."""
    if when is None:
        return
    time = (
        parse_time(when.isoformat()) if isinstance(when, datetime) else day_start(when, view.zone)
    )
    shape = "ribbon" if kind in {"opportunity", "payment", "purchase"} else "circle"
    words = " · ".join(str(part) for part in quiet if part)
    yield Happening(time, kind, what[:_LONGEST], words, shape)


def _money(row: dict[str, Any]) -> str:
    if row["amount_micros"] is None:
        return ""
    return f"{row['amount_micros'] / MICROS:,.2f} {row['currency'] or ''}".strip()


def _invoice(view: "View", row: dict[str, Any]) -> Iterator[Happening]:
    if row["kind"] == "invoice":
        what = f"Invoice of {_money(row)}"
        yield from _entry(view, row["spend_date"], "invoice", what, f"invoice {row['spend_id']}")


def _payment(view: "View", row: dict[str, Any]) -> Iterator[Happening]:
    what = f"{_PAID.get(row['status'] or 'paid', 'Payment of')} {_money(row)}"
    invoice = f"of invoice {row['invoice_id']}" if row["invoice_id"] else ""
    yield from _entry(view, row["payment_date"], "payment", what, invoice, row["method"])


def _opportunity(view: "View", row: dict[str, Any]) -> Iterator[Happening]:
    name = row["title"] or f"opportunity {row['opportunity_id']}"
    told = (row["stage"], _money(row), f"by {row['owner']}" if row["owner"] else "")
    yield from _entry(view, row["opened_time"], "opportunity", f"In talks: {name}", *told)
    words = {"won": "Won", "lost": "Lost"}.get(row["status"] or "")
    if words:
        yield from _entry(view, row["closed_time"], "opportunity", f"{words}: {name}", _money(row))


def _campaign(view: "View", row: dict[str, Any]) -> Iterator[Happening]:
    name = row["name"] or row["campaign_id"]
    yield from _entry(
        view, row["start_date"], "campaign", f"Campaign started: {name}", row["channel"]
    )


def _answer(view: "View", row: dict[str, Any]) -> Iterator[Happening]:
    score = f": {row['score']}" if row["score"] is not None else ""
    what = f"Answered {row['survey']}{score}"
    yield from _entry(view, row["answer_time"], "answer", what, row["question"], row["text"])


def _comment(view: "View", row: dict[str, Any]) -> Iterator[Happening]:
    where = f"on {row['item_id']}" if row["item_id"] else ""
    yield from _entry(
        view, row["comment_time"], "comment", f"“{row['text'] or ''}”", row["channel"], where
    )


def _item(view: "View", row: dict[str, Any]) -> Iterator[Happening]:
    name = row["name"] or row["item_id"]
    yield from _entry(view, row["created_time"], "item", f"New item: {name}", row["category"])


def _ticket(view: "View", row: dict[str, Any]) -> Iterator[Happening]:
    about = row["subject"] or row["topic"] or "Ticket"
    number = f"ticket {row['ticket_id']}"
    yield from _entry(view, row["opened_time"], "ticket", about, number, row["status"])


def _talk(view: "View", row: dict[str, Any]) -> Iterator[Happening]:
    people = (row["participant_keys"] or "").count(",") - 1
    words = (
        f"{row['minutes']} minutes" if row["minutes"] else "",
        f"{people} people" if people > 1 else "",
        f"by {row['who']}" if row["who"] else "",
    )
    what = row["title"] or (row["kind"] or "note").capitalize()
    yield from _entry(view, row["start_time"], "interaction", what, *words)


def _purchase(view: "View", row: dict[str, Any]) -> Iterator[Happening]:
    where = row["store"] or row["origin"]
    twice = "told online and by an import, counted once" if row["told_twice"] else ""
    order = f"order {row['order_id']}" if row["order_id"] else ""
    what = f"Bought for {_money(row)}" if _money(row) else "Bought"
    yield from _entry(view, row["time"], "purchase", what, where, order, twice)


_OF_ACCOUNT = {
    "spend": _invoice,
    "payments": _payment,
    "opportunities": _opportunity,
    "campaigns": _campaign,
    "answers": _answer,
    "comments": _comment,
    "items": _item,
}
_OF_PERSON = {
    "tickets": _ticket,
    "interactions": _talk,
    "answers": _answer,
    "comments": _comment,
}
