"""A View over a few rows that a test writes down: real DuckDB, no log, no consent."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import ibis
import pyarrow as pa

from onefold.model.facts import RECORD_TIMES
from onefold.model.records import OWNER, Question
from onefold.store import View
from onefold.store.facts_duckdb import DuckFacts

DEFAULT_NOW = 1_770_000_000_000_000


@dataclass
class SmallFacts:
    """Rows of events (and, unless given, the sessions that they make)."""

    events: list[dict] = field(default_factory=list)
    sessions: list[dict] | None = None
    persons: dict[int, int] = field(default_factory=dict)
    promoted: dict[str, str] = field(default_factory=dict)
    records: dict[str, list[dict]] = field(default_factory=dict)
    now: int = DEFAULT_NOW
    zone: str = "UTC"

    def add(self, event, moment, identifier, *, kind="track", source="web", **properties):
        row = {
            "message_hi": len(self.events),
            "message_lo": 0,
            "log_offset": len(self.events),
            "place": 0,
            "kind": kind,
            "event": event,
            "source": source,
            "environment": "production",
            "event_time": moment,
            "received_time": moment,
            "time_basis": "sent",
            "identifier": identifier,
            "purposes": 15,
            "properties": json.dumps(properties),
        }
        row |= {f"p_{name}": properties.get(name) for name in self.names()}
        self.events.append(row)

    def names(self):
        return [name.removeprefix("p_") for name in self.promoted]

    def view(self):
        facts = DuckFacts(None)
        facts.create(self.promoted)
        tables = facts.tables()
        sessions = self.sessions if self.sessions is not None else spans(self.events)
        known = {row["identifier"] for row in [*self.events, *sessions]} - {None}
        identifiers = [
            {"key": key, "kind": "user_id", "person_id": self.persons.get(key, key)}
            for key in sorted(known)
        ]
        with facts.transaction() as writer:
            for name, rows in (
                ("events", self.events),
                ("sessions", sessions),
                ("identifiers", identifiers),
                *self.records.items(),
            ):
                if rows:
                    writer.insert(name, arrow(rows, tables[name].schema()))
        found = {name: tables[name] for name in tables}
        people = found["identifiers"].select(identifier="key", person_id="person_id")
        return View(
            facts=facts,
            question=Question(asker=OWNER),
            events=found["events"],
            person_events=found["events"].inner_join(people, "identifier"),
            sessions=found["sessions"].inner_join(people, "identifier"),
            contexts=found["contexts"],
            identifiers=found["identifiers"],
            memberships=found["memberships"].inner_join(people, "identifier"),
            records={name: found[name] for name in RECORD_TIMES},
            orders=found["orders"],
            people=found["identifiers"],
            consents=found["consents"],
            quarantine=found["quarantine"],
            duplicates=found["duplicates"],
            dropped=found["dropped"],
            held=found["held"],
            runs=found["runs"],
            now=self.now,
            zone=self.zone,
            fresh_time=self.now,
            left_out=lambda _from, _to: 0,
        )


def arrow(rows, schema):
    names = [name for name in schema.names if name in rows[0]]
    kinds = ibis.schema({name: schema[name] for name in names}).to_pyarrow()
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if schema[name].is_timestamp():
            values = [None if v is None else stamp(v) for v in values]
        columns[name] = values
    return pa.table(columns, schema=kinds)


def stamp(micros):
    seconds, rest = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None, microsecond=rest)


IMPRESSIONS = {"pin_viewed", "ad_viewed", "Experiment Viewed"}
DISCOVERIES = {"search_made", "pin_opened", "pin_saved"}
GAP = 30 * 60 * 1_000_000


def spans(events):
    """The sessions of events by the plain rule: a gap of over 30 minutes ends one."""
    found = []
    last = {}
    for row in sorted(
        (row for row in events if row["identifier"] is not None), key=lambda row: row["event_time"]
    ):
        span = last.get(row["identifier"])
        if span is None or row["event_time"] - span["end_time"] > GAP:
            span = {
                "identifier": row["identifier"],
                "environment": "production",
                "start_time": row["event_time"],
                "end_time": row["event_time"],
                "events": 0,
                "actions": 0,
                "discoveries": 0,
                "purposes": 15,
            }
            found.append(span)
            last[row["identifier"]] = span
        span["end_time"] = row["event_time"]
        span["events"] += 1
        span["actions"] += row["kind"] == "track" and row["event"] not in IMPRESSIONS
        span["discoveries"] += row["event"] in DISCOVERIES
    return found
