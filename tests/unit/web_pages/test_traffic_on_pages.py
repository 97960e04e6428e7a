"""Every page of figures: customers alone, or with what is marked; and how much that was."""

import re
from html import unescape

import pytest

from onefold.model.errors import BadInput
from onefold.model.time import DAY
from onefold.web.pages.traffic import LetIn, Traffic, let_in
from readers import Reader
from worlds import AGREED, START, World, iso, track

pytestmark = pytest.mark.long

TABLE = """\
internal:
  user_ids: [ours]
bots: ["robot*"]
"""
AD = """\
event: ad_clicked
owner: Ads
description: Clicked.
properties:
  campaign_id: {type: string}
  surface: {type: string}
"""
CLICK_RATE = """\
metric: click_rate
label: Click rate
description: Clicks an impression.
owner: Ads
kind: ratio
numerator: {count: events, events: [ad_clicked]}
denominator: {count: events, events: [ad_viewed]}
"""
NOW = START + DAY


def clicked(user, number, **context):
    call = track("ad_clicked", id=f"{user}-{number}", at=86_400 - 60, user=user, campaign_id="c1")
    return call | {"context": AGREED | context}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(
        tmp_path_factory.mktemp("marked") / "w",
        definitions={"traffic.yaml": TABLE, "events/ad.yaml": AD, "metrics/r.yaml": CLICK_RATE},
    )
    found.clock.now = NOW
    found.send(
        clicked("buyer", 1),
        clicked("buyer", 2, traffic="test"),
        *(clicked("ours", n) for n in range(3)),
        *(clicked("crawler", n, userAgent="robot/1") for n in range(2)),
        *(
            {"type": "group", "messageId": f"g{user}", "userId": user, "groupId": "acme"}
            | {"timestamp": iso(10), "context": AGREED}
            for user in ("buyer", "ours")
        ),
    )
    found.fold()
    yield found
    found.close()


@pytest.fixture(scope="module")
def reader(world):
    return Reader(world, "analyst")


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).replace("\xa0", " ").split())


def left_out(answer) -> str:
    assert answer.status_code == 200, answer.text
    found = re.search(r'<p class="said left-out">(.*?)</p>', answer.text, re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", "", found[1])) if found else ""


def person_named(world, user) -> int:
    rows = world.raw("identifiers")
    names = world.workspace.vault.names(row["key"] for row in rows)
    return next(r["person_id"] for r in rows if names[r["key"]].value == user)


@pytest.mark.parametrize("path", ["/", "/live", "/live/c1", "/customers", "/experiments"])
def test_every_page_of_figures_has_the_control(reader, path):
    plain, all_of_it = reader.get(path), reader.get(f"{path}?include=all")
    assert "Traffic customers" in text_of(plain)
    assert "Traffic everything" in text_of(all_of_it)
    assert f'{path}?include=bot"' in plain.text
    assert reader.get(f"{path}?include=nobody").status_code == 422


def test_the_live_page_counts_customers_unless_asked(reader):
    assert "1 click in the last 60 minutes" in text_of(reader.get("/live"))
    assert "7 clicks in the last 60 minutes" in text_of(reader.get("/live?include=all"))
    assert "3 clicks" in text_of(reader.get("/live/c1?include=bots"))
    said = left_out(reader.get("/live"))
    assert "3 of our own people" in said
    assert "2 of bots" in said
    assert "1 of test users" in said
    some = left_out(reader.get("/live?include=bot,internal"))
    assert "of bots" not in some
    assert "1 of test users" in some


def test_links_and_the_stream_let_the_same_in(reader):
    text = reader.get("/live?include=bot").text
    assert 'data-stream="/live/stream?include=bot"' in text
    assert 'href="/live/c1?include=bot"' in text
    one = reader.get("/live/c1?include=bot").text
    assert 'data-stream="/live/stream?campaign=c1&amp;include=bot"' in one
    assert "include=bot" in reader.get("/?include=bot&days=28").text


def test_a_stream_of_a_browser_tells_of_figures_alone(reader):
    for wrong in ("", "?of=/settings", "?of=//else.where/live/stream", "?of=/live/stream%0Adata:x"):
        answer = reader.get(f"/streams{wrong}")
        assert answer.status_code == 422, wrong
    many = "&".join(f"of=/live/stream?campaign={number}" for number in range(25))
    assert reader.get(f"/streams?{many}").status_code == 422
    assert 'data-shared="/static/shared.js?v=' in reader.get("/live").text


def test_the_customers_page_lists_customers(world, reader):
    ours = f"/customers/people/{person_named(world, 'ours')}"
    assert ours not in reader.get("/customers").text
    assert f"{ours}?include=all" in reader.get("/customers?include=all").text
    assert "3 of our own people" not in left_out(reader.get("/customers?include=internal"))


def test_who_is_marked_has_a_page_with_his_events(world, reader):
    answer = reader.get(f"/customers/people/{person_named(world, 'ours')}")
    assert "Ad clicked 3" in text_of(answer)
    assert "Traffic everything" in text_of(answer)
    assert "4 of our own people, of this person, in every figure" in left_out(answer)
    robot = reader.get(f"/customers/people/{person_named(world, 'crawler')}")
    assert "Ad clicked 2" in text_of(robot)


def test_who_asks_for_customers_alone_is_told_why_there_is_nothing(world, reader):
    path = f"/customers/people/{person_named(world, 'ours')}"
    answer = reader.get(f"{path}?include=")
    assert "has had no session" in text_of(answer)
    assert "4 of our own people" in left_out(answer)
    assert f'href="{path}?include=all"' in answer.text


def test_a_customer_with_some_events_that_are_none_is_told_of_them(world, reader):
    path = f"/customers/people/{person_named(world, 'buyer')}"
    answer = reader.get(path)
    assert "Ad clicked 1" in text_of(answer)
    assert "1 of test users, of this person" in left_out(answer)
    assert "Ad clicked 2" in text_of(reader.get(f"{path}?include=test"))


def test_an_account_counts_its_customers(reader):
    answer = reader.get("/customers/accounts/acme")
    assert "Ad clicked 1" in text_of(answer)
    said = left_out(answer)
    assert "4 of our own people" in said
    assert "1 of test users" in said
    assert "Ad clicked 5" in text_of(reader.get("/customers/accounts/acme?include=all"))


@pytest.mark.parametrize("query", ["path=x&self=y&chosen=z&text=1", "include=all&as_of=2025-10-10"])
def test_no_parameter_breaks_an_address(world, reader, query):
    for path in ("/customers/accounts/acme", f"/customers/people/{person_named(world, 'buyer')}"):
        assert reader.get(f"{path}?{query}").status_code == 200


def test_marks_are_spelt_as_the_command_line_spells_them():
    assert let_in({"include": "tests,bots"}) == LetIn("bot,test")
    assert let_in({"include": "bots,internal,tests,synthetic"}) == LetIn("all")
    assert let_in({"include": ","}) == LetIn()
    with pytest.raises(BadInput, match="Did you mean `bot`"):
        let_in({"include": "bott"})
    assert Traffic(LetIn("bot"), "/x", {"include": "bot", "a": "1"}).address(LetIn()) == "/x?a=1"


def test_an_account_of_a_sampled_source_stands_for_everybody(tmp_path):
    world = World(tmp_path / "w")
    world.clock.now = NOW
    sampled = AGREED | {"sample_rate": 0.1}
    calls = [
        {"type": "group", "messageId": f"g{n}", "userId": f"u{n}", "groupId": "acme"}
        | {"timestamp": iso(10 + n), "context": sampled}
        for n in range(3)
    ]
    world.send(*calls, track("pin_saved", id="s", user="u1", at=60) | {"context": sampled})
    world.fold()
    reader = Reader(world, "analyst")
    text = text_of(reader.get("/customers/accounts/acme"))
    assert "Pin saved 10" in text
    assert "Joined an account 30" in text
    assert "30 in all, seen last first" in text_of(reader.get("/customers"))
    person = text_of(reader.get(f"/customers/people/{person_named(world, 'u1')}"))
    assert "Pin saved 1 " in person
    world.close()
