"""Counts in words, in one place, so that no page says "1 days"."""


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count and its noun.

    >>> plural(1, "person", "people"), plural(1200, "event"), plural(0, "event")
    ('1 person', '1,200 events', '0 events')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def stretch(count: int, one: str) -> str:
    """Return a stretch of time as it stands after `the`, `last` or `their`.

    >>> f"in the {stretch(1, 'day')} before", f"in the {stretch(14, 'day')} before"
    ('in the day before', 'in the 14 days before')
    """
    return one if count == 1 else plural(count, one)


def agreed(count: int, one: str, many: str) -> str:
    """Return the form of a verb or noun that a count takes.

    >>> agreed(1, "waits", "wait"), agreed(3, "waits", "wait")
    ('waits', 'wait')
    """
    return one if count == 1 else many


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, each once.

    >>> sorted(words_of("b a b"))
    ['a', 'b']
    """
    return frozenset(text.split())
