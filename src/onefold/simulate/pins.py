"""What the pinboard page shows: pins with drawn pictures, boards, ads; no image from outside."""

import math
from typing import Any

import numpy as np

from onefold.simulate.advertisers import make_advertisers
from onefold.simulate.catalogue import QUERIES, TOPICS, Items, make_items
from onefold.simulate.names import account_name
from onefold.simulate.records import MarketPlan
from onefold.simulate.streams import ACCOUNTS, ITEMS, PICTURES, stream

SHOWN = 60
ADS = 8
WIDTH = 240
PALETTES = {
    "kitchen": ("#c8553d", "#f2d7b6", "#588b8b"),
    "garden": ("#386641", "#e9edc9", "#bc6c25"),
    "knitting": ("#7d5a8c", "#f0e4f2", "#d98c5f"),
    "travel": ("#27476e", "#dbe7f2", "#e0a458"),
    "lighting": ("#3a3335", "#f6e7cb", "#e3a72f"),
    "baking": ("#9c6644", "#f7ebe1", "#7f5539"),
    "bicycles": ("#1f6f78", "#e3f0ee", "#d1495b"),
    "posters": ("#b5384b", "#fdf0e7", "#2e5266"),
}
BOARDS = ("Kitchen, some day", "Balcony", "To knit", "Small trips")


def pinboard(
    seed: int, *, people: int = 20_000, days: int = 60, accounts: int | None = None
) -> dict[str, Any]:
    """Return pins, boards and ads for the pinboard page, with the ids of the market's history.

    The same seed and sizes give the same content. Pictures are inline SVG with plain
    attributes, fit for a strict content security policy.

    >>> sorted(pinboard(7))
    ['ads', 'boards', 'creators', 'items', 'queries', 'topics']
    """
    plan = MarketPlan(end_time=0, people=people, days=days, seed=seed, accounts=accounts)
    items = make_items(people, stream(plan, ITEMS))
    chance = stream(plan, PICTURES)
    shown = [_item(items, place, chance) for place in range(SHOWN)]
    creators = sorted({(one["creator_id"], one["creator"]) for one in shown})
    return {
        "items": shown,
        "boards": [
            {
                "board_id": f"board-{number}",
                "name": name,
                "item_ids": [f"i{n}" for n in chance.choice(SHOWN, 5, replace=False).tolist()],
            }
            for number, name in enumerate(BOARDS)
        ],
        "ads": _ads(plan, items, chance),
        "creators": [{"creator_id": key, "name": name} for key, name in creators],
        "queries": list(QUERIES),
        "topics": list(TOPICS),
    }


def _item(items: Items, place: int, chance: np.random.Generator) -> dict[str, Any]:
    topic = items.topics[place]
    creator = int(items.creator[place])
    height = int(chance.integers(9, 18)) * 20
    first, second, _ = PALETTES[topic]
    return {
        "item_id": f"i{place}",
        "title": items.titles[place],
        "colour": first,
        "colour2": second,
        "creator_id": f"c{creator}",
        "creator": items.creators[creator],
        "topic": topic,
        "svg": _picture(topic, items.titles[place], height, chance),
        "width": WIDTH,
        "height": height,
    }


def _ads(plan: MarketPlan, items: Items, chance: np.random.Generator) -> list[dict[str, Any]]:
    """Return one ad each of the first accounts that run campaigns now."""
    advertisers = make_advertisers(plan, stream(plan, ACCOUNTS))
    running = np.flatnonzero(advertisers.spend[:, -1] > 0)[:ADS].tolist()
    first_campaign = advertisers.campaigns.cumsum() - advertisers.campaigns
    found = []
    for account in running:
        campaign = int(first_campaign[account])
        place = campaign * 7 % len(items.creator)
        found.append(
            {
                "campaign_id": f"cmp-{campaign}",
                "account_id": f"acc-{account}",
                "item_id": f"i{place}",
                "title": items.titles[place],
                "advertiser": account_name(account),
                "svg": _picture(items.topics[place], items.titles[place], 200, chance),
                "width": WIDTH,
                "height": 200,
                "revenue": round(0.3 + 0.05 * int(chance.integers(0, 12)), 2),
                "currency": "USD",
            }
        )
    return found


def _picture(topic: str, title: str, height: int, chance: np.random.Generator) -> str:
    """Return a drawing: a ground, a horizon and a few shapes in the topic's colours."""
    ink, ground, accent = PALETTES[topic]
    shapes = [f'<rect width="{WIDTH}" height="{height}" fill="{ground}"/>']
    horizon = int(height * (0.55 + 0.2 * chance.random()))
    shapes.append(
        f'<rect y="{horizon}" width="{WIDTH}" height="{height - horizon}" fill="{ink}" '
        'opacity="0.16"/>'
    )
    drawing = (_suns, _arches, _rows, _leaves)[int(chance.integers(0, 4))]
    shapes += drawing(height, horizon, (ink, accent), chance)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" aria-label="{title}">'
        + "".join(shapes)
        + "</svg>"
    )


def _suns(
    height: int, horizon: int, inks: tuple[str, str], chance: np.random.Generator
) -> list[str]:
    x, radius = int(chance.integers(60, 180)), int(chance.integers(28, 56))
    waves = [
        f'<path d="M0 {y} Q60 {y - 12} 120 {y} T240 {y}" fill="none" stroke="{inks[0]}" '
        'stroke-width="3"/>'
        for y in range(horizon + 12, height, 18)
    ]
    return [f'<circle cx="{x}" cy="{horizon - radius}" r="{radius}" fill="{inks[1]}"/>', *waves]


def _arches(_: int, horizon: int, inks: tuple[str, str], chance: np.random.Generator) -> list[str]:
    drawn = []
    for place in range(3):
        x, wide = 24 + place * 68, 52
        top = horizon - int(chance.integers(40, 90))
        drawn.append(
            f'<path d="M{x} {horizon} V{top} a{wide // 2} {wide // 2} 0 0 1 {wide} 0 '
            f'V{horizon} Z" fill="{inks[place % 2]}"/>'
        )
    return drawn


def _rows(height: int, _: int, inks: tuple[str, str], chance: np.random.Generator) -> list[str]:
    drawn = []
    for row, y in enumerate(range(24, height - 30, 38)):
        for column in range(5):
            size = int(chance.integers(10, 17))
            drawn.append(
                f'<rect x="{20 + column * 42}" y="{y}" width="{size * 2}" height="{size * 2}" '
                f'rx="{size if (row + column) % 2 else 3}" fill="{inks[(row + column) % 2]}"/>'
            )
    return drawn


def _leaves(
    height: int, horizon: int, inks: tuple[str, str], chance: np.random.Generator
) -> list[str]:
    drawn = [
        f'<path d="M120 {height} V{horizon - 70}" stroke="{inks[0]}" stroke-width="5" fill="none"/>'
    ]
    for place in range(7):
        angle = math.pi * (0.15 + 0.7 * place / 6)
        reach = int(chance.integers(48, 84))
        x = 120 + round(math.cos(angle) * reach)
        y = horizon - round(math.sin(angle) * reach)
        drawn.append(
            f'<path d="M120 {horizon} Q{x} {horizon} {x} {y} Q120 {y} 120 {horizon} Z" '
            f'fill="{inks[place % 2]}" opacity="0.85"/>'
        )
    return drawn
