"""What Kafka's client says of a broker that is away: once a minute, not at every attempt."""

import logging
import re
import threading
import time
from collections.abc import Callable

_EVERY_SECONDS = 60.0
_MOST_KINDS = 1000
_PASSING = re.compile(r"\[rdkafka#[^\]]*\]|\[thrd:[^\]]*\]|\(after .*|\d+(?:ms|s)\b")
"""What differs between two lines that say the same: who says it, after how long."""


class Sparing(logging.Filter):
    """Lets a line through unless the same was said within a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds that never go back."""
        super().__init__()
        self._clock = clock
        self._said: dict[str, float] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is to be written."""
        kind, now = _PASSING.sub("", record.getMessage()), self._clock()
        with self._lock:
            last = self._said.get(kind)
            if last is not None and now - last < _EVERY_SECONDS:
                return False
            if len(self._said) >= _MOST_KINDS:
                self._said.clear()
            self._said[kind] = now
        return True


def sparing_logger() -> logging.Logger:
    """Return the logger of Kafka's client, which says nothing twice a minute."""
    made = logging.getLogger("onefold.log.kafka")
    if not any(isinstance(each, Sparing) for each in made.filters):
        made.addFilter(Sparing())
    return made
