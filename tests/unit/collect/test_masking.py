"""What a mask takes out of others' rows, and what it leaves."""

import json

import pytest

from onefold.collect.masking import Mask, same_but_masked
from onefold.model.ids import message_digest
from onefold.store import LogRow

KEY = bytes(range(32))
ANNA = [("user_id", "anna-user-77"), ("email", "jo@example.com"), ("user_id", "u1234")]


def row(*events: dict, **around: object) -> LogRow:
    body = json.dumps({"batch": events, **around}).encode()
    return LogRow(1, "web", "production", "segment", "batch", body, bytes(len(events)))


@pytest.mark.parametrize(
    ("text", "field", "left"),
    [
        ("Anna-User-77", "", "[erased]"),
        ("anna-user-771", "", "anna-user-771"),
        ("xanna-user-77", "", "xanna-user-77"),
        ("/of/anna-user-77/x", "", "/of/[erased]/x"),
        ("?to=jo%40example.com&a", "", "?to=[erased]&a"),
        ("?to%3Djo%40example.com", "", "?to%3D[erased]"),
        ("u1234", "any", "[erased]"),
        ("of u1234", "any", "of u1234"),
        ("616e6e612d757365722d3737", "", "[erased]"),
    ],
)
def test_a_long_identifier_is_found_in_texts_and_a_short_one_as_a_whole(text, field, left):
    assert Mask(ANNA, KEY).text(text, field) == left


def test_only_what_names_them_changes():
    told = {
        "type": "track",
        "messageId": "of anna-user-77",
        "userId": "u1234",
        "groupId": "jo@example.com",
        "properties": {"price": 1.10, "jo@example.com": [{"by": "jo@example.com"}], "n": 1234},
    }
    other = {"type": "track", "messageId": "2", "properties": {"price": 9.990, "q": "u12345"}}
    found, held = Mask(ANNA, KEY).row(
        row(told, other, context={"page": {"title": "jo@example.com"}})
    )
    body = json.loads(found.body)
    assert held == 1
    assert body["context"] == {"page": {"title": "[erased]"}}
    first, second = body["batch"]
    assert message_digest(first.pop("messageId"), KEY) == message_digest("of anna-user-77", KEY)
    assert first == {
        "type": "track",
        "userId": "u1234",
        "groupId": "jo@example.com",
        "properties": {"price": 1.1, "[erased]": [{"by": "[erased]"}], "n": 1234},
    }
    assert second == other
    assert json.dumps(other).encode() in found.body, "byte for byte"


def test_a_row_that_names_nobody_is_the_very_same():
    one = row({"type": "track", "messageId": "1", "properties": {"q": "anna"}})
    assert Mask(ANNA, KEY).row(one) == (one, 0)
    assert not Mask([], KEY)


def test_what_is_sent_again_is_known_by_all_but_the_mark():
    assert same_but_masked({"a": ["x of u1", 2]}, {"a": ["x of [erased]", 2]})
    assert same_but_masked({"u1": 3, "b": 1}, {"[erased]": 3, "b": 1})
    assert same_but_masked({"by": 12345}, {"by": "[erased]"})
    assert not same_but_masked({"a": ["y of u1", 2]}, {"a": ["x of [erased]", 2]})
    assert not same_but_masked({"a": 1}, {"a": 2})
    assert not same_but_masked({"a": 1, "b": 2}, {"a": 1})
