"""Hashes as each platform publishes them, and audiences without a value in words."""

import csv
import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.model.errors import BadInput
from onefold.model.time import DAY
from onefold.sharing.conversions import batches_of
from onefold.sharing.hashing import FIELDS, PLATFORMS, cleaned_value, hashed, value_of
from receivers import ALL, event, identify

pytestmark = pytest.mark.long

# Published: NUMBERS of the reference, and Meta's "Customer information parameters".
PUBLISHED = [
    ("meta", "phone", "510 555 0011", "cf9b0227", "f4a6"),
    ("meta", "gender", "m", "62c66a7a", "3c5a"),
    ("meta", "email", "John_Smith@gmail.com", "62a14e44f765419d10fea99367361a72", "a0f62f"),
    ("meta", "phone", "+1 (650)555-1212", "e323ec626319ca94ee8bff2e4c87cf61", "ab3176"),
    ("meta", "first_name", "Mary", "6915771be1c5aa0c886870b6951b03d7", "49f4ec"),
    ("meta", "first_name", "정", "8fa8cd9c440be61d0151429310034083", "51db14"),
    ("meta", "first_name", "Valéry", "08e1996b5dd49e62a4b4c010d44e4345", "17149c"),
    ("meta", "country", "United States", "79adb2a2fce5c6ba215fe5f27f532d4e", "084621"),
    ("meta", "state", "California", "6959097001d10501ac7d54c0bdb8db61", "a31126"),
]


@pytest.mark.parametrize(("platform", "field", "value", "begins", "ends"), PUBLISHED)
def test_a_published_example_hashes_as_published(platform, field, value, begins, ends):
    found = value_of(platform, field, value)
    assert found.startswith(begins)
    assert found.endswith(ends[-4:])


@pytest.mark.parametrize(
    ("platform", "field", "value", "cleaned"),
    [
        ("pinterest", "email", " An na@Example.COM ", "anna@example.com"),
        ("pinterest", "phone", "+1 (650) 555-1212", "16505551212"),
        ("pinterest", "phone", "0650", "0650"),
        ("pinterest", "gender", "Non-binary", "n"),
        ("pinterest", "city", "New York", "newyork"),
        ("pinterest", "birth_date", "1980-02-29", "19800229"),
        ("meta", "gender", "Non-binary", ""),
        ("meta", "phone", "00491701234567", "491701234567"),
        ("meta", "country", "Germany", "de"),
        ("google", "email", "Jefferson.Loves.Hiking@gmail.com", "jeffersonloveshiking@gmail.com"),
        ("google", "email", "a.b.c@googlemail.com", "abc@googlemail.com"),
        ("google", "email", "a.b.c@example.com", "a.b.c@example.com"),
        ("google", "phone", "+1 800-555-0100", "+18005550100"),
        ("google", "phone", "0049 170 1234567", "+491701234567"),
        ("google", "phone", "170 1234567", ""),
        ("google", "country", "Germany", "DE"),
        ("google", "email", "no address", ""),
        ("meta", "email", "@example.com", ""),
    ],
)
def test_each_platform_cleans_in_its_own_way(platform, field, value, cleaned):
    assert cleaned_value(platform, field, value.strip()) == cleaned


def test_what_was_hashed_before_passes_through():
    known = sha256(b"anna@example.com").hexdigest()
    assert value_of("meta", "email", known.upper()) == known
    assert value_of("google", "city", known) == ""


@given(st.sampled_from(PLATFORMS), st.sampled_from(FIELDS), st.text(max_size=80))
def test_nothing_stays_in_words_but_what_google_wants_so(platform, field, value):
    for name, found in hashed(platform, {field: value}).items():
        plain = platform == "google" and name in {"City", "State", "Zip", "Country"}
        assert plain or (len(found) == 64 and set(found) <= set("0123456789abcdef"))


@pytest.fixture
def agreed(house):
    house.world.send(
        identify("ann", "i1", email="Ann@Example.com", phone="+1 650 555 1212"),
        identify("bob", "i2", email="bob@example.com"),
        identify("eve", "i3", agreed=ALL | {"advertising": False}, email="eve@example.com"),
        event("pin_saved", "m1", "ann", 1),
        event("pin_saved", "m2", "bob", 2),
    )
    return house


def ad(house, platform="pinterest", **more):
    return house.add(
        "ads", "audience", purpose="advertising", settings={"platform": platform}, **more
    )


def members(house, name="members.csv"):
    with (house.world.folder / "outgoing" / "ads" / name).open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_audience_holds_who_agreed_to_advertising_and_no_value(agreed, platform):
    ad(agreed, platform)
    assert agreed.run("ads").events == 2
    text = (agreed.world.folder / "outgoing" / "ads" / "members.csv").read_text()
    for value in ("example", "650", "Ann", "bob", "eve"):
        assert value not in text
    column = "Email" if platform == "google" else "em"
    wanted = {sha256(f"{name}@example.com".encode()).hexdigest() for name in ("ann", "bob")}
    assert {row[column] for row in members(agreed)} == wanted


def test_who_withdraws_goes_out_of_the_audience_and_into_the_list_of_removed(agreed):
    ad(agreed)
    agreed.run("ads")
    agreed.withdrawn.add("ann")
    # Her user id, her e-mail and her phone.
    assert agreed.run("ads", fresh=False).taken_back == 3
    assert len(members(agreed)) == 1
    folder = agreed.world.folder / "outgoing" / "ads"
    (removed,) = folder.glob("removed-*.csv")
    assert members(agreed, removed.name)[0]["em"] == sha256(b"ann@example.com").hexdigest()
    agreed.world.clock.now += 3 * DAY
    agreed.run("ads")
    assert not list(folder.glob("removed-*.csv"))


def test_an_audience_is_for_advertising_alone(house):
    with pytest.raises(BadInput, match="ad platform"):
        house.add("ads", "audience", purpose="sharing", settings={"platform": "meta"})
    with pytest.raises(BadInput, match="ad platform"):
        house.add("ads", "files", purpose="sharing", settings={"format": "pinterest"})
    with pytest.raises(BadInput, match="No platform"):
        house.add("ads", "audience", purpose="advertising", settings={"platform": "x"})


def test_events_for_pinterest_come_hashed_and_a_thousand_a_batch(agreed):
    agreed.world.send(*(event("sale", f"s{i}", "ann", i) for i in range(1200)))
    agreed.add("pin", "files", purpose="advertising", settings={"format": "pinterest"})
    agreed.run("pin")
    folder = agreed.world.folder / "outgoing" / "pin"
    found = [json.loads(path.read_text())["data"] for path in sorted(folder.iterdir())]
    assert all(len(batch) <= 1000 for batch in found)
    events = [one for batch in found for one in batch]
    assert sum(one["event_name"] == "sale" for one in events) == 1200
    assert {one["user_data"]["em"][0] for one in events if one["event_name"] == "sale"} == {
        sha256(b"ann@example.com").hexdigest()
    }
    assert "example.com" not in json.dumps(found)
    agreed.withdrawn.add("ann")
    agreed.run("pin", fresh=False)
    left = [one for p in sorted(folder.iterdir()) for one in json.loads(p.read_text())["data"]]
    assert {one["user_data"]["em"][0] for one in left} == {sha256(b"bob@example.com").hexdigest()}


def test_an_event_of_nobody_pinterest_could_know_is_left_out():
    row = {"event": "x", "message_id": "1", "event_time": None, "subject": "s", "values": {}}
    assert list(batches_of([row])) == []
