"""Segments: who did what how often, as YAML in git; as of any day, and to ask others of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from onefold.metrics import asking
from onefold.metrics.compile import Span, dimension_of, in_order, instant
from onefold.metrics.composing import composed_segment as composed
from onefold.metrics.periods import check_window, period_starts
from onefold.metrics.records import Metric
from onefold.metrics.store import drop_segment as drop
from onefold.metrics.store import keep_segment as keep
from onefold.metrics.store import segment_texts as kept_texts
from onefold.metrics.tables import surrounded
from onefold.model.documents import Fields, read_document
from onefold.model.errors import BadInput, unknown
from onefold.model.records import Answer, Column
from onefold.model.time import DAY, day_of, day_start
from onefold.model.words import plural

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import State, View

__all__ = [
    "IN_GIT",
    "KEPT",
    "MOST_PERIODS",
    "OF_ACCOUNTS",
    "PURPOSES",
    "Deed",
    "OfAccount",
    "Segment",
    "Trait",
    "all_segments",
    "among",
    "check_of_people",
    "composed",
    "drop",
    "keep",
    "load_segments",
    "members",
    "membership",
    "parse_segment",
    "segment_named",
]

PURPOSES = ("analytics", "personalization", "advertising", "sharing")
MOST_PERIODS = 60
OF_ACCOUNTS = ("industry", "country", "owner", "account_id")
IN_GIT, KEPT = "definitions", "kept"
"""Where a segment comes from: the folder, or who keeps it here."""
_LONGEST_DAYS = 3650
_NAME = "abcdefghijklmnopqrstuvwxyz0123456789_-"
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did so often.

    Attributes:
        event: Name of the event.
        least: At least so many times.
        most: At most so many times; None without end.
        days: Within so many days before; 0 is ever.
        where: Properties that must have one of these values: (property, values).
    """

    event: str
    least: int = 1
    most: int | None = None
    days: int = 0
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def words(self) -> str:
        """Return it in words."""
        kept = "".join(f" where {name} is {' or '.join(told)}" for name, told in self.where)
        within = f" within {plural(self.days, 'day')}" if self.days else ""
        if self.most is None:
            often = f"at least {self.least} times" if self.least > 1 else ""
        elif self.most == 0:
            return f"did no {self.event}{kept}{within}"
        else:
            often = f"{self.least} to {self.most} times"
        return " ".join(filter(None, (f"did {self.event}{kept}", often))) + within


@dataclass(frozen=True, slots=True)
class OfAccount:
    """Whose account has one of these values: a column of accounts, values."""

    column: str
    values: tuple[str, ...]

    @property
    def words(self) -> str:
        """Return it in words."""
        return f"is of an account whose {self.column} is {' or '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Trait:
    """Of whom was told last, of all that `identify` said of it, one of these values."""

    name: str
    values: tuple[str, ...]

    @property
    def words(self) -> str:
        """Return it in words."""
        return f"has the {self.name} {' or '.join(self.values)}"


Rule = Deed | OfAccount | Trait


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as defined.

    Attributes:
        name: Its name.
        version: Grows with every change of the definition.
        label: How pages call it.
        description: Who it is, in a sentence.
        owner: Who answers for it.
        purpose: What it is for: nobody is in it who may not be asked of for that.
        every: All of these have to hold.
        some: One of these has to hold, if there are any.
        never: None of these may hold.
        origin: `IN_GIT` or `KEPT`.
        text: The YAML that defines it.
    """

    name: str
    version: int
    label: str
    description: str
    owner: str
    purpose: str
    every: tuple[Rule, ...]
    some: tuple[Rule, ...]
    never: tuple[Rule, ...] = ()
    origin: str = IN_GIT
    text: str = field(default="", compare=False, repr=False)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Return all that is said of who belongs to it."""
        return (*self.every, *self.some, *self.never)

    @property
    def events(self) -> tuple[str, ...]:
        """Return the events that it reads."""
        return tuple(rule.event for rule in self.rules if isinstance(rule, Deed))

    @property
    def as_filter(self) -> str:
        """Return what a question says that was asked of its members alone."""
        who = f"of the segment {self.name}, as of the end of the days"
        return f"Only people {who}: {self.words}."

    @property
    def words(self) -> str:
        """Return who belongs to it."""
        whole = " and ".join(rule.words for rule in self.every)
        either = " or ".join(rule.words for rule in self.some)
        joined = " and ".join(filter(None, (whole, f"({either})" if whole and either else either)))
        bare = " or ".join(rule.words for rule in self.never)
        if not joined:
            return f"Everybody but who {bare}"
        return f"Who {joined}" + (f", but for who {bare}" if bare else "")


def load_segments(folder: Path) -> dict[str, Segment]:
    """Return the segments that a folder of YAML files defines, by name.

    Raises:
        BadInput: A definition cannot be used, or two files define the same name.
    """
    found: dict[str, Segment] = {}
    for path in sorted(folder.glob("*.y*ml")) if folder.is_dir() else ():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise BadInput(f"segments/{path.name} is not UTF-8.", "Save it as UTF-8.") from error
        segment = parse_segment(text, f"segments/{path.name}")
        if segment.name in found:
            message = f"Two files define the segment `{segment.name}`."
            raise BadInput(message, "Give one of them another name.")
        found[segment.name] = segment
    return found


def all_segments(folder: Path, state: "State | None") -> dict[str, Segment]:
    """Return all segments by name: those kept here, and those of a folder, which win.

    Raises:
        BadInput: A definition cannot be used, or two files define the same name.
    """
    texts = kept_texts(state) if state else {}
    found = {
        name: parse_segment(text, f"segment {name}", origin=KEPT) for name, text in texts.items()
    }
    return found | load_segments(folder)


def parse_segment(text: str, path: str, *, origin: str = IN_GIT) -> Segment:
    """Return the segment that a YAML document defines.

    Args:
        text: The document.
        path: How complaints name the file.
        origin: Where it comes from.

    Raises:
        BadInput: Something is missing, unknown or contradictory; with file, line and column.
    """
    fields = read_document(text, path)
    segment = Segment(
        name=fields.text("segment"),
        version=fields.integer("version", 1, least=1),
        label=fields.text("label"),
        description=fields.text("description"),
        owner=fields.text("owner"),
        purpose=fields.choice("purpose", PURPOSES, "analytics"),
        every=tuple(map(_rule, fields.each("all"))),
        some=tuple(map(_rule, fields.each("any"))),
        never=tuple(map(_rule, fields.each("not"))),
        origin=origin,
        text=text,
    )
    fields.close()
    if len(segment.name) > _LONGEST_NAME or not set(segment.name) <= set(_NAME):
        message = f"`{segment.name[:_LONGEST_NAME]}` is no name of a segment."
        fix = f"Use at most {_LONGEST_NAME} lower-case letters, digits, - and _."
        fields.refuse("segment", message, fix)
    if not segment.rules:
        fix = "Write `all:`, `any:` or `not:`, and below it `- did: EVENT`."
        fields.refuse("all", "It says nothing of who belongs to it.", fix)
    return segment


def _rule(fields: Fields) -> Rule:
    if "account" in fields:
        column = fields.choice("account", OF_ACCOUNTS)
        rule: Rule = OfAccount(column, fields.texts("is"))
        fields.close()
        return rule
    if "trait" in fields:
        rule = Trait(fields.text("trait"), fields.texts("is"))
        fields.close()
        return rule
    where = fields.fields("where")
    given = () if where is None else tuple((name, where.texts(name)) for name in where.names())
    most = fields.integer("at_most") if "at_most" in fields else None
    deed = Deed(
        event=fields.text("did"),
        least=fields.integer("at_least", 0 if most == 0 else 1),
        most=most,
        days=fields.integer("days", 0),
        where=given,
    )
    fields.close()
    if deed.most is not None and deed.most < deed.least:
        fields.refuse("at_most", "`at_most` is less than `at_least`.", "Mend one of them.")
    if deed.least == 0 and deed.most is None:
        fields.refuse("at_least", "Everybody did it at least 0 times.", "Write `at_most: 0`.")
    if deed.days > _LONGEST_DAYS:
        fields.refuse("days", f"{deed.days} days are too many.", f"At most {_LONGEST_DAYS}.")
    return deed


def members(view: "View", segment: Segment, at: int, *, own: "View | None" = None) -> "ir.Table":
    """Return `person_id` of who belongs to a segment as of a time, microseconds UTC.

    Args:
        view: Under which terms it is asked.
        segment: Whose members.
        at: As of when.
        own: The same under the purpose that the segment is for, where that is another one: who may
            not be asked of for either is no member.
    """
    told = own or view
    everybody = found = _seen(told, at)
    for rule in segment.every:
        found = found.semi_join(_of_rule(told, rule, everybody, at), "person_id")
    if segment.some:
        either = [_of_rule(told, rule, everybody, at) for rule in segment.some]
        joined = reduce(lambda one, other: one.union(other), either)
        found = found.semi_join(joined, "person_id")
    for rule in segment.never:
        found = found.anti_join(_of_rule(told, rule, everybody, at), "person_id")
    return found if own is None else found.semi_join(_seen(view, at), "person_id")


def _seen(view: "View", at: int) -> "ir.Table":
    """Return `person_id` of everybody who did anything before a time: nobody else is in any."""
    events = view.person_events
    return events.filter(events.event_time < instant(at)).select("person_id").distinct()


def among(view: "View", segment: Segment, at: int, *, own: "View | None" = None) -> "View":
    """Return a View of nobody but the members of a segment as of a time; `own` as of `members`."""
    some = members(view, segment, at, own=own)
    return replace(
        view,
        person_events=view.person_events.semi_join(some, "person_id"),
        sessions=view.sessions.semi_join(some, "person_id"),
        people=view.people.semi_join(some, "person_id"),
        memberships=view.memberships.semi_join(some, "person_id"),
        # What was closed was counted over everybody.
        closed=None,
        moves=None,
    )


def _of_rule(view: "View", rule: Rule, everybody: "ir.Table", at: int) -> "ir.Table":
    """Return `person_id` of whom a rule holds of."""
    if isinstance(rule, OfAccount):
        return _of_account(view, rule, at)
    if isinstance(rule, Trait):
        return _of_trait(view, rule, at)
    events: Any = surrounded(view.person_events, view.contexts, {name for name, _ in rule.where})
    meant = (events.event == rule.event) & (events.kind == "track")
    meant &= events.event_time < instant(at)
    if rule.days:
        meant &= events.event_time >= instant(at - rule.days * DAY)
    for name, values in rule.where:
        meant &= dimension_of(events, name).isin(values)
    done = events.filter(meant)
    often = done.group_by("person_id").aggregate(times=done.count())
    if rule.least == 0:
        too_often = often.filter(often.times > rule.most)
        return everybody.anti_join(too_often, "person_id")
    fits = often.times >= rule.least
    if rule.most is not None:
        fits &= often.times <= rule.most
    return often.filter(fits).select("person_id")


def _of_account(view: "View", rule: OfAccount, at: int) -> "ir.Table":
    """Return who is of such an account: the last that they were said to be of."""
    import ibis

    told = view.memberships.filter(view.memberships.from_time < instant(at))
    last = ibis.row_number().over(
        group_by=told.person_id, order_by=[told.from_time.desc(), told.account_id]
    )
    now = told.select("person_id", "account_id", place=last).filter(ibis._.place == 0)
    accounts = view.accounts
    fitting = accounts.filter(accounts[rule.column].isin(rule.values))
    return now.semi_join(fitting, "account_id").select("person_id")


def _of_trait(view: "View", rule: Trait, at: int) -> "ir.Table":
    """Return of whom the value that was told last is one of a trait's."""
    import ibis

    events = view.person_events
    said = events.filter(events.event_time < instant(at), events.kind == "identify")
    value = dimension_of(said, rule.name)
    told = said.filter(value.notnull()).mutate(value=value)
    latest = [column.desc() for column in in_order(told)]
    place = ibis.row_number().over(group_by=told.person_id, order_by=latest)
    now = told.select("person_id", "value", place=place).filter(ibis._.place == 0)
    return now.filter(now.value.isin(rule.values)).select("person_id")


def check_of_people(metric: Metric) -> None:
    """Refuse to ask a metric of the members of a segment that is not of people.

    Raises:
        BadInput: It is not.
    """
    if not metric.of_people:
        fix = "Ask it of everybody, or ask a metric of what people do."
        raise BadInput(f"`{metric.name}` is not of people, as a segment is.", fix)


def segment_named(known: Mapping[str, Segment], name: str) -> Segment:
    """Return the segment of a name.

    Raises:
        NotFound: There is none.
    """
    if name not in known:
        raise unknown("segment", name, known)
    return known[name]


def membership(
    view: "View", segment: Segment, span: Span, *, every: str, own: "View | None" = None
) -> Answer:
    """Return how many belong to a segment at the end of each period, and who came and went.

    Columns: `period` (its first day), `members` at its end, `share` of everybody seen by the end,
    `entered` and `left` since the end of the period before.

    Args:
        view: Under which terms it is asked.
        segment: Whose members.
        span: From (inclusive) and to (exclusive), microseconds UTC.
        every: `day`, `week` or `month`, or `none` for the end of the span alone.
        own: As of `members`.

    Raises:
        BadInput: The days or the period cannot be used.
    """
    check_window(*span, every)
    ends = _ends(span, every, view.zone)
    if len(ends) > MOST_PERIODS:
        message = f"These days have {len(ends)} periods."
        raise BadInput(message, f"Ask for at most {MOST_PERIODS}: fewer days, or longer periods.")
    everybody = _seen(view, min(span[1], view.now))
    known = int(view.ask(everybody.aggregate(n=everybody.count())).column("n")[0].as_py())
    question = members(view, segment, min(span[1], view.now), own=own)
    purposes = dict.fromkeys((segment.purpose, view.question.purpose))
    return Answer(
        columns=(
            Column("period", "date"),
            Column("members", "integer", "people"),
            Column("share", "number", "share"),
            Column("entered", "integer", "people"),
            Column("left", "integer", "people"),
        ),
        rows=tuple(_counts(view, segment, ends, begin=span[0], known=known, own=own)),
        definition=(
            f"{segment.words}, at the end of each period. {segment.description.strip()} Share: of "
            f"the {known:,} people who were seen by the end. Only of those who may be asked of for "
            f"{' and '.join(purposes)}. Version {segment.version}, owner {segment.owner}."
        ),
        query=view.sql(question),
        as_of_time=view.fresh_time,
        excluded_by_consent=max(one.left_out(*span) for one in (view, own or view)),
        notes=tuple(_notes(view, segment, span)),
    )


def _ends(span: Span, every: str, zone: str) -> list[tuple[date, int]]:
    """Return the first day and the end of each period of a span."""
    if every == "none":
        return [(day_of(span[0], zone), span[1])]
    starts = period_starts(*span, every=every, zone=zone)
    after = [*(day_start(day, zone) for day in starts[1:]), span[1]]
    return list(zip(starts, after, strict=True))


def _counts(
    view: "View",
    segment: Segment,
    ends: list[tuple[date, int]],
    *,
    begin: int,
    known: int,
    own: "View | None",
) -> Iterator[tuple[object, ...]]:
    before = _ids(view, segment, begin, own)
    for day, end in ends:
        now = _ids(view, segment, min(end, view.now), own)
        came = len(np.setdiff1d(now, before, assume_unique=True))
        went = len(np.setdiff1d(before, now, assume_unique=True))
        yield (day, len(now), len(now) / known if known else None, came, went)
        before = now


def _ids(view: "View", segment: Segment, at: int, own: "View | None") -> Any:
    return view.ask(members(view, segment, at, own=own)).column("person_id").to_numpy()


def _notes(view: "View", segment: Segment, span: Span) -> Iterator[str]:
    longest = max((rule.days for rule in segment.rules if isinstance(rule, Deed)), default=0)
    since = span[0] - (longest * DAY if longest else span[0])
    if segment.events:
        yield from asking.unheard_notes(asking.unheard(view, segment.events, (since, span[1])))
    yield from view.marked_notes(*span)
    if view.sampled:
        yield "What a source sampled counts as many people as were seen."
