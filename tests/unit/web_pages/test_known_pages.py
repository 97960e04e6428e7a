"""How a person and an account are known, and the queue of records that may be one."""

import pytest

from imported import bring
from onefold.model.records import OWNER
from onefold.runtime import call
from readers import Reader
from worlds import World, track

pytestmark = pytest.mark.long

COLUMNS = ("account_id", "name", "parent_id", "properties.website")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("known") / "w")
    found.fold()
    crm = [
        ("top", "Top Holding", "", ""),
        ("crm-1", "<b>Hollis</b> Foods", "top", "hollis.example"),
    ]
    bring(found.workspace, "crm", "accounts", COLUMNS, crm)
    bring(
        found.workspace,
        "billing",
        "accounts",
        COLUMNS,
        [("cus_1", "HOLLIS FOODS", "", "hollis.example")],
    )
    columns = ("spend_id", "account_id", "spend_date", "amount_micros", "kind")
    rows = [("i1", "crm-1", "2020-01-02", 100, "invoice")]
    rows.append(("i2", "cus_1", "2020-01-03", 20, "invoice"))
    bring(found.workspace, "books", "spend", columns, rows)
    found.send(track("pin_saved", id="1", user="u1", anonymous="a1"))
    found.send(
        {
            "type": "identify",
            "messageId": "2",
            "userId": "u1",
            "anonymousId": "a1",
            "traits": {"email": "lena@hollis.example", "name": "Lena Brandt"},
        }
    )
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "marketer")


def test_an_account_says_who_told_each_attribute_and_its_money_with_all_below(reader):
    text = reader.get("/customers/accounts/crm-1").text.replace("\xa0", " ")
    assert "Hollis&lt;/b&gt; Foods" in text
    assert "<b>Hollis" not in text
    assert "Last told" in text
    assert "crm" in text
    assert "a record of the company" in text
    assert "stands below" in text
    assert "Money, with all below it" in text
    top = reader.get("/customers/accounts/top").text.replace("\xa0", " ")
    assert "€100" in top
    assert "(€0 own)" in top


def test_a_person_shows_the_evidence_and_the_source_of_each_field(reader, world):
    body = call(world.workspace, OWNER, "person show", {"id": "u1"}).body
    text = reader.get(f"/customers/people/{body['id']}").text.replace("\xa0", " ")
    assert "identify" in text
    assert "lena@hollis.example" in text
    assert "each event decides for itself" in text or "granted" in text
    assert 'role="img"' in text


def test_as_of_a_day_before_it_was_told_nothing_is_known(reader):
    text = reader.get("/customers/accounts/crm-1?as_of=2020-02-01").text
    assert "As of 2020-02-01" in text
    assert "a record of the company" not in text


def test_a_viewer_sees_no_person_and_no_queue(world):
    viewer = Reader(world, "viewer")
    assert viewer.get("/customers/links").status_code == 403
    assert viewer.get("/customers/accounts/crm-1").status_code == 200


def test_a_pair_is_decided_on_the_page_and_opened_again(reader, world):
    assert "Nobody has compared" in reader.get("/customers/links").text
    call(world.workspace, OWNER, "link run", {"apart": True})
    text = reader.get("/customers/links").text
    assert "They are the same" in text
    assert "cus_1" in text
    assert "almost the same" in text or "the same" in text
    call(
        world.workspace,
        OWNER,
        "link decide",
        {"left": "crm-1", "right": "cus_1", "decision": "same"},
    )
    joined = reader.get("/customers/accounts/cus_1").text.replace("\xa0", " ")
    assert "said to be the same" in joined
    assert "€120" in joined
    assert "Open it again" in reader.get("/customers/links").text
    assert reader.get("/customers/links?entity=planet").status_code == 422
