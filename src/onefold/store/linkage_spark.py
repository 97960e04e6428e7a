"""What compares records on Spark, for more of them than one machine holds.

The records go from memory to the workers. What these spill is encrypted under a key that stands in
memory alone, and nothing is written as a table.
"""

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from onefold.model.errors import MachineFailed
from onefold.store.facts_spark import master_of

if TYPE_CHECKING:
    import pyarrow as pa

_REACH_SECONDS = 5.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
    "spark.io.encryption.enabled": "true",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "8",
}


def require_reached(url: str) -> None:
    """Pass when somebody listens where the master is said to be; Spark itself tries for long.

    Raises:
        BadInput: The URL names no Spark.
        MachineFailed: Nobody does.
    """
    master = master_of(url)
    if master.startswith("local"):
        return
    place = urlsplit(master)
    try:
        socket.create_connection((place.hostname or "", place.port or 0), _REACH_SECONDS).close()
    except OSError as error:
        message = f"Spark does not answer at {place.netloc}: {error.strerror or error}."
        raise MachineFailed(message, "Start its master, or mend `link` in onefold.toml.") from error


def spark_api(url: str) -> Any:
    """Return splink's way to a Spark, with the functions that it compares texts by.

    Raises:
        ModuleNotFoundError: The extra `spark` or `link` is not installed.
    """
    from pyspark.sql import SparkSession
    from splink import SparkAPI
    from splink.internals.spark.jar_location import similarity_jar_location

    made = SparkSession.builder.master(master_of(url)).appName("onefold link")
    settings = _SETTINGS | {"spark.jars": similarity_jar_location()}
    host = urlsplit(url).hostname
    if host == "local" or host in _LOOPBACK:
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    for name, value in settings.items():
        made = made.config(name, value)
    return SparkAPI(spark_session=made.getOrCreate(), break_lineage_method="persist")


def given(api: Any, tables: "list[pa.Table]") -> list[Any]:
    """Return records as Spark takes them."""
    return [api.spark.createDataFrame(table) for table in tables]


def best(found: Any, most: int) -> "pa.Table":
    """Return so many of the pairs that were found, the likeliest first."""
    import pyarrow as pa

    frame = found.as_spark_dataframe()
    told = frame.orderBy(frame.match_weight.desc(), "id_l", "id_r").limit(most).toArrow()
    for place, field in enumerate(told.schema):
        if pa.types.is_decimal(field.type):
            told = told.set_column(place, field.name, told.column(place).cast(pa.float64()))
    return told
