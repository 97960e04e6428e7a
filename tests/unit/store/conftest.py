"""Engines of the planes: the same tests run on every one."""

import subprocess

import pytest

from kafka import Broker
from postgres import Postgres


@pytest.fixture(scope="session")
def server():
    """Return a PostgreSQL server of our own."""
    made = Postgres.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """Return a broker of our own."""
    made = Broker.start(tmp_path_factory.mktemp("broker") / "said")
    yield made
    made.stop()


@pytest.fixture(scope="session")
def java():
    """Let Spark's other side start without a fork.

    Spark asks for a call between fork and exec, and a process that has mapped more than there is
    memory (ClickHouse in process does) may not fork; without that call Python needs none.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("pyspark.java_gateway.Popen", _without_fork)
        yield


def _without_fork(command, **settings):
    return subprocess.Popen(command, **(settings | {"preexec_fn": None}))
