"""Accounts and contacts as they are compared: the one place that reads names for it.

What is read stands in memory until the comparison is over, and nowhere else.
"""

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from onefold.customers import queries
from onefold.customers.alike import COMPANY, PERSON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onefold.store import Vault, View

KINDS = {"account": COMPANY, "contact": PERSON}
"""Entity -> as what its records are compared."""

_CALLED = {
    "website": "domain",
    "domain": "domain",
    "url": "domain",
    "email": "email",
    "mail": "email",
    "phone": "phone",
    "telephone": "phone",
    "tel": "phone",
    "street": "street",
    "address": "street",
    "address_1": "street",
    "address_line1": "street",
    "city": "city",
    "town": "city",
    "suburb": "city",
    "postcode": "postcode",
    "postal_code": "postcode",
    "zip": "postcode",
    "zip_code": "postcode",
    "state": "region",
    "region": "region",
    "vat": "code",
    "vat_id": "code",
    "tax_id": "code",
    "registration": "code",
    "company_number": "code",
    "duns": "code",
}
"""What properties of accounts are often called -> the field by which they are compared."""


def linkable(view: "View", vault: "Vault", entity: str) -> pa.Table:
    """Return `id`, `source` and the fields of accounts or contacts, each record for itself.

    `source` is the import that told it. Names, addresses and numbers of contacts are read from
    the vault.
    """
    rows = view.ask(queries.as_told(view, entity))
    found = rows.select(["id"]).append_column("source", pa.array(map(_source, _list(rows))))
    columns = _of_accounts(rows) if entity == "account" else _of_contacts(view, vault, rows)
    for name, texts in columns.items():
        found = found.append_column(name, pa.array(texts, pa.string()))
    return found


def read_one(view: "View", vault: "Vault", entity: str, record_id: str) -> dict[str, str]:
    """Return field -> text of one record, its source too; empty where there is none."""
    told = queries.as_told(view, entity)
    rows = view.ask(told.filter(told.id == record_id))
    if not rows.num_rows:
        return {}
    columns = _of_accounts(rows) if entity == "account" else _of_contacts(view, vault, rows)
    found = {name: texts[0] for name, texts in columns.items() if texts[0]}
    return found | {"source": _source(rows["sources"][0].as_py())}


def _list(rows: pa.Table) -> list[str | None]:
    return list(rows["sources"].to_pylist())


def _source(sources: str | None) -> str:
    return str(json.loads(sources or "{}").get("*", "")).removeprefix("import:")


def _of_accounts(rows: pa.Table) -> dict[str, list[str | None]]:
    columns: dict[str, list[str | None]] = {
        "name": rows["name"].to_pylist(),
        "country": rows["country"].to_pylist(),
    }
    for place, text in enumerate(rows["properties"].to_pylist()):
        if text and text != "{}":
            for name, value in json.loads(text).items():
                field = _CALLED.get(str(name).lower().replace(" ", "_").replace("-", "_"))
                if field and isinstance(value, str | int):
                    told = columns.setdefault(field, [None] * rows.num_rows)
                    told[place] = told[place] or str(value)
    return columns


def _of_contacts(view: "View", vault: "Vault", rows: pa.Table) -> dict[str, list[str | None]]:
    columns: dict[str, list[str | None]] = {}
    for name in ("name", "email", "phone"):
        keys = rows[f"{name}_key"].to_pylist()
        known = vault.names([key for key in keys if key is not None])
        columns[name] = [known[key].value if key in known else None for key in keys]
    accounts = queries.account_rows(view)
    names: Mapping[Any, Any] = dict(
        zip(*(queries.column(accounts, each) for each in ("account_id", "name")), strict=True)
    )
    columns["company"] = [names.get(each) for each in rows["account_id"].to_pylist()]
    return columns
