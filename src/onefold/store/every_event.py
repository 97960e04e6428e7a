"""All events in one table: those that were sent, and those that imported rows are.

An imported row stands once, in `records`, with what is the same for all of its run in `runs`; to
keep it in `events` as well would double what an import writes. Questions ask the tables of what
was brought in. Where all events are told of, in checksums and exports, they come together here.
"""

from collections.abc import Sequence

from sqlglot import exp, select

from onefold.model.facts import IMPORTED

_EVERY_PURPOSE = 15


def every_event(columns: Sequence[str]) -> exp.Subquery:
    """Return a source with some columns of `events` and a row for every accepted message.

    A message that several runs told is one event, as the first of them told it.
    """
    names = [exp.column(name, quoted=True) for name in columns]
    sent = select(*names).from_("events")
    told = _imported()
    brought = select(
        *(exp.alias_(told.get(name, exp.null()), name, quoted=True) for name in columns)
    )
    brought = (
        brought.from_("records")
        .join("runs", using=["run_time"])
        .where(exp.not_(exp.column("waiting", "records")))
        .group_by("records.message_hi", "records.message_lo")
    )
    return exp.union(sent, brought, distinct=False).subquery("every_event")


def _imported() -> dict[str, exp.Expression]:
    """Return column of `events` -> what an imported row has there; the others are null."""
    known, run = exp.column("known_time", "records"), exp.column("run_time", "records")
    clocked = exp.If(
        this=known.copy().eq(run.copy()),
        true=exp.Literal.string("received"),
        false=exp.Literal.string("sent"),
    )
    told = {
        "event": exp.column("entity", "runs"),
        "source": exp.column("source", "runs"),
        "environment": exp.column("environment", "runs"),
        "log_offset": exp.column("log_offset", "records"),
        "place": exp.column("place", "records"),
        "event_time": known,
        "received_time": run,
        "time_basis": clocked,
    }
    first = {name: exp.func("arg_min", value, run.copy()) for name, value in told.items()}
    return {
        "message_hi": exp.column("message_hi", "records"),
        "message_lo": exp.column("message_lo", "records"),
        "kind": exp.Literal.string(IMPORTED),
        "purposes": exp.cast(exp.Literal.number(_EVERY_PURPOSE), "SMALLINT"),
        "properties": exp.Literal.string("{}"),
        **first,
    }
