"""Measured against truth: what was planted in a simulated world, and what was found of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from starlette.routing import Route

from onefold.model.errors import NotFound
from onefold.model.words import plural
from onefold.web import wording
from onefold.web.desk import ask, page, signed_in
from onefold.web.drawing import interval, round_up
from onefold.web.wording import NO_BREAK, better, number, share, worse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from onefold.web.drawing import Interval

Row = dict[str, Any]

KINDS = {
    "lift": "A real lift",
    "null": "A change that changes nothing",
    "service": "Help given to advertisers",
    "friction": "Where advertisers get stuck",
    "churn": "Why advertisers leave",
}
NO_TRUTH = "There is no known truth here."


@signed_in(whole=True)
async def truth(request: Request) -> Response:
    """Show each planted truth beside what was measured of it."""
    folder = request.app.state.workspace.folder
    planted, measured, notes = await ask(request, read, folder)
    return page(
        request,
        "truth.html",
        here="",
        title="Measured against truth",
        **shown_of(planted, measured, notes),
    )


routes = [Route("/truth", truth)]


def read(folder: Path) -> tuple[list[Row], list[Row], list[str]]:
    """Return what was planted, what was measured, and the notes of the measuring.

    Raises:
        NotFound: The workspace is no demo.
    """
    try:
        planted = json.loads((folder / "demo" / "truth.json").read_text("utf-8"))
        measured = json.loads((folder / "demo" / "measured.json").read_text("utf-8"))
    except OSError as error:
        raise NotFound(NO_TRUTH, "Only a demo has one: run `onefold demo`.") from error
    return planted["effects"], measured["rows"], measured.get("notes", [])


def shown_of(
    planted: Sequence[Row], measured: Sequence[Row], notes: Sequence[str]
) -> dict[str, Any]:
    """Return what the page shows."""
    by_id = {each["id"]: each for each in planted}
    return {
        "question": "This world was made, so its truth is known. Does Onefold find it?",
        "answer": answer_words(measured),
        "lead": lead_words(measured),
        "rows": [truth_row(row) for row in measured],
        "details": [(row, by_id.get(row["id"], {})) for row in measured],
        "kinds": KINDS,
        "notes": notes,
    }


def counts(measured: Sequence[Row]) -> tuple[int, int, int]:
    """Return hits, misses, and truths about which no range was given.

    >>> counts([{"covered": True}, {"covered": False}, {"covered": None}, {"covered": True}])
    (2, 1, 1)
    """
    found = [row["covered"] for row in measured]
    return found.count(True), found.count(False), found.count(None)


def answer_words(measured: Sequence[Row]) -> list[object]:
    """Return the count of hits and misses as a sentence, in pieces."""
    hits, misses, refused = counts(measured)
    if not measured:
        return ["Nothing has been measured yet."]
    said = hits + misses
    hold = "holds" if hits == 1 else "hold"
    words = f"{wording.count_word(hits)} of {plural(said, 'range')} {hold} the truth"
    if hits == said == 2:
        words = "Both ranges hold the truth"
    elif hits == said > 2:
        words = f"All {wording.count_word(hits).lower()} ranges hold the truth"
    told: list[object] = [better(words)]
    if misses:
        told += [
            "; ",
            worse(f"{wording.count_word(misses).lower()} {'misses' if misses == 1 else 'miss'} it"),
        ]
    if refused:
        told.append(f"; {plural(refused, 'truth')} could not be measured in a world this small")
    return [*told, "."]


def lead_words(measured: Sequence[Row]) -> str:
    """Return how far the naive figures are off, and what to expect of ranges."""
    judged = [row for row in measured if naive_holds(row) is not None]
    off = [row for row in judged if not naive_holds(row)]
    told = "A 95 % range misses about once in twenty."
    if judged:
        told += f" Of the naive ranges, {len(off)} of {len(judged)} miss."
    return told


def naive_holds(row: Mapping[str, Any]) -> bool | None:
    """Return whether the range of the naive figure holds the truth; None where it has no range."""
    low, high = row.get("naive_low"), row.get("naive_high")
    return None if low is None or high is None else bool(low <= row["truth"] <= high)


def told(row: Mapping[str, Any], value: float | None) -> str:
    """Return a figure of a truth in its unit: points for shares, money an account for micros."""
    if value is None:
        return wording.NOTHING
    if row["unit"] == "share":
        return number(value * 100, 1, signed=True) + f"{NO_BREAK}points"
    if row["unit"] == "relative":
        return share(value, signed=True)
    if row["unit"] == "micros":
        return wording.money(value, row.get("currency") or "USD", signed=True)
    return number(value, signed=True)


def truth_row(row: Row) -> list[object]:
    """Return a row of the table: what, truth, measured, naive, hit or miss."""
    naive = told(row, row["naive"])
    if naive_holds(row) is False:
        naive += ", misses"
    return [
        Markup('<span class="sentence">{}</span>').format(row["what"]),
        told(row, row["truth"]),
        bar_of(row) or (row.get("cannot") or "No figure."),
        told(row, row["estimate"]),
        None if row["low"] is None else f"{told(row, row['low'])} to {told(row, row['high'])}",
        naive,
        {True: {"tag": "hit"}, False: {"tag": "miss"}, None: {"tag": "no range", "tone": "even"}}[
            row["covered"]
        ],
    ]


def bar_of(row: Row) -> Interval | None:
    """Return the measured range beside the truth (its line) and the naive figure (its circle)."""
    if row["estimate"] is None or row["low"] is None or row["high"] is None:
        return None
    ends = [row["low"], row["high"], row["truth"], 0.0]
    if row["naive"] is not None:
        ends.append(row["naive"])
    reach = round_up(max(abs(end) for end in ends) * 1.05)
    bar = interval(
        row["estimate"],
        row["low"],
        row["high"],
        axis=(-reach, reach),
        reference=row["truth"],
        naive=row["naive"],
        tone="better" if row["covered"] else "worse",
    )
    label = (
        f"measured {told(row, row['estimate'])}, low {told(row, row['low'])}, "
        f"high {told(row, row['high'])}; truth {told(row, row['truth'])}, "
        f"{'held' if row['covered'] else 'missed'}; naive {told(row, row['naive'])}"
    )
    return replace(bar, label=label.replace(NO_BREAK, " "))
