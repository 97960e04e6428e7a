"""What the log says and does with Kafka where no broker is needed."""

import json
import logging

from onefold.collect import Source, make_catalogue, receive
from onefold.store.kafka_lanes import Lanes, lane_of
from onefold.store.kafka_says import Sparing, sparing_logger
from worlds import START, track

LINE = "FAIL [rdkafka#consumer-%s] [thrd:b:1/x]: b:1: Connect failed: refused (after %sms in it)"


def test_a_broker_that_is_away_is_said_once_a_minute(caplog) -> None:
    now = [0.0]
    logger = logging.getLogger("onefold.log.kafka.test")
    logger.addFilter(Sparing(lambda: now[0]))
    for place in range(100):
        logger.error(LINE, place % 4, place)
    logger.error("FAIL [rdkafka#consumer-1] [thrd:b:2/x]: b:2: Connect failed: refused")
    assert [one.getMessage().split()[3] for one in caplog.records] == ["b:1:", "b:2:"]
    now[0] = 61
    logger.error(LINE, 1, 1)
    assert len(caplog.records) == 3


def test_the_clients_logger_spares_once_however_often_it_is_asked_for() -> None:
    assert sparing_logger() is sparing_logger()
    assert len(sparing_logger().filters) == 1


def test_a_batch_of_many_people_is_one_row_that_goes_where_its_first_one_goes() -> None:
    lanes, found = Lanes(7), set()
    for first in range(20):
        alone = row_of(first)
        mixed = row_of(first, 100, 101, 102)
        assert lane_of(mixed, 1, lanes) == lane_of(alone, 2, lanes)
        found.add(lane_of(alone, 0, lanes))
    assert len(found) > 3


def row_of(*people):
    sent = [track("seen", id=f"{people[0]}-{who}", user=f"u{who}") for who in people]
    receipt = receive(
        Source("app", "wk", basis="notice"),
        dialect="segment",
        route="batch",
        body=json.dumps({"batch": sent}).encode(),
        received_time=START,
        catalogue=make_catalogue([]),
        sampling_key=bytes(32),
    )
    (row,) = receipt.rows
    assert len(row.verdicts) == len(people)
    return row
