"""One small market from seed to figures: intake, log, folds and View, then every estimator."""

import shutil
import tempfile
from pathlib import Path

from onefold.collect import sources
from onefold.experiments import load_experiments
from onefold.model.records import OWNER, Question
from onefold.model.time import parse_time
from onefold.runtime import Workspace, create_workspace
from onefold.simulate import MarketPlan, load_history, make_market, truth_report, write_demo_files

END = parse_time("2026-11-22T09:13:20Z")


def world_plan(seed: int) -> MarketPlan:
    """Return a market small enough to be made hundreds of times, with accounts enough."""
    return MarketPlan(
        end_time=END,
        people=400,
        days=40,
        seed=seed,
        accounts=240,
        depth=0.1,
        existing_share=0.05,
        rush=0.95,
    )


def open_world(seed: int, folder: Path) -> tuple[Workspace, dict]:
    """Return a workspace that has taken in the whole of a small market, and its truth."""
    create_workspace(folder)
    market = make_market(world_plan(seed))
    files = write_demo_files(market, folder)
    workspace = Workspace(folder, clock=lambda: END)
    workspace.apply_definitions()
    source = sources.list_sources(workspace.state)[0]
    load_history(market, source=source, append=workspace.log.append, aside=False)
    for mapping in files.mappings:
        bring_in(workspace, mapping)
    workspace.catch_up()
    return workspace, market.truth


def bring_in(workspace: Workspace, mapping: Path) -> None:
    """Import a file as `onefold import` does."""
    from onefold.collect import imports

    imports.run(workspace, mapping)


def read_world(seed: int) -> list[dict]:
    """Return each planted truth of one world with what was measured of it."""
    folder = Path(tempfile.mkdtemp(prefix="onefold-world-")) / "world"
    try:
        workspace, truth = open_world(seed, folder)
        try:
            experiments = load_experiments(folder / "definitions" / "experiments")
            view = workspace.view(Question(OWNER))
            report = truth_report(view, truth, experiments=experiments, seed=seed)
        finally:
            workspace.close()
    finally:
        shutil.rmtree(folder.parent)
    return [row.as_dict() for row in report.rows]
