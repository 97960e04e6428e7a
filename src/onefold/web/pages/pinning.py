"""A question of a page as its call takes it, and the form that puts it on a dashboard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from onefold.governance import may
from onefold.model.time import day_of, parse_date
from onefold.model.words import plural
from onefold.runtime import call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

PATH = "/explore/dashboards"
QUESTIONS = (
    "distribution",
    "economics",
    "funnel",
    "lifecycle",
    "metric",
    "paths",
    "retention",
    "stickiness",
)
"""Questions that have a page of their own under Explore."""


def taken_of(asked: str, params: Mapping[str, str]) -> dict[str, Any]:
    """Return what the call of a question takes, from the parts of its page's address.

    >>> taken_of("funnel", {"events": "seen, saved", "by": ""})
    {'events': ['seen', 'saved']}
    """
    given: dict[str, Any] = {name: value for name, value in params.items() if value}
    if asked in {"economics", "metric"}:
        given["name"] = given.pop("metric", "")
    if asked == "metric" and given.get("every") == "none":
        del given["every"]
    if asked == "funnel":
        given["events"] = [name.strip() for name in given.get("events", "").split(",")]
    listed = {"paths": "skip", "distribution": "edges"}.get(asked, "")
    if listed in given:
        given[listed] = [name for name in map(str.strip, given[listed].split(",")) if name]
    return given


def pinning(
    workspace: Workspace, asker: Asker, asked: str, params: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return what the form shows and sends; None for who may keep no dashboards.

    Days that end today move on: the dashboard asks over the last so many.

    Args:
        workspace: Of which workspace.
        asker: Who looks.
        asked: Which question, by the name of its call.
        params: The parts of the page's address.
    """
    if not may(asker, "compose"):
        return None
    given = dict(params)
    today = day_of(workspace.clock(), workspace.settings.zone).isoformat()
    days = 0
    if given.get("to") == today and "from" in given:
        days = (parse_date(given.pop("to")) - parse_date(given.pop("from"))).days
    given = taken_of(asked, given)
    listed = call(workspace, asker, "dashboard list", {}).body["rows"]
    return {
        "path": PATH,
        "question": json.dumps({"ask": asked, "params": given, "days": days}),
        "names": [name for name, _, origin, *_ in listed if origin != "definitions"],
        "days": f"the last {plural(days, 'day')}, whenever one looks" if days else "these days",
    }
