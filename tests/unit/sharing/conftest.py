"""A house of each test's own, a receiver, and one PostgreSQL server for all."""

import pytest

from onefold.sharing import budget
from postgres import Postgres
from receivers import House, Receiver


@pytest.fixture
def house(tmp_path):
    made = House.make(tmp_path)
    yield made
    made.world.close()


@pytest.fixture
def later(house):
    """Let a test begin with a budget of its own, whatever was asked of the house before."""
    house.world.clock.now += budget.WINDOW + 1


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="session")
def server():
    made = Postgres.start()
    yield made
    made.stop()
