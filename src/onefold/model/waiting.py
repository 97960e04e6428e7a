"""Who waits for an answer, and whether they still do."""

import threading
from contextvars import ContextVar

leaving: ContextVar[threading.Event | None] = ContextVar("leaving", default=None)
"""Set by whoever waits for the questions of this context when they wait no more."""
