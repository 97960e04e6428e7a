"""What changed lately and what comes, and whether earlier advice held."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from onefold.model.time import DAY, day_of, day_start
from onefold.model.words import plural
from onefold.web import wording
from onefold.web.wording import bold, link, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onefold.advice import Decision
    from onefold.collect import questions
    from onefold.experiments import Experiment
    from onefold.store import View

BACK = 28
"""Days back that count as lately."""
AHEAD = 28
MOST = 7
MEASURED = 28
VERDICTS = {"accept": "accepted", "dismiss": "dismissed", "later": "put off"}


def what_changed(
    view: View,
    tests: Sequence[Experiment],
    decided: Sequence[Decision],
    entries: Sequence[Any],
    totals: questions.Totals,
) -> list[dict[str, Any]]:
    """Return what comes and what happened, coming dates first, then the newest first.

    Args:
        view: Its time and zone.
        tests: Registered experiments: their starts, ends and readable days.
        decided: Decisions on advice.
        entries: The audit trail, as far as the asker may see it.
        totals: What came in during the period.
    """
    found = [entry for test in tests for entry in _test(test, view.zone)]
    found += [_decision(each) for each in decided]
    found += [_entry(each) for each in entries if each.action in _ACTIONS]
    ahead = sorted(
        (each for each in found if view.now < each["at"] <= view.now + AHEAD * DAY),
        key=lambda each: each["at"],
    )
    past = sorted(
        (each for each in found if view.now - BACK * DAY <= each["at"] <= view.now),
        key=lambda each: -each["at"],
    )
    shown = [_dated(each, view.zone, coming=True) for each in ahead[:3]]
    if totals.waiting:
        shown.append(
            {
                "shape": "triangle",
                "time": "In these days",
                "words": sentence(bold(plural(totals.waiting, "event")), " could not be used"),
                "quiet": sentence("They wait in quarantine. ", link("See why", "/data")),
            }
        )
    return shown + [_dated(each, view.zone, coming=False) for each in past[: MOST - len(shown)]]


def _dated(each: dict[str, Any], zone: str, *, coming: bool) -> dict[str, Any]:
    day = wording.day(each["at"], zone)
    return {
        "shape": "diamond" if coming else each["shape"],
        "time": f"Coming {day}" if coming else day,
        "stamp": wording.stamp(each["at"]),
        "words": each["words"],
        "quiet": each["quiet"],
    }


def _test(test: Experiment, zone: str) -> list[dict[str, Any]]:
    end = test.started_date + timedelta(days=test.planned_days)
    address = f"/experiments/{quote(test.name, safe='')}"
    days = (
        (test.started_date, " began", "ribbon", f"Experiment · {test.owner}"),
        (end, ": nobody enters any more", "circle", "Experiment"),
        (
            end + timedelta(days=test.short.last_day),
            f": {test.short.label.lower()} can be read",
            "circle",
            "By then everyone has had the window of the short term",
        ),
        (
            end + timedelta(days=test.long.last_day),
            ": who came back can be read",
            "circle",
            "By then everyone has had the window of the long term",
        ),
    )
    return [
        {
            "at": day_start(day, zone),
            "shape": shape,
            "words": sentence(link(test.label, address), words),
            "quiet": quiet,
        }
        for day, words, shape, quiet in days
    ]


def _decision(each: Decision) -> dict[str, Any]:
    what = str(each.detail.get("what") or each.recommendation_id)
    quiet = f"Advice {VERDICTS[each.verdict]} by {each.decided_by}"
    return {
        "at": each.decided_time,
        "shape": "ribbon" if each.verdict == "accept" else "circle",
        "words": sentence(bold(what)),
        "quiet": f"{quiet} · {each.reason}" if each.reason else quiet,
    }


def _definitions(entry: Any) -> str:
    files = json.loads(entry.detail).get("files")
    return f" applied, {plural(files, 'file')}" if isinstance(files, int) else " applied"


_ACTIONS = {
    "definitions.apply": ("Definitions", _definitions),
    "source.add": ("Source", lambda entry: f" {entry.subject} added"),
    "source.set": ("Source", lambda entry: f" {entry.subject} changed"),
}


def _entry(each: Any) -> dict[str, Any]:
    noun, rest = _ACTIONS[each.action]
    return {
        "at": each.time,
        "shape": "circle",
        "words": sentence(bold(noun), rest(each)),
        "quiet": f"by {each.actor}",
    }


def held(view: View, decided: Sequence[Decision]) -> dict[str, Any]:
    """Return what is known of advice that was accepted: how much, and when it can be counted."""
    accepted = [each for each in decided if each.verdict == "accept"]
    if not accepted:
        return {
            "words": "No advice has been accepted yet. What is accepted is counted 28 days later, "
            "beside what was expected."
        }
    first = min(each.decided_time for each in accepted)
    ready = day_start(day_of(first, view.zone) + timedelta(days=MEASURED), view.zone)
    count = plural(len(accepted), "thing")
    if view.now < ready:
        return {
            "words": f"{count} accepted, none old enough: the first can be counted on "
            f"{wording.day(ready, view.zone)}."
        }
    return {
        "words": f"{count} accepted, the first 28 days or more ago. Whether it held cannot be told "
        "from one account alone; its page shows what it spent since."
    }
