"""What looks personal in a field that nobody has described."""

import json
import random

import pytest

from onefold.collect.personal import masked, personal, personal_key, personal_text, tracking_key


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


CARDS = [  # the issuers' own test numbers
    "4111 1111 1111 1111",
    "5555-5555-5555-4444",
    "2223 0031 2200 3222",
    "3782 822463 10005",
    "3056 930902 5904",
    "6011 0009 9013 9424",
    "3530 1113 3330 0000",
    "6212 3456 7890 0000 003",
]


@pytest.mark.parametrize("text", CARDS)
def test_numbers_of_cards_are_personal_wherever_they_stand(text):
    assert personal_text(text)
    assert personal_text(f"paid with {text}, thanks")
    assert masked(f"paid with {text}, thanks", "...") == "paid with ..., thanks"
    assert taken({"note": f"my card: {text}", "n": 1}) == ({"n": 1}, {"note": f"my card: {text}"})
    wrong = f"{text[:-1]}{(int(text[-1]) + 1) % 10}"
    assert not personal_text(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",  # bare digits are an id
        "4111 1111-1111 1111",
        "x4111 1111 1111 1111",
        "4111-1111-1111-1111-4111",
        "9111 1111 1111 1114",  # no issuer's, though Luhn's check holds
        "114-4111111-1111111",
        "2026-11-22 08:00:00.000",
        "2026-11-22T08:00:00Z",
        "1760000000000000",
        "41111111-1111-4111-8111-111111111111",
        "4111 1111 1111 11a1",
        "\u0664111 1111 1111 1111",
    ],
)
def test_ids_and_times_are_no_cards(text):
    assert not personal_text(text)
    assert masked(text, "...") == text
    assert taken({"shown": text})[1] == {}


def test_few_order_ids_are_taken_for_cards():
    rng = random.Random(7)
    bare = [str(rng.randrange(10**15, 10**16)) for _ in range(20_000)]
    assert not any(map(personal_text, bare))
    assert not any(personal_text(f"{id_[:3]}-{id_[3:10]}-{id_[10:]}") for id_ in bare)
    # Only ids in groups of four are ever mistaken: some one in twenty-five of those.
    grouped = [" ".join(id_[at : at + 4] for at in range(0, 16, 4)) for id_ in bare]
    assert 0.01 < sum(map(personal_text, grouped)) / len(grouped) < 0.05


def test_a_card_is_masked_as_a_whole_among_phones_and_mails():
    text = "jo@example.com, 4111 1111 1111 1111, +49 30 1234567; 5105-1051-0510-5100"
    assert masked(text, "...") == "..., ..., ...; ..."


def test_keys():
    assert personal_key("card_no")
    assert personal_key("debitCard")
    assert personal_key("E-Mail")
    assert personal_key("billingAddress")
    assert not personal_key("filename")
    assert tracking_key("deviceId")
    assert tracking_key("gclid")
    assert not tracking_key("item_id")
    assert not tracking_key("campaign_id")
