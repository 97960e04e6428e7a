"""The demo: a simulated market whose truth is known, loaded, measured, served, with traffic."""

import json
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from onefold.cli.options import Terms, command, terms
from onefold.cli.show import note, show, show_progress, warn
from onefold.model.errors import BadInput

if TYPE_CHECKING:
    from onefold.cli.demo_serving import Serving
    from onefold.cli.demo_world import World

FOLDER = Path("onefold-demo")
_MOST_PEOPLE = 1_000_000
_MOST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a demo is made."""

    people: int
    days: int
    seed: int


@command("demo")
@click.option("--check", is_flag=True, help="Load, serve, ask every page, and end.")
@click.option("--people", default=20_000, show_default=True, help="Members of the market.")
@click.option("--days", default=60, show_default=True, help="Days of history.")
@click.option("--seed", default=7, show_default=True, help="Another seed is another market.")
@click.option("--port", type=int, help="Where to serve. Default: 8000; with --check a free one.")
def demo_command(*, check: bool, people: int, days: int, seed: int, port: int | None) -> int:
    """Make a workspace with a simulated market, load it, serve it, keep traffic coming.

    The workspace is the folder onefold-demo, or that of -w; a demo that stands there is made
    anew. Its truth is kept beside it, in demo/truth.json. With --check nothing stays: the folder
    is a temporary one and all ends once every page has answered.
    """
    from onefold.cli.demo_serving import free_port

    given = terms()
    _within("--people", people, _MOST_PEOPLE)
    _within("--days", days, _MOST_DAYS)
    sizes = Sizes(people, days, seed)
    with _ended_by_signals(), _folder(given, check=check) as folder:
        place = free_port(port if port is not None else 0 if check else 8000)
        return _check(folder, sizes, place, given) if check else _stay(folder, sizes, place, given)


def _within(option: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise BadInput(f"{option} is {value}.", f"Give a number from 1 to {most:,}.")


def _stay(folder: Path, sizes: Sizes, port: int, given: Terms) -> int:
    from onefold.cli.demo_serving import serving
    from onefold.cli.demo_world import make_world

    with show_progress() as progress:
        world = make_world(folder, sizes, progress)
    # Whoever sees the demo ends it by Ctrl-C, so that is no failure.
    with (
        suppress(KeyboardInterrupt),
        serving(folder, port) as served,
        _traffic(served, world, sizes),
    ):
        address = served.address + world.sign_in_path
        if given.as_json:
            show({"workspace": str(folder), "sign_in": address, "counts": world.counts}, given)
            sys.stdout.flush()
        else:
            _greet(address, folder, world)
        served.wait()
    return 0


def _greet(address: str, folder: Path, world: "World") -> None:
    click.echo(f"\nThe market is loaded: {world.counts['events']:,} events of ", nl=False)
    click.echo(f"{world.counts['persons']:,} people, in {world.seconds:.0f} seconds.")
    click.echo(f"Sign in (this link works once): {click.style(address, bold=True)}")
    note(f"Workspace {folder}; its write key is {world.write_key}. Ctrl-C ends it.")


@contextmanager
def _traffic(served: "Serving", world: "World", sizes: Sizes) -> Iterator[None]:
    """Keep a few visitors coming, through the Segment SDK, until the demo ends."""
    from onefold.simulate import live_traffic

    stop = threading.Event()
    content = json.loads((world.folder / "demo" / "pinboard.json").read_text("utf-8"))

    def run() -> None:
        live_traffic(served.address, world.write_key, stop=stop, seed=sizes.seed, content=content)

    thread = threading.Thread(target=run, name="visitors", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _check(folder: Path, sizes: Sizes, port: int, given: Terms) -> int:
    from onefold.cli.demo_check import ask_pages
    from onefold.cli.demo_serving import serving
    from onefold.cli.demo_world import make_world

    with show_progress() as progress:
        world = make_world(folder, sizes, progress)
    with serving(folder, port) as served:
        pages = ask_pages(served.address, world)
    body: dict[str, Any] = {
        "pages": [page.as_dict() for page in pages],
        "counts": world.counts,
        "truth": world.truth,
        "seconds": round(world.seconds, 1),
    }
    show(body if given.as_json else {**body, "truth": _in_short(world.truth)}, given)
    bad = [page for page in pages if not page.good]
    for page in bad:
        warn(f"{page.address} answered {page.status}{': ' + page.why if page.why else ''}")
    return 1 if bad else 0


def _in_short(truth: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what fits on a terminal: each truth beside what was measured."""
    names = ("id", "unit", "truth", "estimate", "low", "high", "covered", "verdict")
    return [{name: row[name] for name in names} for row in truth]


@contextmanager
def _folder(given: Terms, *, check: bool) -> Iterator[Path]:
    from onefold.cli.demo_world import cleared

    if given.folder != Path():
        yield cleared(given.folder)
    elif check:
        with tempfile.TemporaryDirectory(prefix="onefold-demo-") as made:
            yield Path(made) / "workspace"
    else:
        yield cleared(FOLDER)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a request to terminate end the demo as Ctrl-C does, so that nothing is left behind."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except RuntimeError as error:
        # The engine tells of a signal that came while it was at work in words of its own.
        if "interrupted" in str(error):
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGTERM, former)
