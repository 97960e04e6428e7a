"""Definitions of metrics as they held: a changed one is a new version, and figures say which."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from onefold.metrics.composing import composed
from onefold.metrics.define import load_metrics, parse_metric
from onefold.metrics.records import IN_GIT, KEPT, SHIPPED, Answering, Metric, Standing
from onefold.metrics.store import add_version, version_rows, vouch
from onefold.model.errors import BadInput, OnefoldError
from onefold.model.time import day_of

if TYPE_CHECKING:
    from pathlib import Path

    from onefold.store import State

__all__ = [
    "Held",
    "add_version",
    "changed",
    "check",
    "check_next",
    "composed",
    "content_of",
    "held",
    "kept_here",
    "parse_metric",
    "plain",
    "standing",
    "vouch",
    "vouched",
]


@dataclass(frozen=True, slots=True)
class Held:
    """A definition of a metric as it was applied.

    Attributes:
        id: Its row, growing with time.
        name: Of the metric.
        version: That it says to be.
        text: Its YAML; empty where the metric was taken out of the folder.
        by: Who applied it.
        time: When, microseconds.
        certified_by: Who vouched for it without a draft; empty where nobody did.
        draft: The draft that asks somebody to vouch for it; None without.
        kept: Whether it was made on a page, and stands in no file.
    """

    id: int
    name: str
    version: int
    text: str
    by: str
    time: int
    certified_by: str = ""
    draft: int | None = None
    kept: bool = False

    @property
    def metric(self) -> Metric | None:
        """Return what it defines; None where it is gone, or can no longer be read."""
        return _read(self.text) if self.text else None


def held(state: "State", name: str = "") -> tuple[Held, ...]:
    """Return the definitions that held, the oldest first; of a metric its own."""
    return tuple(
        Held(
            id=row["id"],
            name=row["name"],
            version=row["version"],
            text=row["text"],
            by=row["applied_by"],
            time=row["applied_time"],
            certified_by=row["certified_by"],
            draft=row["draft"],
            kept=row["kept"],
        )
        for row in version_rows(state, name)
    )


def check(folder: "Path", held_before: Iterable[Held]) -> None:
    """Refuse a definition that counts something else under the version of another.

    Args:
        folder: Where the definitions of metrics stand.
        held_before: What held, as `held` returns it.

    Raises:
        BadInput: A version is not the next one; it names the metric and the version to write.
    """
    known: dict[str, list[Held]] = {}
    for one in held_before:
        if not one.kept:
            known.setdefault(one.name, []).append(one)
    shipped = load_metrics()
    for name, metric in load_metrics(folder).items():
        if name in known and shipped.get(name) != metric:
            check_next(metric, known[name])


def check_next(metric: Metric, of_it: Sequence[Held]) -> None:
    """Refuse a definition that counts something else under the version of another.

    Args:
        metric: What is to hold.
        of_it: What held under its name, the oldest first.

    Raises:
        BadInput: Its version is not the next one; it says which to write.
    """
    newest = max((one.version for one in of_it), default=0)
    fix = f"Write `version: {newest + 1}` in its definition."
    if metric.version < newest:
        message = f"`{metric.name}` is version {metric.version}, and version {newest} held already."
        raise BadInput(message, fix)
    same = [one for one in of_it if one.version == metric.version and one.metric]
    if same and meaning_of(same[-1].metric) != meaning_of(metric):
        message = f"`{metric.name}` counts otherwise than its version {newest} that was applied."
        raise BadInput(message, fix)


def kept_here(held_before: Iterable[Held]) -> dict[str, Metric]:
    """Return the metrics that were made on a page and stand in no file, by name."""
    latest = {one.name: one for one in held_before if one.kept}
    return {name: one.metric for name, one in latest.items() if one.metric is not None}


def changed(
    files: Mapping[str, str], held_before: Iterable[Held]
) -> tuple[tuple[str, int, str], ...]:
    """Return (name, version, text) of each definition that is not the one that holds.

    Args:
        files: Texts of the definitions by their path in the folder; those of metrics are meant.
        held_before: What held, the oldest first.
    """
    latest = {one.name: one for one in held_before if not one.kept}
    found: list[tuple[str, int, str]] = []
    said: set[str] = set()
    for path, text in sorted(files.items()):
        if not path.startswith("metrics/"):
            continue
        metric = _read(text)
        if metric is None:
            continue
        said.add(metric.name)
        if metric.name not in latest or latest[metric.name].metric != metric:
            found.append((metric.name, metric.version, text))
    gone = [one for name, one in latest.items() if one.text and name not in said]
    return (*found, *((one.name, one.version, "") for one in gone))


def standing(metric: Metric, of_it: tuple[Held, ...], *, zone: str) -> Standing:
    """Return how the definition of a metric stands, but for who signed a draft.

    Args:
        metric: As the folder or Onefold defines it.
        of_it: What held under its name, the oldest first.
        zone: Of the day from which it has held.
    """
    if load_metrics().get(metric.name) == metric:
        return Standing(SHIPPED)
    if not of_it or of_it[-1].metric != metric:
        return Standing(IN_GIT)
    origin = KEPT if of_it[-1].kept else IN_GIT
    first, before = of_it[-1], 0
    for one in reversed(of_it):
        if one.text and one.version != metric.version:
            before = one.version
            break
        first = one
    return Standing(origin, day_of(first.time, zone), before, vouched(of_it[-1], of_it))


def vouched(one: Held, of_it: Iterable[Held]) -> str:
    """Return who vouched for just this definition without a draft, then or formerly."""
    return next((each.certified_by for each in of_it if each.certified_by and _same(each, one)), "")


def plain(metric: Metric) -> Metric:
    """Return a metric as its definition alone says it."""
    return replace(metric, standing=Standing())


def content_of(metric: Metric) -> bytes:
    """Return all that a definition says, as what is signed is known again."""
    return msgspec.json.encode(plain(metric))


def meaning_of(metric: Metric | None) -> bytes:
    """Return what figures follow from: no words, no names, no version."""
    if metric is None:
        return b""
    told = replace(metric, label="", description="", owner="", decision="")
    return content_of(replace(told, version=1, answering=Answering()))


def _same(one: Held, other: Held) -> bool:
    return bool(one.text) and one.metric == other.metric


@lru_cache(maxsize=512)
def _read(text: str) -> Metric | None:
    """Return the metric of a text that held; None where this version reads it no more."""
    try:
        return parse_metric(text, "held")
    except OnefoldError:
        return None
