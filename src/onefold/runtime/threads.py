"""A thread of its own for what goes on by itself, until it is told to stop."""

import threading
from abc import ABC, abstractmethod


class Loop(ABC):
    """Runs in a daemon thread between `start` and `stop`."""

    def __init__(self, name: str) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after what is under way came to its end or was broken off."""
        self._stop.set()
        self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """Go on until `_stop` is set."""
