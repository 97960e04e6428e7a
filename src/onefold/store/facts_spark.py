"""The facts asked by Spark: read-only, over Parquet that the folds publish every few minutes.

What is asked here is as fresh as the version that was published last, and says so. One version is
one session of Spark, so a question never sees two of them.
"""

import threading
import uuid
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa

from onefold.model.errors import BadInput, Conflict, MachineFailed
from onefold.store.answers import Answers
from onefold.store.click_tables import as_told
from onefold.store.compiled import Compiled
from onefold.store.parquet import Manifest
from onefold.store.spark_words import SPARK
from onefold.store.watching import MOST_SECONDS, Watcher
from onefold.store.within import Limits, Told, Written, ask_copies

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis.expr.types as ir

_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # A time in the files is microseconds of UTC, whatever zone a machine is in.
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "16",
}


def master_of(url: str) -> str:
    """Return how Spark names the master of a URL.

    >>> master_of("spark://master"), master_of("spark://local")
    ('spark://master:7077', 'local[*]')

    Raises:
        BadInput: It names none.
    """
    fix = "Write spark://HOST:7077, or spark://local for one in this process."
    try:
        parts = urlsplit(url)
        port = parts.port or 7077
    except ValueError as error:
        raise BadInput(f"`facts` is no address: {error}.", fix) from error
    if parts.scheme != "spark" or not parts.hostname or parts.path.strip("/") or parts.query:
        raise BadInput(f"No Spark `{url[:80]}`.", fix)
    return "local[*]" if parts.hostname == "local" else f"spark://{parts.hostname}:{port}"


_DRIVER = ("spark.driver.host", "spark.driver.bindAddress")


class SparkFacts:
    """What a published version answers; made anew where another one came."""

    def __init__(
        self, url: str, place: Path, version: Manifest, *, seconds: float = MOST_SECONDS
    ) -> None:
        """Take a version; nothing of Spark is started before the first question.

        Args:
            url: See `master_of`.
            place: Where versions stand.
            version: The one that is asked.
            seconds: A question may take so long.

        Raises:
            BadInput: The URL names no Spark, or the extra is not installed.
        """
        self._master, self._place, self._seconds = master_of(url), place, seconds
        if find_spec("pyspark") is None:
            fix = "Install the extra: pip install 'onefold[spark]'."
            raise BadInput("Facts asked by Spark need its client.", fix)
        self.version = version
        self._answers, self._watcher = Answers(), Watcher(seconds=seconds)
        self._lock = threading.Lock()
        self._session: Any = None
        self._tables: dict[str, ir.Table] | None = None

    def tables(self) -> "Mapping[str, ir.Table]":
        """Return the raw tables as unbound ibis tables (see `Facts.tables`)."""
        if self._tables is None:
            import ibis

            self._tables = {
                name: ibis.table(table.columns, name=name)
                for name, table in self.version.tables.items()
            }
        return self._tables

    def sql(self, expression: "ir.Expr") -> str:
        """Return the query of an expression in Spark's dialect."""
        return SPARK.compiled(expression).text

    def ask(self, expression: "ir.Expr") -> pa.Table:
        """Return the whole answer of an expression (see `Facts.ask`)."""
        question = SPARK.compiled(expression)

        def answer() -> pa.Table:
            return as_told(self._fetch(question.text), question.schema)

        return self._answers.get(question.text, answer)

    def ask_within(self, written: Written, limits: Limits, stop: threading.Event) -> Told:
        """Return what a question answers that somebody wrote (see `store.within`).

        It is written in DuckDB's words. So what it may see is copied from here, as far as its
        limits go, and asked there.
        """
        copies: dict[str, pa.Table] = {}
        left = limits.memory_bytes
        for name, text in written.shown.items():
            if stop.is_set():
                raise Conflict("The question was cancelled.", "Ask it again when you want to.")
            copies[name] = as_told(self._fetch(text), Compiled.of_text(text).schema)
            left -= copies[name].nbytes
            if left < 0:
                message = "What the question looks at is over the memory that it may have."
                raise BadInput(message, "Ask of fewer columns, or allow it more memory.")
        return ask_copies(copies, written, limits, stop)

    def _fetch(self, query: str) -> pa.Table:
        from py4j.protocol import Py4JError  # type: ignore[import-untyped]
        from pyspark.errors import PySparkException

        session = self._opened()
        asked = _Asked(session)
        with self._watcher.over(asked):
            try:
                session.sparkContext.setJobGroup(asked.name, "onefold", interruptOnCancel=True)
                found: pa.Table = session.sql(query).toArrow()
            except (PySparkException, Py4JError, OSError) as error:
                text = str(error).partition("\n")[0][:300]
                fix = f"See that Spark at {self._master} runs and reads {self._place}."
                raise MachineFailed(f"Spark could not answer: {text}", fix) from error
        return found

    def _opened(self) -> Any:
        with self._lock:
            if self._session is None:
                session = _spark(self._master).newSession()
                for name, value in _SETTINGS.items():
                    if name.startswith("spark.sql."):
                        session.conf.set(name, value)
                for name, table in self.version.tables.items():
                    files = [(self._place / part.path).as_uri() for part in table.files]
                    session.read.parquet(*files).createOrReplaceTempView(name)
                self._session = session
            return self._session

    def close(self) -> None:
        """Let go of the version; Spark itself stays for the next."""
        self._session = None


def _reached_at(master: str) -> dict[str, str]:
    """Return where workers find this process: on this machine alone where the master is here.

    >>> _reached_at("spark://master:7077")
    {}
    """
    here = master.startswith("local") or urlsplit(master).hostname in {"127.0.0.1", "localhost"}
    return dict.fromkeys(_DRIVER, "127.0.0.1") if here else {}


@lru_cache(maxsize=1)
def _spark(master: str) -> Any:
    from pyspark.sql import SparkSession

    made = SparkSession.builder.master(master).appName("onefold")
    for name, value in (_SETTINGS | _reached_at(master)).items():
        made = made.config(name, value)
    try:
        session = made.getOrCreate()
    except Exception as error:
        # Spark raises whatever its other side did, Java missing among it.
        message = f"Spark at {master} cannot be reached: {type(error).__name__}."
        raise MachineFailed(message, "See that Java is there and the master runs.") from error
    session.sparkContext.setLogLevel("ERROR")
    return session


def stop_spark() -> None:
    """End Spark's side of this process."""
    if _spark.cache_info().currsize:
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        if session is not None:
            session.stop()
        _spark.cache_clear()


class _Asked:
    """A question under way, as a watcher ends it."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.name = uuid.uuid4().hex

    def interrupt(self) -> None:
        """End it."""
        self._session.sparkContext.cancelJobGroup(self.name)
