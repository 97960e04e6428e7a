"""A metric in words: what is counted, and what a reader has to know beside the figure."""

from collections.abc import Collection, Sequence
from datetime import date

from onefold.metrics.purchases import is_of_purchases
from onefold.metrics.records import IN_GIT, RECORDED, TIMED, Metric, Term
from onefold.model.words import agreed, plural

SESSION = (
    "A session is the activity of one identifier as sent (a browser's anonymous id, a user id) "
    "without a gap of more than 30 minutes: who signs in half-way, or uses two devices, has one "
    "under each."
)
PURCHASES = (
    "Purchases by events and by imports, each once: equal are those of one order id, else of one "
    "person, amount, currency and day."
)
NO_DISCOVERY = (
    "No session has a discovery: no event that came is described as one. Write `discovery: true` "
    "into its description, such as definitions/events/search_made.yaml, and run `onefold apply`."
)
_INTERVALS = {
    "count": "Interval: how far the total moves by the chance of who came (compound Poisson).",
    "sum": "Interval: how far the total moves by the chance of who came (compound Poisson).",
    "share": "Interval: Wilson's, 95 %.",
    "ratio": "Interval: delta method over {units}, 95 %.",
    "mean": "Interval: delta method over {units}, 95 %.",
    "quantile": "Interval: binomial ranks of {units}, 95 %.",
    "acquisition": "Interval: exact Poisson of how many came, 95 %; the cost is taken as told.",
    "time_to": "Who has not done so yet is counted as taking longer than was seen so far (Kaplan "
    "and Meier). Interval: that of the curve, log-log, 95 %.",
}


def definition(metric: Metric) -> str:
    """Return what is counted and how, in words.

    Description, numerator by denominator, who counts, how the interval is made, the version.
    """
    parts = [
        metric.description.strip(),
        f"Counted: {_counted(metric)}.",
        f"Only {_kinds(metric)}{_behind(metric)}.",
        *([PURCHASES] if is_of_purchases(metric) else []),
        *([SESSION] if any(term.table == "sessions" for term in metric.terms) else []),
        _INTERVALS[metric.kind].format(units=metric.units),
        version_words(metric),
    ]
    return " ".join(parts)


def version_words(metric: Metric) -> str:
    """Return which version of the definition a figure is by, since when, and who vouches for it."""
    standing = metric.standing
    told = f"Version {metric.version}"
    if standing.since:
        told += f" since {standing.since}"
    elif standing.origin == IN_GIT:
        told += ", not applied yet"
    vouched = f", certified by {standing.certified_by}" if metric.certified else ""
    if metric.answering.certified and not metric.certified and standing.origin:
        vouched = ", not certified"
    told = f"{told}, owner {metric.owner}{vouched}."
    if not standing.before:
        return told
    return f"{told} Days before are by it too, not by version {standing.before}."


def _counted(metric: Metric) -> str:
    above = _term(metric.numerator, metric)
    below = _term(metric.denominator, metric) if metric.denominator else ""
    if metric.kind == "time_to":
        took = f"{metric.quantile:.0%} of {metric.units} took at most so long"
        if metric.numerator.table in TIMED:
            begin, end = TIMED[metric.numerator.table]
            return f"after how long {metric.quantile:.0%} of {above} were over ({begin} to {end})"
        return f"{took}, from the first {below} to the next {above}; periods are those of the first"
    if metric.kind == "acquisition":
        names = f"{_events(metric.denominator)}" if metric.denominator else ""
        before = f", spent {metric.lag_days} days before" if metric.lag_days else ""
        return (
            f"{above}{before}, by the people whose first {names} lies in the window; by channel, "
            "that of the cost and that of this first event"
        )
    if metric.kind == "quantile":
        return f"{above}: {metric.quantile:.0%} of {below} have at most so much"
    return f"{above} by {below}" if below else above


def _behind(metric: Metric) -> str:
    if metric.unit == "person":
        return " with a person behind them"
    return f" that name one of the {metric.units}, which are taken to be independent"


def _kinds(metric: Metric) -> str:
    if all(term.table == "purchases" for term in metric.terms):
        return "purchases"
    recorded = [term.table for term in metric.terms if term.table in RECORDED]
    if len(recorded) == len(metric.terms):
        return " and ".join(_named(table) for table in dict.fromkeys(recorded))
    plain = "events, sessions and purchases" if is_of_purchases(metric) else "events and sessions"
    return ", ".join((plain, *(_named(table) for table in dict.fromkeys(recorded))))


def _named(table: str) -> str:
    return table.replace("_", " ")


def _term(term: Term, metric: Metric) -> str:
    return _plain_term(term, metric) + ("" if term.cap is None else f" (at most {term.cap:g})")


def _plain_term(term: Term, metric: Metric) -> str:
    if term.of == "sessions":
        having = f" with at least one of its {term.having}" if term.having else ""
        what = f"sum of {term.column} of sessions" if term.measure == "sum" else "sessions"
        return what + having
    names = _events(term) if term.table == "events" else _named(term.table)
    where = "".join(f" where {name} is {' or '.join(values)}" for name, values in term.where)
    if term.of == "people" and metric.kind == "time_to":
        return f"{names}{where}"
    if term.of == "people":
        if term.table == "sessions":
            return f"people with a session that has {term.having}"
        return f"{metric.units} with at least {term.at_least} of {names}{where}"
    if term.measure == "distinct":
        return f"different {term.column} of {names}{where}, of each of the {metric.units}"
    if term.points:
        bands = ", ".join(f"{worth:g} from {low:g} to {high:g}" for low, high, worth in term.points)
        return f"sum of points for {term.column} ({bands}) of {names}{where}"
    if term.measure == "sum":
        return f"sum of {term.column} of {names}{where}"
    return f"{names}{where}"


def _events(term: Term) -> str:
    weights = dict(term.weights)
    return ", ".join(f"{weights[one]:g} x {one}" if one in weights else one for one in term.events)


def closed_notes(closed: Collection[date]) -> tuple[str, ...]:
    """Return the sentence on the periods of an answer that are closed, if there are any."""
    if not closed:
        return ()
    last = max(closed)
    told = plural(len(closed), "period is closed", "periods are closed")
    beside = "Where another is counted now it stands beside, with the reason."
    return (f"{told}, the last from {last}: figures stand as they were then. {beside}",)


def notes(
    metric: Metric,
    *,
    smallest: int,
    nobodys: int,
    unknown_buyers: int = 0,
    undiscovered: bool,
    cut: Sequence[date],
    unfinished: Sequence[date],
    currencies: Sequence[str],
) -> tuple[str, ...]:
    """Return what a reader has to know beside the figures; none where all is plain."""
    found = []
    if metric.kind not in {"count", "sum"} and smallest < metric.minimum_people:
        found.append(too_few(metric, smallest))
    if undiscovered:
        found.append(NO_DISCOVERY)
    if nobodys:
        events = plural(nobodys, "event has", "events have")
        are = agreed(nobodys, "it and is", "them and are")
        found.append(f"{events} no person behind {are} not in the figure.")
    if unknown_buyers:
        bought = plural(unknown_buyers, "purchase has", "purchases have")
        are = agreed(unknown_buyers, "it and is", "them and are")
        found.append(f"{bought} no person behind {are} not in the figure.")
    if part := [day for day in cut if day not in unfinished]:
        days = ", ".join(day.isoformat() for day in part)
        found.append(f"Not whole in this window: the period from {days}.")
    if unfinished:
        days = ", ".join(day.isoformat() for day in unfinished)
        found.append(f"Not over, so its figure is only so far: the period from {days}.")
    if len(currencies) > 1:
        found.append(f"A row a currency: {', '.join(name or 'none' for name in currencies)}.")
    return tuple(found)


def too_few(metric: Metric, people: int) -> str:
    """Return the sentence for a figure without interval.

    It names how many people there are and how many it takes.
    """
    return (
        f"Not enough data for an interval: {people:,} of {metric.minimum_people:,} {metric.units}."
    )
