"""The world of a demo: made, loaded through the intake, imported, measured against its truth."""

import gc
import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from onefold.cli.reach import is_served
from onefold.cli.show import Progress
from onefold.collect import sources
from onefold.experiments import load_experiments
from onefold.model.errors import Conflict
from onefold.model.records import OWNER, Question
from onefold.model.time import now
from onefold.runtime import Workspace, call, create_workspace, open_workspace
from onefold.simulate import (
    DemoFiles,
    Market,
    MarketPlan,
    load_history,
    make_market,
    truth_report,
    write_demo_files,
)

TRUTH = Path("demo") / "truth.json"
NAME = "Pinmarket"
_PAUSE_SECONDS = 0.02
_TURN_SECONDS = 0.0005
_AT_ONCE = 40_000_000
"""Bytes of history in a transaction: the engine writes whole row groups straight to its file."""


class Sized(Protocol):
    """How large a demo is made."""

    @property
    def people(self) -> int: ...
    @property
    def days(self) -> int: ...
    @property
    def seed(self) -> int: ...


@dataclass(frozen=True, slots=True)
class World:
    """A demo that is loaded.

    Attributes:
        folder: Its workspace.
        write_key: Of its first source.
        api_key: Of its owner.
        sign_in_path: Opens the pages once.
        counts: How much of what there is.
        truth: Each planted truth beside what was measured.
        samples: One of each kind that has a page: person, account, experiment, campaign, metric,
            segment and so on.
        seconds: How long it took to make.
    """

    folder: Path
    write_key: str
    api_key: str
    sign_in_path: str
    counts: dict[str, int]
    truth: list[dict[str, Any]]
    samples: dict[str, str]
    seconds: float


def cleared(folder: Path) -> Path:
    """Return the folder of a demo, made free of an earlier one.

    Raises:
        Conflict: It holds something else, or a server still serves it.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return folder
    if not (folder / TRUTH).is_file():
        fix = "Name a new folder with -w; the demo never overwrites anything but a demo."
        raise Conflict(f"{folder} holds something that is no demo.", fix)
    if is_served(folder):
        raise Conflict(f"{folder} is being served.", "End that server, or name another folder.")
    shutil.rmtree(folder)
    return folder


def make_world(folder: Path, sizes: Sized, progress: Progress) -> World:
    """Return a demo world: its history loaded and folded, its records in, its truth measured."""
    began = time.monotonic()
    made = create_workspace(folder, name=NAME)
    plan = MarketPlan(people=sizes.people, days=sizes.days, seed=sizes.seed, end_time=now())
    market = make_market(plan)
    files = write_demo_files(market, folder)
    workspace = open_workspace(folder)
    try:
        _load(workspace, market, progress)
        _import(workspace, files, progress)
        workspace.catch_up(progress)
        truth = _measure(workspace)
        counts = _counts(workspace)
        samples = _samples(workspace)
    finally:
        workspace.close()
    return World(
        folder=folder,
        write_key=made.write_key,
        api_key=made.api_key,
        sign_in_path=made.sign_in_path,
        counts=counts,
        truth=truth,
        samples=samples,
        seconds=time.monotonic() - began,
    )


def _load(workspace: Workspace, market: Market, progress: Progress) -> None:
    source = sources.list_sources(workspace.state)[0]

    with _lazy_collector(), _ready_switching():
        with _folding(workspace):
            load_history(market, source=source, append=workspace.log.append, progress=progress)
        workspace.catch_up(progress, most_bytes=_AT_ONCE)


@contextmanager
def _folding(workspace: Workspace) -> Iterator[None]:
    """Fold what comes into the log meanwhile, as a served workspace does."""
    ended = threading.Event()

    def fold() -> None:
        while not ended.is_set():
            if not workspace.step(most_bytes=_AT_ONCE):
                ended.wait(_PAUSE_SECONDS)

    with ThreadPoolExecutor(1, "folds") as pool:
        folding = pool.submit(fold)
        try:
            yield
        finally:
            ended.set()
        folding.result()


@contextmanager
def _ready_switching() -> Iterator[None]:
    """Let threads take turns often: whoever waits for disk or pipe has little to do after it."""
    former = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(former)


@contextmanager
def _lazy_collector() -> Iterator[None]:
    """Let the collector look seldom: what a fold makes dies by count alone, millions a minute."""
    former = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*former)
        gc.unfreeze()


def _import(workspace: Workspace, files: DemoFiles, progress: Progress) -> None:
    for done, mapping in enumerate(files.mappings):
        progress("Importing records", done, len(files.mappings))
        call(workspace, OWNER, "import", {"mapping": str(mapping.resolve())})
    progress("Importing records", len(files.mappings), len(files.mappings))


def _measure(workspace: Workspace) -> list[dict[str, Any]]:
    """Measure the planted truths as any page would, and keep it where the truth page reads it."""
    demo = workspace.folder / "demo"
    truth = json.loads((demo / "truth.json").read_text("utf-8"))
    view = workspace.view(Question(asker=OWNER))
    experiments = load_experiments(workspace.definitions / "experiments")
    said = truth_report(view, truth, experiments=experiments).as_dict()
    (demo / "measured.json").write_text(json.dumps(said, indent=1), "utf-8")
    rows: list[dict[str, Any]] = said["rows"]
    return rows


def _counts(workspace: Workspace) -> dict[str, int]:
    view = workspace.view(Question(asker=OWNER))
    counts = {
        name: int(view.ask(table.count().name("n").as_table()).column("n")[0].as_py())
        for name, table in (
            ("events", view.events),
            ("sessions", view.sessions),
            ("identifiers", view.identifiers),
            ("accounts", view.accounts),
            ("spend", view.spend),
            ("tickets", view.tickets),
            ("interactions", view.interactions),
            ("quarantine", view.quarantine),
        )
    }
    persons = view.identifiers.person_id.nunique().name("n").as_table()
    return {"persons": int(view.ask(persons).column("n")[0].as_py()), **counts}


_TRACE = f"{1:032x}"
"""A trace of which the demo knows nothing; its page says so."""


def _samples(workspace: Workspace) -> dict[str, str]:
    """Return one of each kind that has a page of its own."""
    view = workspace.view(Question(asker=OWNER))
    known = view.identifiers.filter(view.identifiers.kind == "user_id")
    paid = view.events.filter(view.events.event == "ad_clicked")
    spent = view.spend.group_by("account_id").aggregate(most=view.spend.amount_micros.sum())
    found = {
        "person": known.select("person_id").order_by("person_id").limit(1),
        "account": spent.order_by(spent.most.desc()).select("account_id").limit(1),
        "campaign": paid.select("p_campaign_id").limit(1),
    }
    samples = {}
    for kind, question in found.items():
        rows = view.ask(question)
        if rows.num_rows:
            samples[kind] = str(rows.column(0)[0].as_py())
    experiments = load_experiments(workspace.definitions / "experiments")
    segments = (workspace.definitions / "segments").glob("*.yaml")
    named = {"metric": "click_rate", "dashboards": "market", "trace": _TRACE}
    named |= {"experiment": next(iter(experiments)), "segments": min(one.stem for one in segments)}
    return samples | named
