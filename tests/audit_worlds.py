"""Small markets without any dirt, and defects of instrumentation planted into them."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from onefold.collect import catalogues, make_catalogue, receive, sources
from onefold.model.records import OWNER, Question
from onefold.model.time import DAY, parse_time
from onefold.runtime import Workspace, create_workspace
from onefold.runtime.auditing import instrumentation
from onefold.simulate import Market, MarketPlan, behaviour, make_market, wire, write_demo_files

END = parse_time("2026-11-22T09:13:20Z")
TODAY = END // DAY * DAY
JOURNEY = "journey: keep\nsteps: [pin_opened, pin_saved]\n"
_DIRT = (behaviour.MISSPELT, behaviour.BAD_CLICK, behaviour.BAD_SEARCH, behaviour.BAD_OPEN)

Plant = Callable[[dict[str, Any], float], Iterable[dict[str, Any]]]
"""An event as it would be sent and how many days ago; the events that are sent in its place."""


def as_it_is(event: dict[str, Any], _ago: float) -> Iterable[dict[str, Any]]:
    """Return an event as it would be sent."""
    return (event,)


def clean_market(seed: int, *, people: int = 500, days: int = 56) -> Market:
    """Return a market that sends nothing broken, misspelt or dated ahead."""
    plan = MarketPlan(end_time=END, people=people, days=days, seed=seed, accounts=60, depth=0.3)
    market = make_market(plan)
    sent = market.sent
    sound = ~np.isin(sent.events.kind[sent.place], _DIRT)
    market.__dict__["sent"] = replace(sent, place=sent.place[sound], arrival=sent.arrival[sound])
    return market


@contextmanager
def audited_world(
    seed: int, *, plant: Plant = as_it_is, people: int = 500, **definitions: str
) -> Iterable[Workspace]:
    """Open a workspace that has taken in a market, with what is planted.

    Args:
        seed: Of the market.
        plant: What becomes of each event.
        people: How many there are.
        definitions: Event -> its YAML, in place of the market's own; empty to have none.
    """
    folder = Path(tempfile.mkdtemp(prefix="onefold-audit-")) / "world"
    create_workspace(folder, basis="notice")
    market = clean_market(seed, people=people)
    write_demo_files(market, folder)
    events = folder / "definitions" / "events"
    for name, text in definitions.items():
        (events / f"{name}.yaml").write_text(text) if text else (events / f"{name}.yaml").unlink()
    (folder / "definitions" / "journeys").mkdir(exist_ok=True)
    (folder / "definitions" / "journeys" / "keep.yaml").write_text(JOURNEY)
    workspace = Workspace(folder, clock=lambda: END)
    try:
        workspace.apply_definitions()
        # A request is received as a whole: large ones would move a small world's events a day.
        with patch.object(wire, "BATCH", 5):
            workspace.log.append(list(_rows(workspace, market, plant)))
        workspace.catch_up()
        yield workspace
    finally:
        workspace.close()
        shutil.rmtree(folder.parent)


def _rows(workspace: Workspace, market: Market, plant: Plant) -> Iterable[Any]:
    source = sources.list_sources(workspace.state)[0]
    folder = workspace.folder / "definitions" / "events"
    catalogue = make_catalogue((p.name, p.read_text()) for p in sorted(folder.glob("*.yaml")))
    for request in market.requests():
        batch = json.loads(request.body)
        ago = (END - request.received_time) / DAY
        batch["batch"] = [one for event in batch["batch"] for one in plant(event, ago)]
        receipt = receive(
            source,
            dialect="segment",
            route="batch",
            body=json.dumps(batch).encode(),
            received_time=request.received_time,
            catalogue=catalogue,
        )
        if receipt.row is not None:
            yield receipt.row


def audit_of(workspace: Workspace) -> catalogues.audits.Audit:
    """Return the audit of a workspace, as its owner asks for it."""
    return instrumentation(workspace, workspace.view(Question(OWNER)))
