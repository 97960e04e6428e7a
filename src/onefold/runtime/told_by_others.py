"""What events of others still tell of somebody who is erased, in properties of theirs."""

from collections import Counter
from collections.abc import Collection
from functools import reduce
from operator import or_

import ibis
import msgspec

from onefold.store import Facts

_LOOKED_AT = 1_000
"""So many of the events are looked at for the names of the properties."""
_objects = msgspec.json.Decoder(dict[str, object])


def told_by_others(facts: Facts, words: Collection[str]) -> tuple[int, tuple[str, ...]]:
    """Return how many events hold a word in their properties, and in which; the commonest first.

    Args:
        facts: After the erasure.
        words: Identifiers of the person, in any case.
    """
    if not words:
        return 0, ()
    lower = sorted({one.lower() for one in words})
    properties = facts.tables()["events"].properties
    text = properties.lower()
    # As the text of a property has them: a quote or a backslash stands behind another one.
    said = [msgspec.json.encode(one)[1:-1].decode() for one in lower]
    found = reduce(or_, [text.contains(ibis.literal(one)) for one in said])
    held = facts.tables()["events"].filter(found)
    count = int(facts.ask(held.aggregate(n=held.count()))["n"][0].as_py())
    names: Counter[str] = Counter()
    for row in facts.ask(held.select("properties").limit(_LOOKED_AT)).to_pylist() if count else ():
        for name, value in _objects.decode(row["properties"]).items():
            told = msgspec.json.encode({name: value}).decode().lower()
            names[name] += any(one in told for one in said)
    return count, tuple(name for name, times in names.most_common(5) if times)
