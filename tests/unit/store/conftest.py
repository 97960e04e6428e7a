"""Engines of the planes: the same tests run on every one."""

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
