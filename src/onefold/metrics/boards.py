"""Dashboards: questions that stand together under one name, as YAML in git or kept from a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from onefold.metrics.store import dashboard_texts as kept_texts
from onefold.metrics.store import drop_dashboard as drop
from onefold.metrics.store import keep_dashboard as keep
from onefold.model.documents import Fields, read_document
from onefold.model.errors import BadInput, Conflict, unknown

if TYPE_CHECKING:
    from onefold.store import State

__all__ = [
    "DAYS",
    "IN_GIT",
    "KEPT",
    "SHIPPED",
    "Dashboard",
    "Tile",
    "all_dashboards",
    "dashboard_named",
    "drop",
    "keep",
    "parse_dashboard",
    "text_of",
    "with_tile",
    "without_tile",
]

SHIPPED, IN_GIT, KEPT = "shipped", "definitions", "kept"
"""Where a dashboard comes from: with the product, from the folder, or from who keeps it here."""
DAYS = 28
LONGEST_DAYS = 800
MOST_TILES = 24
_NAME = "abcdefghijklmnopqrstuvwxyz0123456789_-"
_LONGEST_NAME = 60
_LONGEST_LABEL = 100

Known = Mapping[str, Mapping[str, bool]]
"""Question -> what it takes, as the calls of the house say -> whether that is a list."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One question of a dashboard.

    Attributes:
        ask: Which question, by the name of its call, such as `metric` or `funnel`.
        params: What it takes; texts and lists of texts.
        label: Its title; empty for the one that the question has by itself.
        days: Over the last so many whole days; 0 where `params` name the days themselves.
    """

    ask: str
    params: Mapping[str, str | tuple[str, ...]]
    label: str = ""
    days: int = DAYS

    def asked(self, today: date) -> dict[str, str | tuple[str, ...]]:
        """Return what the question takes, its days by their names."""
        if not self.days:
            return dict(self.params)
        first = today - timedelta(days=self.days)
        return {**self.params, "from": first.isoformat(), "to": today.isoformat()}


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Questions that stand together.

    Attributes:
        name: Of lower-case letters, digits, `-` and `_`; part of its address.
        label: Its title.
        description: What it is read for.
        owner: Who answers for it.
        version: Of its definition; one that is kept here grows by each change.
        tiles: Its questions, in their order.
        origin: `SHIPPED`, `IN_GIT` or `KEPT`.
    """

    name: str
    label: str
    description: str = ""
    owner: str = ""
    version: int = 1
    tiles: tuple[Tile, ...] = field(default=())
    origin: str = KEPT


def parse_dashboard(text: str, path: str, *, known: Known, origin: str = IN_GIT) -> Dashboard:
    """Return the dashboard that a YAML document defines.

    Args:
        text: The document.
        path: How complaints name the file.
        known: The questions that there are.
        origin: Where it comes from.

    Raises:
        BadInput: Something is missing, unknown or contradictory; with file, line and column.
    """
    fields = read_document(text, path)
    name = fields.text("dashboard")
    if len(name) > _LONGEST_NAME or not set(name) <= set(_NAME):
        fields.refuse(
            "dashboard",
            f"`{name[:_LONGEST_NAME]}` is no name of a dashboard.",
            f"Use at most {_LONGEST_NAME} lower-case letters, digits, - and _.",
        )
    told = Dashboard(
        name=name,
        label=_label(fields, name),
        description=fields.text("description", ""),
        owner=fields.text("owner", ""),
        version=fields.integer("version", 1, least=1),
        tiles=tuple(_tile(each, known) for each in fields.each("tiles")),
        origin=origin,
    )
    if len(told.tiles) > MOST_TILES:
        fields.refuse(
            "tiles",
            f"{len(told.tiles)} questions are more than {MOST_TILES}.",
            "Make two dashboards of them.",
        )
    fields.close()
    return told


def _label(fields: Fields, default: str) -> str:
    label = fields.text("label", default)
    if len(label) > _LONGEST_LABEL or not label.isprintable():
        fields.refuse(
            "label",
            f"`{label[:_LONGEST_LABEL]}` is no title.",
            f"Use at most {_LONGEST_LABEL} letters, none of them unseen.",
        )
    return label


def _tile(fields: Fields, known: Known) -> Tile:
    asked = fields.choice("ask", sorted(known))
    label = _label(fields, "") if "label" in fields else ""
    days = fields.integer("days", 0, least=1) if "days" in fields else 0
    if days > LONGEST_DAYS:
        fields.refuse("days", f"{days} days are more than {LONGEST_DAYS}.", "Ask for fewer.")
    given: dict[str, str | tuple[str, ...]] = {}
    for name, several in sorted(known[asked].items()):
        if name in fields:
            given[name] = fields.texts(name) if several else fields.text(name)
    if days and {"from", "to"} & set(given):
        fields.refuse("days", "`days` and `from` or `to` say it twice.", "Keep one of them.")
    fields.close()
    named = bool({"from", "to"} & set(given))
    return Tile(asked, given, label, 0 if named else days or DAYS)


def text_of(dashboard: Dashboard) -> str:
    """Return a dashboard as the YAML that `parse_dashboard` reads."""
    told: dict[str, object] = {"dashboard": dashboard.name, "label": dashboard.label}
    for name in ("description", "owner"):
        if value := getattr(dashboard, name):
            told[name] = value
    told["version"] = dashboard.version
    told["tiles"] = [_told(tile) for tile in dashboard.tiles]
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100)


def _told(tile: Tile) -> dict[str, object]:
    told: dict[str, object] = {"label": tile.label} if tile.label else {}
    told["ask"] = tile.ask
    for name, value in tile.params.items():
        told[name] = value if isinstance(value, str) else list(value)
    return {**told, "days": tile.days} if tile.days else told


def with_tile(dashboard: Dashboard, tile: Tile) -> Dashboard:
    """Return a dashboard with one more question at its end, of the next version.

    Raises:
        Conflict: It is full, or asks this already.
    """
    if tile in dashboard.tiles:
        raise Conflict(
            f"`{dashboard.label}` asks this already.", "Change the question, or take another one."
        )
    if len(dashboard.tiles) >= MOST_TILES:
        message = f"`{dashboard.label}` has {MOST_TILES} questions already."
        raise Conflict(message, "Take one off it, or begin another dashboard.")
    return _next(dashboard, (*dashboard.tiles, tile))


def without_tile(dashboard: Dashboard, place: int) -> Dashboard:
    """Return a dashboard without the question at a place (from 1), of the next version.

    Raises:
        BadInput: Nothing stands at that place.
    """
    if not 1 <= place <= len(dashboard.tiles):
        message = f"`{dashboard.label}` has no question {place}."
        raise BadInput(message, f"It has {len(dashboard.tiles)}, counted from 1.")
    rest = dashboard.tiles[: place - 1] + dashboard.tiles[place:]
    return _next(dashboard, rest)


def _next(dashboard: Dashboard, tiles: Sequence[Tile]) -> Dashboard:
    return Dashboard(
        dashboard.name,
        dashboard.label,
        dashboard.description,
        dashboard.owner,
        dashboard.version + 1,
        tuple(tiles),
        KEPT,
    )


def all_dashboards(
    folder: Path | None, state: "State | None", *, known: Known
) -> dict[str, Dashboard]:
    """Return all dashboards by name: those shipped, those kept, and those of a folder, which win.

    Raises:
        BadInput: A file cannot be used, or two files define the same name.
    """
    asked = tuple((name, tuple(sorted(takes.items()))) for name, takes in sorted(known.items()))
    shipped = [_read(text, path, asked, SHIPPED) for path, text in _shipped().items()]
    found = {one.name: one for one in shipped}
    for name, text in kept_texts(state).items() if state else ():
        found[name] = _read(text, f"dashboard {name}", asked, KEPT)
    seen: dict[str, str] = {}
    for path in sorted(folder.glob("*.y*ml")) if folder else ():
        place = f"{path.parent.name}/{path.name}"
        one = _read(path.read_text(encoding="utf-8"), place, asked, IN_GIT)
        if one.name in seen:
            raise BadInput(
                f"{path.name} and {seen[one.name]} both define `{one.name}`.",
                "Give one of them another name.",
            )
        seen[one.name] = path.name
        found[one.name] = one
    return found


@lru_cache(maxsize=256)
def _read(
    text: str, path: str, known: tuple[tuple[str, tuple[tuple[str, bool], ...]], ...], origin: str
) -> Dashboard:
    """Return a dashboard that was perhaps read before: every page that asks lists them."""
    takes = {name: dict(params) for name, params in known}
    return parse_dashboard(text, path, known=takes, origin=origin)


@lru_cache(maxsize=1)
def _shipped() -> dict[str, str]:
    folder = files("onefold.metrics") / "shipped"
    return {
        f"shipped/{item.name}": item.read_text(encoding="utf-8")
        for item in sorted(folder.iterdir(), key=lambda one: one.name)
    }


def dashboard_named(dashboards: Mapping[str, Dashboard], name: str) -> Dashboard:
    """Return the dashboard of a name.

    Raises:
        NotFound: There is none.
    """
    if name not in dashboards:
        raise unknown("dashboard", name, dashboards)
    return dashboards[name]
