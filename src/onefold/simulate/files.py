"""The files of a demo workspace: definitions, imports with their mappings, truth, pinboard."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import yaml

from onefold.model.time import format_time
from onefold.simulate.advertisers import INDUSTRIES, NEVER, OWNERS, history_days, spend_days
from onefold.simulate.catalogue import COUNTRIES
from onefold.simulate.market import Market
from onefold.simulate.names import account_name
from onefold.simulate.pins import pinboard
from onefold.simulate.records import DAY
from onefold.simulate.streams import RECORDS, TALKED, stream

IMPORTS = ("accounts", "spend", "tickets", "interactions")
HOUR = DAY // 24

MAPPINGS: dict[str, dict[str, object]] = {
    "accounts": {
        "account_id": "id",
        "name": "name",
        "industry": "industry",
        "country": "country",
        "owner": "owner",
        "created_time": {"from": "created", "type": "time"},
    },
    "spend": {
        "spend_id": "id",
        "account_id": "account",
        "kind": {"value": "ad_spend"},
        "spend_date": {"from": "day", "type": "date"},
        "amount_micros": {"from": "amount", "type": "money", "currency": {"from": "currency"}},
    },
    "tickets": {
        "ticket_id": "id",
        "account_id": "account",
        "subject": "subject",
        "topic": "topic",
        "status": "status",
        "waits_on": "waits_on",
        "opened_time": {"from": "opened", "type": "time"},
        "closed_time": {"from": "closed", "type": "time"},
    },
    "interactions": {
        "interaction_id": "id",
        "account_id": "account",
        "kind": "kind",
        "service": "service",
        "title": "title",
        "who": "who",
        "minutes": {"from": "minutes", "type": "integer"},
        "start_time": {"from": "start", "type": "time"},
    },
}
"""Target column -> column of the file, as `onefold import` reads it."""

TICKETS = {
    "conversion_tag": "Conversion tag does not report purchases",
    "billing": "Invoice does not match the campaigns",
    "creative": "Ad was sent back by review",
    "audiences": "Audience is too small to run",
}
TALKS = (
    ("call", "Monthly call", 30),
    ("email", "Season plans", 5),
    ("meeting", "Quarterly review", 60),
    ("email", "New formats", 5),
)


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """Where the files of a demo stand.

    Attributes:
        mappings: What to give to `onefold import`, in order.
        truth: `truth.json`; pinboard: `pinboard.json`.
        definitions: Folder of the definitions to apply.
    """

    mappings: tuple[Path, ...]
    truth: Path
    pinboard: Path
    definitions: Path


def write_demo_files(market: Market, folder: Path) -> DemoFiles:
    """Write a market's definitions, imports, truth and pinboard into a workspace folder.

    Definitions go to `definitions`, all else to `demo`. The experiments get the days on which they
    ran in this market.
    """
    demo = folder / "demo"
    demo.mkdir(parents=True, exist_ok=True)
    write_definitions(market, folder / "definitions")
    tables = {
        "accounts": accounts_table(market),
        "spend": spend_table(market),
        "tickets": tickets_table(market),
        "interactions": interactions_table(market),
    }
    for name, rows in tables.items():
        with (demo / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        (demo / f"{name}.yaml").write_text(mapping(name), "utf-8")
    plan = market.plan
    board = pinboard(plan.seed, people=plan.people, days=plan.days, accounts=plan.accounts)
    (demo / "truth.json").write_text(json.dumps(market.truth, indent=1), "utf-8")
    (demo / "pinboard.json").write_text(json.dumps(board), "utf-8")
    return DemoFiles(
        mappings=tuple(demo / f"{name}.yaml" for name in IMPORTS),
        truth=demo / "truth.json",
        pinboard=demo / "pinboard.json",
        definitions=folder / "definitions",
    )


def mapping(table: str) -> str:
    """Return the mapping file of one table's import, YAML."""
    document = {
        "import": f"pinmarket-{table}",
        "table": table,
        "file": f"{table}.csv",
        "format": "csv",
        "columns": MAPPINGS[table],
    }
    return yaml.safe_dump(document, sort_keys=False)


def write_definitions(market: Market, folder: Path) -> None:
    """Write the market's catalogue, experiments and segments below a folder."""
    for name, text in definitions(market).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


def definitions(market: Market) -> dict[str, str]:
    """Return path below `definitions/` -> YAML text, experiments with this market's days."""
    shipped = files("onefold.simulate") / "definitions"
    found = {"traffic.yaml": (shipped / "traffic.yaml").read_text("utf-8")}
    for kind in ("events", "experiments", "segments"):
        source = files("onefold.simulate") / "definitions" / kind
        for file in sorted(source.iterdir(), key=lambda one: one.name):
            text = file.read_text("utf-8")
            if kind == "experiments":
                text = dated(text, market)
            found[f"{kind}/{file.name}"] = text
    return found


def dated(text: str, market: Market) -> str:
    """Return an experiment's YAML with the days on which it ran in this market."""
    plan = market.plan
    document = yaml.safe_load(text)
    document["started_date"] = plan.started_date
    document["planned_days"] = plan.planned_days
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=96)


def accounts_table(market: Market) -> list[Sequence[object]]:
    """Return the rows of `accounts.csv`, its header first."""
    accounts = market.accounts
    rows: list[Sequence[object]] = [("id", "name", "industry", "country", "owner", "created")]
    for number, created in enumerate(accounts.created.tolist()):
        rows.append(
            (
                f"acc-{number}",
                account_name(number),
                INDUSTRIES[int(accounts.industry[number])],
                COUNTRIES[int(accounts.country[number])],
                OWNERS[int(accounts.owner[number])],
                _time(market, created, 9),
            )
        )
    return rows


def spend_table(market: Market) -> list[Sequence[object]]:
    """Return the rows of `spend.csv`: one an account and day with spend."""
    first = market.plan.start_date - timedelta(days=history_days(market.plan))
    dates = [(first + timedelta(days=d)).isoformat() for d in range(spend_days(market.plan))]
    rows: list[Sequence[object]] = [("id", "account", "day", "amount", "currency")]
    for account, amounts in enumerate(market.accounts.spend.tolist()):
        rows += [
            (f"s-{account}-{d}", f"acc-{account}", dates[d], f"{a / 1e6:.2f}", "USD")
            for d, a in enumerate(amounts)
            if a > 0
        ]
    return rows


def tickets_table(market: Market) -> list[Sequence[object]]:
    """Return the rows of `tickets.csv`, what causes harm and what does not."""
    accounts, plan = market.accounts, market.plan
    chance = stream(plan, RECORDS)
    found: list[tuple[int, str, int, int]] = []
    for topic, opened, closed in (
        ("conversion_tag", accounts.tag_opened, accounts.tag_closed),
        ("billing", accounts.billing_opened, accounts.billing_closed),
    ):
        pairs = zip(opened.tolist(), closed.tolist(), strict=True)
        found += [(a, topic, o, c) for a, (o, c) in enumerate(pairs) if o < NEVER]
    days = spend_days(plan)
    for account in range(plan.account_count):
        for _ in range(int(chance.poisson(0.7))):
            topic = ("creative", "audiences")[int(chance.integers(0, 2))]
            first = max(int(market.accounts.created[account]), 0)
            opened_day = int(chance.integers(min(first, days - 2), days - 1))
            found.append((account, topic, opened_day, opened_day + int(chance.integers(1, 12))))
    rows: list[Sequence[object]] = [
        ("id", "account", "subject", "topic", "status", "waits_on", "opened", "closed")
    ]
    found.sort(key=lambda one: (one[2], one[0], one[1]))
    for number, (account, topic, opened_day, closed_day) in enumerate(found):
        # Closed before the working day: the day of closing is a day without the trouble.
        over = closed_day < NEVER and _moment(market, closed_day, 7) < plan.end_time
        closed_text = _time(market, closed_day, 7) if over else ""
        waits = "none" if over else ("us", "customer")[number % 3 == 0]
        rows.append(
            (
                f"t-{number}",
                f"acc-{account}",
                TICKETS[topic],
                topic,
                "closed" if over else "open",
                waits,
                _time(market, opened_day, 8 + number % 8),
                closed_text,
            )
        )
    return rows


def interactions_table(market: Market) -> list[Sequence[object]]:
    """Return the rows of `interactions.csv`: services, calls, mails and meetings."""
    accounts, plan = market.accounts, market.plan
    chance = stream(plan, TALKED)
    found: list[tuple[int, int, str, str, str, int]] = []
    for service, title, starts in (
        ("measurement_help", "Measurement help: tags and reports", accounts.measurement),
        ("creative_help", "Creative help: new pins for the campaign", accounts.creative),
    ):
        found += [
            (day, account, "service", service, title, 90)
            for account, day in enumerate(starts.tolist())
            if day < NEVER
        ]
    days = spend_days(plan)
    for account in range(plan.account_count):
        first = min(max(int(accounts.created[account]), 0), days - 2)
        for _ in range(int(chance.poisson(2.5))):
            kind, title, minutes = TALKS[int(chance.integers(0, len(TALKS)))]
            day = int(chance.integers(first, days - 1))
            found.append((day, account, kind, "", title, minutes))
    found.sort()
    rows: list[Sequence[object]] = [
        ("id", "account", "kind", "service", "title", "who", "minutes", "start")
    ]
    for number, (day, account, kind, service, title, minutes) in enumerate(found):
        who = OWNERS[int(accounts.owner[account])]
        start = _time(market, day, 8 + number % 9)
        rows.append((f"n-{number}", f"acc-{account}", kind, service, title, who, minutes, start))
    return rows


def _moment(market: Market, day: int, hour: int) -> int:
    """Return the microseconds of an hour of a day in the count of the advertisers."""
    return market.plan.start_time + (day - history_days(market.plan)) * DAY + hour * HOUR


def _time(market: Market, day: int, hour: int) -> str:
    return format_time(_moment(market, day, hour))
