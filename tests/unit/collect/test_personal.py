"""What looks personal in a field that nobody has described."""

import json

import pytest

from onefold.collect.personal import personal, personal_key, personal_text, tracking_key


def taken(fields, **terms):
    rest, found = personal(json.dumps(fields).encode(), **terms)
    return json.loads(rest), found


def test_nothing_personal_comes_back_as_it_is():
    properties = b'{ "item_id": "i1", "shown": "2026-11-22", "n": 12, "name": "Blue chair" }'
    rest, found = personal(properties)
    assert rest is properties
    assert found == {}


def test_personal_values_and_keys_are_taken_out_wherever_they_stand():
    rest, found = taken(
        {
            "note": "write to jo@example.com",
            "first_name": "Jo",
            "x": {"Phone-Number": 123, "keep": 1},
            "list": ["+49 30 1234567", "red"],
            "keep": "2026-11-22T08:00:00Z",
        }
    )
    assert rest == {"x": {"keep": 1}, "list": ["red"], "keep": "2026-11-22T08:00:00Z"}
    assert found == {
        "note": "write to jo@example.com",
        "first_name": "Jo",
        "x.Phone-Number": "123",
        "list.0": "+49 30 1234567",
    }


def test_a_name_is_a_persons_only_in_traits():
    assert taken({"name": "Jo Doe", "plan": "pro"}, traits=True) == (
        {"plan": "pro"},
        {"name": "Jo Doe"},
    )
    assert taken({"name": "Blue chair"})[1] == {}


def test_described_fields_are_not_judged():
    assert taken({"address": "a", "email": "b"}, described=frozenset({"address"})) == (
        {"address": "a"},
        {"email": "b"},
    )


@pytest.mark.parametrize(
    "text", ["jo@example.com", "a jo%40example.com b", "+1 (555) 123-4567", "555-123-4567"]
)
def test_texts_that_are_personal(text):
    assert personal_text(text)


@pytest.mark.parametrize(
    "text", ["", "2026-11-22", "1234567890", "12.50", "@home", "a@b", "1-2-3", "i17"]
)
def test_texts_that_are_not(text):
    assert not personal_text(text)


def test_keys():
    assert personal_key("E-Mail")
    assert personal_key("billingAddress")
    assert not personal_key("filename")
    assert tracking_key("deviceId")
    assert tracking_key("gclid")
    assert not tracking_key("item_id")
    assert not tracking_key("campaign_id")
