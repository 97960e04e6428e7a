"""What a scraper reads: OpenMetrics as its own parser reads it, of door and house together."""

import json

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed

from onefold.web.openmetrics import END, counters, gauge, gauges, histogram
from unit.web.test_door import BASIC, EVENT, Place

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def place(tmp_path):
    found = Place(tmp_path)
    yield found
    found.close()


def samples(text):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parsed(text)
        for sample in family.samples
    }


def test_families_are_read_by_the_parser_of_others():
    lines = [
        *gauge("a_bytes", "Of a.", 12, unit="bytes"),
        *gauges("b", "Of b.", [({"x": 'q"\\\n'}, 1.5), ({"x": "y"}, 0)]),
        *counters("c", "Of c.", [({}, 3)]),
        *histogram("d_seconds", "Of d.", (0.1, 1.0), (1, 2, 3), 7.25),
    ]
    found = samples("\n".join(lines) + "\n" + END)
    assert found["a_bytes", ()] == 12
    assert found["b", (("x", 'q"\\\n'),)] == 1.5
    assert found["c_total", ()] == 3
    assert found["d_seconds_bucket", (("le", "1.0"),)] == 3
    assert found["d_seconds_count", ()] == 6


def test_the_door_counts_what_it_did_also_without_a_house(place):
    place.post("/v1/batch", {"batch": [EVENT, {"type": "nonsense"}, 5]}, headers=BASIC)
    place.post("/v1/batch", {"batch": [EVENT]})
    answer = place.ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    found = samples(answer.text)
    assert found["onefold_house_up", ()] == 0
    assert found["onefold_intake_requests_total", (("status", "200"),)] == 1
    assert found["onefold_intake_requests_total", (("status", "401"),)] == 1
    judged = {
        verdict: found["onefold_intake_events_total", (("verdict", verdict),)]
        for verdict in ("accepted", "quarantined", "refused")
    }
    assert judged["accepted"] == 1
    assert sum(judged.values()) == 3
    assert found["onefold_intake_seconds_count", ()] == 2
    assert found["onefold_intake_in_flight_bytes", ()] == 0
    assert found["onefold_intake_refusing", ()] == 0


def test_a_trace_is_answered_and_stands_on_the_row(place):
    header = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    answer = place.post("/v1/track", EVENT, headers=BASIC | header)
    assert answer.headers["traceresponse"].startswith(f"00-{TRACE}-")
    (row,) = place.rows()
    assert row.trace == TRACE
    assert [found.offset for found in place.log.traced(TRACE)] == [row.offset]
    place.post("/v1/track", {**EVENT, "messageId": "m2"}, headers=BASIC)
    assert place.rows()[1].trace == ""


def test_a_browser_may_send_a_trace_and_read_its_answer(place):
    headers = {"origin": "https://shop.test"}
    asked = place.ask("OPTIONS", "/v1/t", headers=headers)
    assert "traceparent" in asked.headers["access-control-allow-headers"]
    taken = place.post("/v1/t", EVENT, headers=BASIC | headers)
    assert "traceresponse" in taken.headers["access-control-expose-headers"]


def test_a_refusal_names_its_trace_too(place):
    answer = place.ask("POST", "/v1/batch", content=json.dumps({"batch": []}).encode())
    assert answer.headers["traceresponse"].startswith("00-")
