"""The things of the market: words, topics, items, creators, countries, names of people."""

from dataclasses import dataclass

import numpy as np

from onefold.simulate.records import Ints

TOPICS = {
    "kitchen": ("oak shelf", "tiled splashback", "copper pan rail", "pantry jars", "small sink"),
    "garden": ("raised bed", "gravel path", "climbing rose", "cold frame", "bean arch"),
    "knitting": ("cable sweater", "baby blanket", "ribbed hat", "lace shawl", "sock heel"),
    "travel": ("night train", "harbour walk", "hut to hut", "canal town", "packing list"),
    "lighting": ("paper lamp", "reading nook", "string lights", "desk lamp", "wall sconce"),
    "baking": ("rye loaf", "plum cake", "laminated dough", "oat biscuit", "celebration cake"),
    "bicycles": ("touring bags", "steel frame", "cargo bike", "wheel truing", "winter tyres"),
    "posters": ("risograph print", "map poster", "type study", "film poster", "linocut"),
}
STYLES = ("in blue", "for small rooms", "step by step", "on a budget", "after dark", "by hand")
QUERIES = tuple(f"{topic} {word}" for topic, words in TOPICS.items() for word in words)

COUNTRIES = ("US", "DE", "GB", "FR", "BR", "JP", "IN", "SE")
COUNTRY_SHARES = (0.34, 0.15, 0.13, 0.1, 0.1, 0.07, 0.07, 0.04)

FIRST_NAMES = (
    *("Ada", "Amir", "Anja", "Bela", "Carla", "Chidi", "Dana", "Elif", "Emil", "Farah"),
    *("Gita", "Hana", "Ines", "Ivo", "Jonas", "Kaito", "Lea", "Lina", "Malik", "Mara"),
    *("Nils", "Noor", "Olga", "Pavel", "Rosa", "Sami", "Tove", "Uma", "Vera", "Yuki"),
)
LAST_NAMES = (
    *("Abel", "Baker", "Costa", "Diaz", "Egger", "Falk", "Garcia", "Holm", "Ito", "Jansen"),
    *("Keller", "Lund", "Meyer", "Nowak", "Okafor", "Patel", "Quist", "Rossi", "Sato", "Toth"),
    *("Ueda", "Vogel", "Weber", "Xu", "Young", "Zeman", "Berg", "Dahl", "Moreau", "Silva"),
)

SURFACES = ("home_feed", "search_results", "related_pins", "board_suggestions")
PAGES = (
    *("Home", "Search", "Board", "Sell with boards", "Pricing"),
    *("Campaigns", "Billing", "Reports"),
)
UTM = (
    ("newsletter", "email", "autumn"),
    ("search", "cpc", "brand"),
    ("social", "paid", "launch"),
)


@dataclass(frozen=True, slots=True)
class Items:
    """What can be pinned: for every item its creator, topic and title."""

    creator: Ints
    titles: tuple[str, ...]
    topics: tuple[str, ...]
    creators: tuple[str, ...]


def make_items(people: int, rng: np.random.Generator) -> Items:
    """Return the items of a market of that many people; the first ones are the popular ones."""
    count = max(400, min(people // 8, 4_000))
    names = _creator_names(max(40, count // 12), rng)
    topics = list(TOPICS)
    of = rng.integers(0, len(topics), count)
    words = rng.integers(0, 5, count)
    styles = rng.integers(0, len(STYLES), count)
    titles = tuple(
        f"{TOPICS[topics[t]][w].capitalize()} {STYLES[s]}"
        for t, w, s in zip(of.tolist(), words.tolist(), styles.tolist(), strict=True)
    )
    return Items(
        creator=rng.integers(0, len(names), count),
        titles=titles,
        topics=tuple(topics[t] for t in of.tolist()),
        creators=names,
    )


def _creator_names(count: int, rng: np.random.Generator) -> tuple[str, ...]:
    first = rng.integers(0, len(FIRST_NAMES), count).tolist()
    last = rng.integers(0, len(LAST_NAMES), count).tolist()
    return tuple(f"{FIRST_NAMES[a]} {LAST_NAMES[b]}" for a, b in zip(first, last, strict=True))
