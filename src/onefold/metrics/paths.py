"""Paths: what people did after, or before, the first time that they did an event.

Each person has one way: it begins at the first time in these days that the person did the event,
and goes on with the person's events after it (or, backwards, before it). Of two events at one
moment the one that the log got first came first. A way ends where the visit ends, or a time limit;
a visit is a person's events of any kind, on whatever device, each at most 30 minutes after the one
before: the rule of sessions, over all that is one person.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from onefold.metrics import asking
from onefold.metrics.asking import People
from onefold.metrics.compile import Span, instant, within
from onefold.metrics.periods import check_window
from onefold.metrics.sessions import GAP
from onefold.metrics.weights import weight_of
from onefold.model.errors import BadInput
from onefold.model.records import Answer, Column
from onefold.model.time import duration_words
from onefold.model.words import plural

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

AFTER, BEFORE = "after", "before"
OTHER, END = "(other)", "(end)"
"""What stands for events that have no row of their own, and for a way that is over."""
MOST_STEPS, MOST_NAMED, MOST_SKIPPED, MOST_GROUPS = 10, 50, 50, 12
_ORDER = ("moment", "log_offset", "place")

Flow = tuple[int, str | None, str]
"""A step, the event of the step before (None: whichever) and the event of the step."""


@dataclass(frozen=True, slots=True)
class Paths:
    """What is asked of paths.

    Attributes:
        event: Name of the event that a way begins at.
        span: From (inclusive) and to (exclusive), microseconds UTC: of all events.
        direction: `after` it or `before` it; step 1 is the event next to it.
        steps: So many are told.
        limit: At most so long from the beginning, microseconds; None is the visit.
        named: So many events a step have rows of their own; the rest are `(other)`.
        until: A way that comes to this event ends well there; empty is none.
        skipped: Names of events that count as if they had not been.
        collapsed: Whether the same event several times in a row is one step.
        by: What the beginning is split by, or None.
    """

    event: str
    span: Span
    direction: Literal["after", "before"] = "after"
    steps: int = 4
    limit: int | None = None
    named: int = 6
    until: str = ""
    skipped: tuple[str, ...] = ()
    collapsed: bool = False
    by: str | None = None


def paths(view: "View", asked: Paths) -> Answer:
    """Return what people did after, or before, the first time that they did an event.

    Columns: the dimension under its own name (with `by`), `step` (from 0, the beginning), `former`
    (the event of the step before; null for all of the step, whichever that was), `event` (its name,
    `(other)`, or `(end)` for those who did nothing further), `persons`, their `share` of all who
    began with `low`, `high`, `level` and `n` (all who began), and `of_former`: the share of those
    who did `former` (of those who came to the step before, where `former` is null).

    The rows of a step whose `former` is null add up to those who came to the step before and had
    not come to `until`; so do the others. An event that is named like `(other)` or `(end)` is
    among `(other)`.

    Raises:
        BadInput: The events, the days, the dimension or a number cannot be used.
    """
    check(asked)
    question = flows(view, asked)
    groups: dict[str | None, dict[Flow, People]] = defaultdict(dict)
    found = view.ask(question).to_pylist()
    named = _named(found, asked)
    for row in found:
        _add(groups[row["by"]], row, named)
    begun = {name: _begun(flow, asked.event) for name, flow in groups.items()}
    shown = sorted(groups, key=lambda name: (-begun[name].weight, name is None, name or ""))
    rows = [row for name in shown[:MOST_GROUPS] for row in _rows(asked, name, groups[name])]
    return Answer(
        columns=_columns(asked),
        rows=tuple(rows),
        definition=_definition(asked),
        query=view.sql(question),
        as_of_time=view.fresh_time,
        excluded_by_consent=view.left_out(*asked.span),
        notes=tuple(_notes(view, asked, groups, found, named)),
    )


def check(asked: Paths) -> None:
    """Refuse what no path is.

    Raises:
        BadInput: See above; it tells what can be used.
    """
    check_window(*asked.span, "none")
    names = (asked.event, *((asked.until,) if asked.until else ()))
    asking.check_names(names, fewest=1, most=2, what="Paths")
    asking.check_names(asked.skipped, fewest=0, most=MOST_SKIPPED, what="Paths without some")
    if not 1 <= asked.steps <= MOST_STEPS:
        raise BadInput(f"Paths of {plural(asked.steps, 'step')}.", f"Ask for 1 to {MOST_STEPS}.")
    if not 1 <= asked.named <= MOST_NAMED:
        raise BadInput(
            f"{plural(asked.named, 'event')} a step with a row.", f"Ask for 1 to {MOST_NAMED}."
        )
    if asked.limit is not None and asked.limit <= 0:
        raise BadInput("Paths within no time.", "Give them some, such as 30m, 12h or 7d.")
    if lost := [name for name in names if name in asked.skipped]:
        raise BadInput(f"`{lost[0]}` is asked for and left out at once.", "Leave out other events.")


def flows(view: "View", asked: Paths) -> "ir.Table":
    """Return the question: by step, the persons who came from which event to which.

    Columns: `by`, `step` (from 1), `former`, `event` (null where a way was over), and `n`,
    `weight`, `squares` as `People` takes them. Each person is at most once in a step.
    """
    import ibis

    events = view.person_events
    here = events.filter(within(events.event_time, asked.span))
    begins, group = asking.split_by(
        view, here.filter(here.kind == "track", here.event == asked.event), asked.by
    )
    weight = weight_of(begins) if view.sampled else ibis.literal(1.0)
    begins = begins.select(*_ordered(begins), person_id="person_id", weight=weight, by=group)
    rows = here.select(*_ordered(here), "person_id", "kind", "event")
    return _flows(begins.op(), rows.op(), asked)


def _ordered(rows: Any) -> "list[ir.Value]":
    """Return what orders events: their time, and within it their place in the log."""
    moment = rows.event_time.delta(instant(0), unit="microsecond").name("moment")
    return [moment, rows.log_offset, rows.place]


@lru_cache(maxsize=64)
def _flows(begins: Any, rows: Any, asked: Paths) -> "ir.Table":
    import ibis

    way = _ways(begins, rows.to_expr(), asked)
    order = _window(asked)
    way = way.filter(way.kind == "track")
    if asked.skipped:
        way = way.filter(~way.event.isin(asked.skipped))
    if asked.collapsed:
        way = way.mutate(former=way.event.lag(1).over(order))
        way = way.filter(way.former.isnull() | (way.former != way.event))
    way = way.mutate(step=ibis.row_number().over(order), next=way.event.lead(1).over(order))
    if asked.until:
        comes = ((way.event == asked.until) & (way.step > 0)).cast("int64")
        way = way.mutate(come=comes.max().over(_window(asked, until_here=True)))
        way = way.filter(way.come == 0)
    told = way.filter(way.step < asked.steps).select(
        "by", "weight", step=way.step + 1, former="event", event="next"
    )
    return told.group_by("by", "step", "former", "event").aggregate(**asking.counted())


def _ways(begins: Any, rows: Any, asked: Paths) -> Any:
    """Return the rows of each person's way, the beginning too, as far as visit or limit lets it."""
    import ibis

    first = begins.to_expr()
    nth = ibis.row_number().over(group_by="person_id", order_by=list(_ORDER))
    first = first.mutate(nth=nth)
    first = first.filter(first.nth == 0)
    renamed = {f"begun_{name}": first[name] for name in _ORDER}
    first = first.select("person_id", "by", "weight", **renamed)
    way = rows.join(first, "person_id")
    if asked.direction == AFTER:
        went = way.moment - way.begun_moment
        same = (way.log_offset > way.begun_log_offset) | (
            (way.log_offset == way.begun_log_offset) & (way.place >= way.begun_place)
        )
    else:
        went = way.begun_moment - way.moment
        same = (way.log_offset < way.begun_log_offset) | (
            (way.log_offset == way.begun_log_offset) & (way.place <= way.begun_place)
        )
    way = way.filter((went > 0) | ((went == 0) & same)).mutate(went=went)
    if asked.limit is not None:
        return way.filter(way.went <= asked.limit)
    lapse = way.went - way.went.lag(1).over(_window(asked))
    way = way.mutate(apart=(lapse > GAP).fill_null(False).cast("int64"))
    way = way.mutate(visit=way.apart.max().over(_window(asked, until_here=True)))
    return way.filter(way.visit == 0)


def _window(asked: Paths, *, until_here: bool = False) -> Any:
    """Return the window of a person's way in its direction, or of the part until an event."""
    import ibis

    order: list[Any] = [ibis._[name] for name in _ORDER]
    if asked.direction == BEFORE:
        order = [one.desc() for one in order]
    if until_here:
        return ibis.window(group_by="person_id", order_by=order, preceding=None, following=0)
    return ibis.window(group_by="person_id", order_by=order)


def _named(found: Sequence[dict[str, Any]], asked: Paths) -> dict[int, set[str]]:
    """Return by step the events that have rows of their own: the most frequent, and `until`."""
    counts: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in found:
        if row["event"] is not None:
            counts[row["step"]][row["event"]] += float(row["weight"])
    named = {0: {asked.event}}
    for step, events in counts.items():
        usable = (name for name in events if name not in {OTHER, END, asked.until})
        most = sorted(usable, key=lambda name: (-events[name], name))
        own = {asked.until} & set(events)
        named[step] = own | set(most[: asked.named - len(own)])
    return named


def _add(flow: dict[Flow, People], row: dict[str, Any], named: dict[int, set[str]]) -> None:
    """Add a row of the question to the flows of its group."""
    step, some = row["step"], People.of(row)
    former = _name(row["former"], named.get(step - 1, set()))
    event = END if row["event"] is None else _name(row["event"], named[step])
    for each in (former, None):
        flow[step, each, event] = flow.get((step, each, event), People()) + some


def _name(event: str, named: set[str]) -> str:
    return event if event in named else OTHER


def _begun(flow: dict[Flow, People], event: str) -> People:
    """Return all who began: each of them has something, or the end, as step 1."""
    firsts = (some for (step, former, _), some in flow.items() if step == 1 and former == event)
    return sum(firsts, People())


def _rows(asked: Paths, name: str | None, flow: dict[Flow, People]) -> Iterator[tuple[object, ...]]:
    head = (name,) if asked.by else ()
    begun = _begun(flow, asked.event)
    came: dict[tuple[int, str | None], People] = {(0, None): begun, (0, asked.event): begun}
    for (step, former, event), some in flow.items():
        if former is None and event != END:
            came[step, event] = some
            came[step, None] = came.get((step, None), People()) + some
    whole = asking.share_of(begun, begun)
    ends = (whole.estimate, whole.low, whole.high, whole.level, whole.n)
    yield (*head, 0, None, asked.event, round(begun.weight), *ends, None)

    def order(key: Flow) -> tuple[object, ...]:
        step, former, event = key
        size = came.get((step - 1, former), People()).weight
        last = (former == OTHER, event == END, event == OTHER)
        return (
            step,
            former is not None,
            last[0],
            -size,
            former or "",
            *last[1:],
            -flow[key].weight,
        )

    for key in sorted(flow, key=lambda one: (*order(one), one[2])):
        step, former, event = key
        share = asking.share_of(flow[key], begun)
        of_former = asking.share_of(flow[key], came[step - 1, former]).estimate
        ends = (share.estimate, share.low, share.high, share.level, share.n)
        yield (*head, step, former, event, round(flow[key].weight), *ends, of_former)


def _columns(asked: Paths) -> tuple[Column, ...]:
    return (
        *((Column(asked.by, "text"),) if asked.by else ()),
        Column("step", "integer"),
        Column("former", "text"),
        Column("event", "text"),
        Column("persons", "integer", "people"),
        *(Column(name, "number", "share") for name in ("share", "low", "high", "level")),
        Column("n", "integer", "people"),
        Column("of_former", "number", "share"),
    )


def _definition(asked: Paths) -> str:
    reach = (
        "within the same visit (events of any kind, each at most 30 minutes from the next)"
        if asked.limit is None
        else f"within {duration_words(asked.limit)}"
    )
    parts = [
        f"What people did {asked.direction} the first time in these days that they did",
        f"{asked.event}, {reach}, {plural(asked.steps, 'step')} far; each person once, of two",
        "events at one moment the one that came in first before the other.",
        "(end): they did nothing further there; (other): events that have no row of their own.",
    ]
    if asked.until:
        parts.append(f"A way that comes to {asked.until} ends there and is in no later step.")
    if asked.skipped:
        parts.append(f"As if there were no {', '.join(asked.skipped)}.")
    if asked.collapsed:
        parts.append("The same event several times in a row is one step.")
    parts.append(
        "Only events of these days with a person behind them, so who began at their "
        f"{'end' if asked.direction == AFTER else 'beginning'} had less time. Shares are of all "
        "who began. Interval: Wilson's, 95 %."
    )
    if asked.by:
        parts.append(f"Split by {asked.by} of the beginning.")
    return " ".join(parts)


def _notes(
    view: "View",
    asked: Paths,
    groups: dict[str | None, dict[Flow, People]],
    found: Sequence[dict[str, Any]],
    named: dict[int, set[str]],
) -> Iterator[str]:
    names = (asked.event, *((asked.until,) if asked.until else ()))
    if not groups or asked.until:
        yield from asking.unheard_notes(asking.unheard(view, names, asked.span))
    begun = [_begun(flow, asked.event) for flow in groups.values()]
    if asked.until and groups:
        yield _come(asked, groups.values(), sum(begun, People()))
    smallest = min((one.n for one in begun), default=0)
    if smallest < asking.FEWEST_PEOPLE:
        yield (
            f"Not enough data for {'every' if asked.by else 'an'} interval: {smallest} of "
            f"{asking.FEWEST_PEOPLE} people."
        )
    others = {row["event"] for row in found if row["event"] is not None} - set().union(
        *named.values()
    )
    if others:
        yield f"{plural(len(others), 'event')} with no row in any step: {asked.named} a step have."
    if len(groups) > MOST_GROUPS:
        yield f"The {MOST_GROUPS} largest of {len(groups):,} groups."
    yield from view.marked_notes(*asked.span)
    if view.sampled:
        yield asking.SAMPLED


def _come(asked: Paths, all_flows: Any, begun: People) -> str:
    """Return how many came to the event that a way may end at."""
    came = sum(
        (
            some
            for flow in all_flows
            for (_, former, event), some in flow.items()
            if former is None and event == asked.until
        ),
        People(),
    )
    share = asking.share_of(came, begun)
    ends = "" if share.low is None else f" ({share.low:.1%} to {share.high:.1%})"
    return (
        f"{round(came.weight):,} of {round(begun.weight):,} came to {asked.until} in these steps: "
        f"{share.estimate or 0:.1%}{ends}."
    )
