"""The relay: what a change of state has to tell the log, brought there under its id."""

from onefold.store import Log, NewRow, State, tables


def relay(state: State, log: Log) -> int:
    """Append what waits in the outbox to the log and return how many rows that was.

    A crash between the two leaves the row waiting; it is then appended again under the same id,
    and the folds read entries so that the second says nothing new.
    """
    outbox = tables.outbox
    waiting = state.rows(
        outbox.select().where(outbox.c.log_offset.is_(None)).order_by(outbox.c.made_time)
    )
    for row in waiting:
        entry = NewRow(
            received_time=row["made_time"],
            source="",
            environment="",
            dialect="control",
            route=row["kind"],
            body=row["body"],
            verdicts=b"",
        )
        offset = log.append([entry])[0]
        state.touch(outbox.update().where(outbox.c.id == row["id"]).values(log_offset=offset))
    return len(waiting)
