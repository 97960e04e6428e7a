"""The pinboard: what a visitor sees, and what each card would send."""

import pytest

from onefold.model.errors import NotFound
from onefold.web.pages import pinboard


def pin(place, title="Oak shelf", topic="kitchen"):
    return {
        "item_id": f"i{place}",
        "title": title,
        "creator_id": "c1",
        "creator": "Uma",
        "topic": topic,
        "svg": "<svg></svg>",
    }


CONTENT = {
    "items": [pin(place) for place in range(30)] + [pin(30, "Sock heel", "knitting")],
    "boards": [{"board_id": "b1", "name": "Some day", "item_ids": ["i3", "gone"]}],
    "ads": [
        {
            "campaign_id": f"cmp-{place}",
            "account_id": "a",
            "item_id": "i0",
            "title": "Oak",
            "advertiser": "Maple",
            "svg": "<svg></svg>",
            "revenue": 0.35,
            "currency": "USD",
        }
        for place in range(4)
    ],
    "queries": [f"query {place}" for place in range(10)],
}


def test_an_advertisement_stands_after_every_sixth_pin():
    cards = pinboard.shown_of(CONTENT, {})["cards"]
    assert [place for place, card in enumerate(cards) if card["kind"] == "ad"] == [6, 13, 20, 27]


def test_a_click_on_an_advertisement_says_what_it_pays():
    card = next(c for c in pinboard.shown_of(CONTENT, {})["cards"] if c["kind"] == "ad")
    assert card["clicked"] == {
        "campaign_id": "cmp-0",
        "account_id": "a",
        "item_id": "i0",
        "surface": "home_feed",
        "revenue": 0.35,
        "currency": "USD",
    }
    assert card["live"] == "/live/cmp-0"


def test_a_search_finds_by_title_topic_and_creator_the_best_first():
    assert pinboard.matching(CONTENT["items"], "sock knitting")[0]["item_id"] == "i30"
    shown = pinboard.shown_of(CONTENT, {"q": "zebra"})
    assert (shown["results"], shown["cards"]) == (0, [])


def test_what_is_opened_from_a_search_keeps_its_words():
    card = pinboard.shown_of(CONTENT, {"q": "sock"})["cards"][0]
    assert card["opened"]["query"] == "sock"
    assert card["href"] == "/pinboard?pin=i30&q=sock"


@pytest.mark.parametrize("params", [{"pin": "nope"}, {"board": "nope"}, {"q": "   "}])
def test_what_is_not_there_shows_the_home_feed(params):
    assert pinboard.shown_of(CONTENT, params)["surface"] == "home_feed"


def test_a_board_and_a_pin_have_their_own_surfaces():
    assert pinboard.shown_of(CONTENT, {"board": "b1"})["surface"] == "board_suggestions"
    opened = pinboard.shown_of(CONTENT, {"pin": "i3"})
    assert opened["surface"] == "related_pins"
    assert opened["opened"]["item_id"] == "i3"
    assert "i3" not in [card.get("item_id") for card in opened["cards"]]


def test_only_a_demo_has_a_pinboard(tmp_path):
    with pytest.raises(NotFound, match="no pinboard"):
        pinboard.read(tmp_path)
