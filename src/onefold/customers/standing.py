"""How each account stands: spend, open issues, last touch, phase."""

from collections import defaultdict
from typing import TYPE_CHECKING

from onefold.customers import queries
from onefold.customers.records import Issue, Level, Phase, Standing, judged
from onefold.model.time import DAY, day_of

if TYPE_CHECKING:
    import pyarrow as pa

    from onefold.store import View

IMPLEMENT_DAYS = 30
"""Days from its first spend on in which an account is being set up."""
RISE = 1.1
"""Spend of 28 days over that of the former 28 from which on an account is in upsell."""


def standings(view: "View") -> tuple[Standing, ...]:
    """Return how every account stands, the largest spend of 28 days first.

    Accounts are those that were imported and those that spend, have tickets or interactions
    without ever being described. Money of several currencies stands apart.
    """
    levels = levels_by_account(view.ask(queries.spend_levels(view)))
    issues: dict[str, list[Issue]] = defaultdict(list)
    for issue in issues_of(view, queries.ticket_rows(view, only_open=True)):
        issues[issue.account_id].append(issue)
    touches, services = _touches(view)
    known = _known(view)
    names = sorted({*known, *levels, *issues, *touches} - {""})
    found = [
        _standing(view, name, known.get(name), levels, issues, touches, services) for name in names
    ]
    return tuple(sorted(found, key=lambda each: (-_now(each), each.name)))


def _standing(
    view: "View",
    account_id: str,
    row: "tuple[str, str, str, str, int | None] | None",
    levels: dict[str, list[Level]],
    issues: dict[str, list[Issue]],
    touches: dict[str, int],
    services: dict[str, dict[str, int]],
) -> Standing:
    name, industry, country, owner, created = row or ("", "", "", "", None)
    spent = judged(levels.get(account_id, ()))
    last = touches.get(account_id)
    waiting = tuple(issues.get(account_id, ()))
    return Standing(
        account_id=account_id,
        name=name or account_id,
        industry=industry,
        country=country,
        owner=owner,
        created_time=created,
        levels=spent,
        issues=waiting,
        last_touch_time=last,
        services=tuple(sorted(services.get(account_id, {}).items())),
        phase=phase_of(view, spent, waiting, created=created, touched=last is not None),
    )


def _now(standing: Standing) -> int:
    return standing.level.now if standing.level else -1


def _known(view: "View") -> "dict[str, tuple[str, str, str, str, int | None]]":
    rows = queries.account_rows(view)
    texts = [
        [each or "" for each in queries.column(rows, name)]
        for name in ("name", "industry", "country", "owner")
    ]
    created = queries.micros(rows, "created_time")
    return {
        account_id: (texts[0][i], texts[1][i], texts[2][i], texts[3][i], created[i])
        for i, account_id in enumerate(queries.column(rows, "account_id"))
    }


def levels_by_account(rows: "pa.Table") -> dict[str, list[Level]]:
    """Return spend levels an account, largest of the last 28 days first."""
    found: dict[str, list[Level]] = defaultdict(list)
    for row in rows.to_pylist():
        found[row["account_id"] or ""].append(
            Level(
                currency=row["currency"] or "",
                total=int(row["total"] or 0),
                now=int(row["now"] or 0),
                former=int(row["former"] or 0),
                first_date=row["first_date"],
                last_date=row["last_date"],
                kind=row["kind"] or queries.SPEND,
            )
        )
    for levels in found.values():
        levels.sort(key=lambda each: (-each.now, -each.total, each.currency))
    return found


def issues_of(view: "View", rows: "pa.Table") -> tuple[Issue, ...]:
    """Return tickets as they stood at the asked time: one closed later is open."""
    now = queries.asked(view).time
    found = []
    opened, closed = queries.micros(rows, "opened_time"), queries.micros(rows, "closed_time")
    for row, start, end in zip(rows.to_pylist(), opened, closed, strict=True):
        begun = now if start is None else start
        ended = end if end is not None and end <= now else None
        found.append(
            Issue(
                ticket_id=row["ticket_id"],
                account_id=row["account_id"] or "",
                subject=row["subject"] or row["topic"] or row["ticket_id"],
                topic=row["topic"] or "",
                waits_on=(row["waits_on"] or "") if ended is None else "none",
                opened_time=begun,
                closed_time=ended,
                days=((now if ended is None else ended) - begun) / DAY,
            )
        )
    return tuple(found)


def _touches(view: "View") -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Return the last interaction of every account, and when each service was last given."""
    rows = queries.last_touches(view)
    last: dict[str, int] = {}
    services: dict[str, dict[str, int]] = defaultdict(dict)
    for account_id, service, time in zip(
        queries.column(rows, "account_id"),
        queries.column(rows, "service"),
        queries.micros(rows, "last_time"),
        strict=True,
    ):
        if account_id and time is not None:
            last[account_id] = max(time, last.get(account_id, time))
            if service:
                services[account_id][service] = time
    return last, services


def phase_of(
    view: "View",
    levels: tuple[Level, ...],
    issues: tuple[Issue, ...],
    *,
    created: int | None,
    touched: bool,
) -> Phase:
    """Return where an account stands, by a rule on its spend, its issues and its age.

    Plan: no spend in 28 days. Pitch: it never spent, but we talk. Implement: its first spend is
    at most 30 days old, or its conversion tag fails. Upsell: a tenth more than in the former 28
    days. Optimize: all others.
    """
    today = queries.asked(view).today
    age = None if created is None else (today - day_of(created, view.zone)).days + 1
    if not levels:
        if touched:
            return Phase("pitch", age, "It has not spent yet, and we talk.")
        return Phase("plan", age, "It has not spent yet.")
    first, last = min(each.first_date for each in levels), max(each.last_date for each in levels)
    if not any(each.now for each in levels):
        return Phase("plan", (today - last).days, "It has not spent for 28 days.")
    since = (today - first).days + 1
    if since <= IMPLEMENT_DAYS:
        return Phase("implement", since, f"Its first spend is at most {IMPLEMENT_DAYS} days old.")
    tags = [issue for issue in issues if issue.topic == "conversion_tag"]
    if tags:
        oldest = max(tag.days for tag in tags)
        return Phase("implement", int(oldest) + 1, "Its conversion tag fails.")
    main = levels[0]
    if main.former and main.now > RISE * main.former:
        return Phase("upsell", None, "It spends over a tenth more than in the former 28 days.")
    return Phase("optimize", since - IMPLEMENT_DAYS, "It spends and is set up.")
