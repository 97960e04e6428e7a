"""One customer, whole: a person or an account."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from onefold.customers import happened, queries
from onefold.customers.belonging import Belonging, Periods, belongings, counts_for, who_came_for
from onefold.customers.find import account_of_name, no_account, no_person
from onefold.customers.naming import name_of, names_of, personal_fields
from onefold.customers.records import Contact, Customer, KnownAs, SpendDay, Touch, Visits, judged
from onefold.customers.standing import issues_of, levels_by_account, phase_of
from onefold.customers.timeline import (
    SAVES,
    Doing,
    doings_of,
    first_words,
    of_account,
    of_person,
    ordered,
)
from onefold.governance import may, require
from onefold.model.money import Money

if TYPE_CHECKING:
    import pyarrow as pa

    from onefold.store import Vault, View


@dataclass(frozen=True, slots=True)
class _People:
    """What persons did, read once."""

    doings: tuple[Doing, ...]
    sessions: "pa.Table"
    first_words: str
    query: str


def person(view: "View", vault: "Vault", person_id: int | str) -> Customer:
    """Return a person: identifiers, accounts, sessions and timeline from the first touch on.

    An old number still finds its person: the key of any of its identifiers will do.

    Raises:
        NotAllowed: The asker may not see single people.
        NotFound: There is no such person.
    """
    require(view.question.asker, "see_persons")
    number = _number(person_id)
    found = None if number is None else queries.person_of(view, number)
    if found is None:
        raise no_person(str(person_id))
    people = _read(view, [found])
    rows = queries.identifiers_of(view, [found])
    keys = queries.column(rows, "key")
    spans = _spans(people.doings, by="identifier")
    identifiers = _identifiers(view, vault, rows, spans)
    open_fields = may(view.question.asker, "see_personal_fields")
    fields = personal_fields(vault, keys) if open_fields else {}
    names = dict(
        zip(
            *(queries.column(queries.account_rows(view), c) for c in ("account_id", "name")),
            strict=True,
        )
    )
    accounts = tuple(
        Contact(
            id=account_id,
            name=names.get(account_id) or account_id,
            joined_time=periods[0][0],
            periods=periods,
        )
        for belonging in belongings(view, [found]).values()
        for account_id, periods in belonging.periods().items()
    )
    now = queries.asked(view).time
    entries = of_person(
        view, people.doings, people.sessions, accounts=accounts, first_words=people.first_words
    )
    entries += happened.of_person(view, found, keys)
    sign_up = next((e.time for e in entries if e.kind == "sign_up"), None)
    return Customer(
        kind="person",
        id=str(found),
        name=name_of(found, fields, _user_id(identifiers)),
        asked_time=now,
        first_time=people.doings[0].first_time if people.doings else None,
        created_time=sign_up,
        identifiers=identifiers,
        personal=tuple(sorted(fields.items())),
        hidden=not open_fields,
        contacts=accounts,
        visits=_visits(view, people),
        events=_counts(people.doings),
        timeline=ordered(entries, now),
        fresh_time=view.fresh_time,
        left_out=view.left_out(queries.before(view, queries.WINDOW), now),
        query=people.query,
    )


def account(view: "View", vault: "Vault", account_id: str) -> Customer:
    """Return an account: spend, issues, interactions, contacts and its timeline.

    The timeline starts with the first anonymous touch of any contact, which may lie long before
    the account was made.

    Raises:
        NotFound: There is no such account.
    """
    account_id, rows = _meant(view, account_id)
    levels = tuple(
        levels_by_account(view.ask(queries.spend_levels(view, account_id=account_id))).get(
            account_id, ()
        )
    )
    issues = issues_of(view, queries.ticket_rows(view, account_id=account_id))
    touches = _touches(view, account_id)
    members = queries.members(view, account_id)
    if not rows and not levels and not issues and not touches and not members:
        raise no_account(view, account_id)
    row = rows[0] if rows else {}
    created = _created(view, account_id) if rows else None
    known = belongings(view, members)
    people = _of_account(account_id, _read(view, members, who_came_for(account_id, known)), known)
    contacts = _contacts(view, vault, {m: known[m].periods()[account_id] for m in members}, people)
    spend = _spend(view, account_id)
    waiting = tuple(issue for issue in issues if issue.is_open)
    now = queries.asked(view).time
    entries = of_account(
        view,
        created=created,
        contacts=contacts,
        issues=issues,
        touches=touches,
        spend=spend,
        levels=levels,
        first_words=people.first_words,
    )
    timeline = ordered([*entries, *happened.of_account(view, account_id)], now)
    return Customer(
        kind="account",
        id=account_id,
        name=row.get("name") or account_id,
        asked_time=now,
        first_time=timeline[-1].time if timeline else None,
        created_time=created,
        industry=row.get("industry") or "",
        country=row.get("country") or "",
        owner=row.get("owner") or "",
        phase=phase_of(view, judged(levels), waiting, created=created, touched=bool(touches)),
        hidden=not may(view.question.asker, "see_persons"),
        contacts=contacts,
        levels=levels,
        spend=spend,
        issues=(*waiting, *(issue for issue in issues if not issue.is_open)),
        touches=touches,
        visits=_visits(view, people, everybody=True),
        events=_counts(people.doings, everybody=True),
        timeline=timeline,
        fresh_time=view.fresh_time,
        left_out=view.left_out(queries.before(view, queries.WINDOW), now),
        query=view.sql(queries.spend_levels(view, account_id=account_id)),
    )


def _meant(view: "View", text: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the id of the account that an id or an exact name means, and its row if any."""
    text = queries.head_of(view, text) if view.decided else text
    rows = queries.account_rows(view, account_id=text).to_pylist()
    named = None if rows else account_of_name(view, text)
    if named is None:
        return text, rows
    return named, queries.account_rows(view, account_id=named).to_pylist()


def _number(text: int | str) -> int | None:
    try:
        return int(str(text).removeprefix("person:"))
    except ValueError:
        return None


def _read(view: "View", persons: Sequence[int], first: Sequence[int] | None = None) -> _People:
    """Return what persons did; the very first event is looked for among all, or some of them."""
    asked = queries.doings(view, persons)
    sessions = queries.session_rows(view, persons)
    words = first_words(queries.first_events(view, persons if first is None else first))
    return _People(doings_of(view.ask(asked)), sessions, words, view.sql(asked))


def _of_account(account_id: str, people: _People, known: Mapping[int, Belonging]) -> _People:
    """Return what of contacts' doings counts for an account: not what they did for another."""
    import pyarrow as pa

    doings = tuple(
        each
        for each in people.doings
        if counts_for(account_id, each.account_id, each.first_time, known.get(each.person_id))
    )
    persons = queries.column(people.sessions, "person_id")
    starts = queries.micros(people.sessions, "start_time")
    kept = [
        counts_for(account_id, None, start or 0, known.get(person_id))
        for person_id, start in zip(persons, starts, strict=True)
    ]
    # Without any session a bare list would be of no type at all.
    mine = people.sessions.filter(pa.array(kept, pa.bool_()))
    return replace(people, doings=doings, sessions=mine)


def _created(view: "View", account_id: str) -> int | None:
    return queries.micros(queries.account_rows(view, account_id=account_id), "created_time")[0]


def _spans(doings: Sequence[Doing], *, by: str) -> dict[int, tuple[int, int]]:
    """Return first and last event time an identifier, or a person."""
    found: dict[int, tuple[int, int]] = {}
    for each in doings:
        key = each.identifier if by == "identifier" else each.person_id
        low, high = found.get(key, (each.first_time, each.last_time))
        found[key] = (min(low, each.first_time), max(high, each.last_time))
    return found


def _identifiers(
    view: "View", vault: "Vault", rows: "pa.Table", spans: dict[int, tuple[int, int]]
) -> tuple[KnownAs, ...]:
    keys = queries.column(rows, "key")
    shown = may(view.question.asker, "see_personal_fields")
    names = vault.names(keys) if shown else {}
    found = [
        KnownAs(
            key=key,
            kind=kind,
            value=names[key].value if key in names else None,
            first_time=spans[key][0] if key in spans else None,
            last_time=spans[key][1] if key in spans else None,
        )
        for key, kind in zip(keys, queries.column(rows, "kind"), strict=True)
    ]
    return tuple(
        sorted(found, key=lambda each: (each.kind != "user_id", each.first_time or 0, each.key))
    )


def _user_id(identifiers: Sequence[KnownAs]) -> str | None:
    return next((each.value for each in identifiers if each.value and each.kind == "user_id"), None)


def _contacts(
    view: "View", vault: "Vault", joined: Mapping[int, Periods], people: _People
) -> tuple[Contact, ...]:
    persons = list(joined)
    spans = _spans(people.doings, by="person")
    sessions = Counter(queries.column(people.sessions, "person_id"))
    names = names_of(view, vault, persons)
    return tuple(
        Contact(
            id=str(person_id),
            name=names.get(person_id, "A contact"),
            joined_time=periods[0][0],
            first_time=spans[person_id][0] if person_id in spans else None,
            last_time=spans[person_id][1] if person_id in spans else None,
            sessions=sessions[person_id],
            periods=periods,
        )
        for person_id, periods in joined.items()
    )


def _touches(view: "View", account_id: str) -> tuple[Touch, ...]:
    rows = queries.interaction_rows(view, account_id)
    return tuple(
        Touch(
            interaction_id=row["interaction_id"],
            account_id=account_id,
            kind=row["kind"] or "note",
            service=row["service"] or "",
            title=row["title"] or "",
            who=row["who"] or "",
            minutes=row["minutes"],
            start_time=start or 0,
        )
        for row, start in zip(rows.to_pylist(), queries.micros(rows, "start_time"), strict=True)
    )


def _spend(view: "View", account_id: str) -> tuple[SpendDay, ...]:
    return tuple(
        SpendDay(
            each["spend_date"],
            each["kind"] or queries.SPEND,
            Money(int(each["amount"] or 0), each["currency"] or ""),
        )
        for each in queries.spend_days(view, account_id).to_pylist()
    )


def _visits(view: "View", people: _People, *, everybody: bool = False) -> Visits:
    """Return the sessions of people; where those of a sample stand for everybody, weighed."""
    starts = [start or 0 for start in queries.micros(people.sessions, "start_time")]
    ends = [end or 0 for end in queries.micros(people.sessions, "end_time")]
    since = queries.before(view, queries.WINDOW)
    weights = queries.column(people.sessions, "stand_for") if everybody else [1.0] * len(starts)
    actions = queries.column(people.sessions, "actions")
    return Visits(
        sessions=round(sum(weights)),
        recent=round(sum(w for w, start in zip(weights, starts, strict=True) if start >= since)),
        actions=round(sum(w * (done or 0) for w, done in zip(weights, actions, strict=True))),
        saves=round(
            sum(
                each.stand_for if everybody else each.times
                for each in people.doings
                if each.event in SAVES
            )
        ),
        last_time=max(ends, default=None),
    )


def _counts(doings: Sequence[Doing], *, everybody: bool = False) -> tuple[tuple[str, int], ...]:
    counted: dict[str, float] = defaultdict(float)
    for each in doings:
        counted[each.event or each.kind] += each.stand_for if everybody else each.times
    found = [(name, round(times)) for name, times in counted.items()]
    return tuple(sorted(found, key=lambda each: (-each[1], each[0])))
