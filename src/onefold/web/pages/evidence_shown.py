"""How a customer is known, as the page shows it: a picture, its table, and every attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from onefold import customers
from onefold.model.words import plural
from onefold.web import wording
from onefold.web.wording import money, share

if TYPE_CHECKING:
    from onefold.runtime import Workspace
    from onefold.store import View

_KINDS = {"ad_spend": "Spend", "invoice": "Invoices", "credit": "Credits"}
_KINDS |= {"commitment": "Commitments", "overdue": "Overdue"}
_WIDTH, _HEIGHT = 6.4, 3.2
"""What a hundredth of the picture is wide and high."""
_LONGEST = 24


def known_shown(workspace: Workspace, view: View, kind: str, customer_id: str) -> dict[str, Any]:
    """Return what the page of a person or an account shows of how it is known."""
    vault = workspace.vault_of(view.question.asker)
    picture = customers.known.picture_of(view, vault, kind, customer_id)
    attributes = customers.known.attributes_of(
        view,
        vault,
        workspace.log,
        workspace.identity_key,
        kind,
        customer_id,
        laid_down=workspace.gate().rules,
    )
    return {
        "picture": _drawn(picture),
        "threads": _threads(picture, view.zone),
        "picture_note": f"{picture.left_out:,} more in the table" if picture.left_out else "",
        "attributes": [_attribute(one, view.zone) for one in attributes],
    }


def family_shown(view: View, account_id: str) -> dict[str, Any]:
    """Return what the page of an account shows of those above and below it, and of their money."""
    found = customers.families.family(view, account_id)
    rows: list[object] = []
    for one in found.accounts:
        currencies = sorted({currency for _, currency in one.total}) or [""]
        for currency in currencies:
            name = f"{'· ' * one.depth}{one.name}"
            path = f"/customers/accounts/{quote(one.account_id, safe='')}"
            linked = {"href": path, "label": name}
            cells: list[object] = [name if one.account_id == account_id else linked]
            cells += [_both(one, kind, currency) for kind in _KINDS]
            rows.append({"cells": cells, "total": one.account_id == account_id})
    notes = [f"The parent of {one} is left out: it would stand below itself." for one in found.cut]
    notes += [f"Nobody has brought in {one}." for one in found.unknown]
    return {
        "family": rows if len(found.accounts) > 1 or any(found.accounts[0].total) else [],
        "family_columns": [
            "Account",
            *({"label": label, "kind": "number"} for label in _KINDS.values()),
        ],
        "family_notes": notes,
    }


def _both(one: Any, kind: str, currency: str) -> str | None:
    """Return money of an account with all below it, and of it alone where that differs."""
    total, own = (told.get((kind, currency)) for told in (one.total, one.own))
    if not total:
        return None
    words = money(total, currency)
    return words if own == total else f"{words} ({money(own or 0, currency)} own)"


def _drawn(picture: Any) -> dict[str, Any] | None:
    if len(picture.knots) < 2:
        return None
    places = {one.id: (one.x * _WIDTH, one.y * _HEIGHT) for one in picture.knots}
    lines = [
        (*places[one.one], *places[one.other])
        for one in picture.threads
        if one.one in places and one.other in places
    ]
    knots = [
        {
            "x": round(places[one.id][0], 1),
            "y": round(places[one.id][1], 1),
            "label": one.label if len(one.label) <= _LONGEST else f"{one.label[: _LONGEST - 1]}…",
            "kind": one.kind,
        }
        for one in picture.knots
    ]
    return {
        "lines": [[round(each, 1) for each in line] for line in lines],
        "knots": knots,
        "label": f"{plural(len(knots), 'node')} and {plural(len(picture.threads), 'link')}; "
        "the table below tells each.",
    }


def _threads(picture: Any, zone: str) -> list[list[object]]:
    labels = {one.id: f"{one.label} ({one.kind})" for one in picture.knots}
    return [
        [
            labels.get(one.one, one.one),
            labels.get(one.other, one.other),
            one.evidence.replace("_", " "),
            one.source.removeprefix("import:") or None,
            None if one.confidence is None else share(one.confidence),
            None if one.time is None else wording.day(one.time, zone, year=True),
        ]
        for one in picture.threads
    ]


def _attribute(one: Any, zone: str) -> list[object]:
    others = "; ".join(f"{source}: {value}" for source, value in one.others)
    return [
        one.field.replace("_", " ").capitalize(),
        one.value,
        one.source or None,
        None if one.time is None else wording.day(one.time, zone, year=True),
        one.consent,
        others or None,
    ]
