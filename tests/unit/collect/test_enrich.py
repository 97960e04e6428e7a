import json

import pytest

from onefold.collect.agents import agent_of
from onefold.collect.channels import Arrival, ChannelTable, parse_channels, shipped_channels
from onefold.collect.enrich import Context, Enricher, context_key
from onefold.model.errors import BadInput
from onefold.model.facts import CONTEXT

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/128.0.0.0 Safari/537.36"
)
TABLET = (
    "Mozilla/5.0 (Linux; Android 14; SM-X200) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/127.0.0.0 Safari/537.36"
)
PIXEL = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/127.0.0.0 Mobile Safari/537.36"
)
TELEVISION = (
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 2.4.0) AppleWebkit/538.1 (KHTML, like Gecko) "
    "SamsungBrowser/1.1 TV Safari/538.1"
)
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)


def enriched(context) -> Context:
    enricher = Enricher(shipped_channels(), ["*headless*"])
    (place,) = enricher.places([json.dumps(context).encode()])
    return enricher.at(place).context


@pytest.mark.parametrize(
    ("agent", "browser", "system", "device"),
    [
        (CHROME, "Chrome", "Windows", "desktop"),
        (PHONE, "Mobile Safari", "iOS", "mobile"),
        (PHONE.replace("iPhone;", "iPad;"), "Mobile Safari", "iOS", "tablet"),
        (TABLET, "Chrome", "Android", "tablet"),
        (PIXEL, "Chrome Mobile", "Android", "mobile"),
        (TELEVISION, "Samsung Internet", "Tizen", "tv"),
        ("something nobody knows", None, None, "other"),
        ("", None, None, None),
        (CHROME * 500, "Chrome", "Windows", "desktop"),
    ],
)
def test_a_user_agent_says_browser_system_and_device(agent, browser, system, device):
    found = agent_of(agent)
    assert (found.browser, found.system, found.device) == (browser, system, device)
    assert not found.spider


def test_a_crawler_is_known_as_one():
    agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    assert agent_of(agent).spider


@pytest.mark.parametrize(
    ("arrival", "channel"),
    [
        (Arrival(), None),
        (Arrival(host="shop.example"), "direct"),
        (Arrival(host="shop.example", referrer="shop.example"), "internal"),
        (Arrival(host="shop.example", referrer="news.example"), "referral"),
        (Arrival(host="shop.example", referrer="google.co.uk"), "organic search"),
        (Arrival(host="shop.example", referrer="l.instagram.com"), "social"),
        (Arrival(host="shop.example", referrer="mail.google.com"), "email"),
        (Arrival(host="shop.example", referrer="gemini.google.com"), "assistants"),
        (Arrival(host="shop.example", parameters=["gclid"]), "paid search"),
        (Arrival(referrer="google.com", parameters=["gclid"]), "paid search"),
        (Arrival(source="google", medium="CPC"), "paid search"),
        (Arrival(source="facebook.com", medium="paid-social"), "paid social"),
        (Arrival(source="spring", medium="newsletter"), "email"),
        (Arrival(source="partnerpage", medium="paid"), "other paid"),
        (Arrival(source="leaflet"), "campaigns"),
        (Arrival(source="fb", host="shop.example", referrer="shop.example"), "internal"),
    ],
)
def test_the_shipped_table_names_the_channel(arrival, channel):
    assert ChannelTable(shipped_channels()).channel(arrival) == channel


def test_a_workspace_has_channels_of_its_own():
    channels = parse_channels(
        """
own_hosts: [shop.example]
sites: {forums: [hobby.example]}
rules:
  - {channel: forums, site: forums}
  - {channel: leaflets, campaign: "leaflet-*"}
  - {channel: ours, referrer: own}
""",
        "channels.yaml",
    )
    table = ChannelTable(channels)
    assert table.channel(Arrival(referrer="www.hobby.example")) == "forums"
    assert table.channel(Arrival(campaign="Leaflet-3")) == "leaflets"
    assert table.channel(Arrival(host="pay.example", referrer="eu.shop.example")) == "ours"
    assert table.channel(Arrival(referrer="google.com")) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rules:\n  - {medium: cpc}", "channels.yaml:2:5: `channel` is missing."),
        ("rules:\n  - {channel: a, medum: b}", "Did you mean `medium`?"),
        ("rules:\n  - {channel: a, site: b}", "channels.yaml:2:24: `site` cannot be `b`."),
        ("rules:\n  - {channel: a, referrer: some}", "`referrer` cannot be `some`."),
        ("rules: {channel: a}", "channels.yaml:1:8: `rules` is no list."),
        ("rules: [a]", "channels.yaml:1:9: `rules` holds no fields."),
        ("rows: []", "No field `rows` here."),
    ],
)
def test_a_table_that_cannot_be_used_says_where(text, complaint):
    with pytest.raises(BadInput) as caught:
        parse_channels(text, "channels.yaml")
    assert complaint in caught.value.message


def test_a_context_becomes_short():
    context = {
        "userAgent": CHROME,
        "page": {
            "url": "https://www.shop.example/lamps?utm_source=google&utm_medium=cpc&gclid=x",
            "referrer": "https://someone@www.google.com:443/search?q=private+words",
        },
        "locale": "de-DE",
        "location": {"country": "de"},
        "library": {"name": "analytics.js"},
    }
    assert enriched(context) == Context(
        browser="Chrome",
        browser_version="128",
        system="Windows",
        device="desktop",
        channel="paid search",
        referrer="google.com",
        utm_source="google",
        utm_medium="cpc",
        country="DE",
        language="de",
        library="analytics.js",
    )


def test_a_campaign_that_the_sdk_tells_goes_before_the_address():
    found = enriched(
        {
            "campaign": {"source": "news", "medium": "email", "name": "spring"},
            "page": {"url": "https://shop.example/?utm_source=other", "search": "?utm_term=lamp"},
        }
    )
    assert (found.channel, found.utm_source, found.utm_campaign) == ("email", "news", "spring")
    assert found.utm_term is None


def test_an_app_without_user_agent_says_its_system():
    found = enriched({"os": {"name": "Android", "version": "14"}})
    assert (found.system, found.device, found.browser) == ("Android", "mobile", None)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"null",
        b"3",
        b"[]",
        b"{}",
        b'{"consent":{"categoryPreferences":{}}}',
        b'{"locale":7,"page":[],"campaign":"x","location":{"country":"Germany"},"os":null}',
        b'{"page":{"url":"no address","referrer":"//nothing"}}',
        b'{"campaign":{"source":"jo@example.com","name":"+49 30 1234567"}}',
        b'{"userAgent":"  ","locale":"' + b"x" * 300 + b'"}',
        b'{"broken',
    ],
)
def test_a_context_that_says_nothing_has_no_row(sent):
    enricher = Enricher(shipped_channels(), ["*headless*"])
    surrounding = enricher.at(enricher.places([sent])[0])
    assert (surrounding.key, surrounding.context) == (None, Context())


def test_one_bad_part_costs_only_itself():
    found = enriched({"userAgent": 7, "page": {"url": 3, "referrer": "https://news.example/"}})
    assert found == Context(channel="referral", referrer="news.example")
    halved = Enricher(shipped_channels(), ["*headless*"])
    place = halved.places([rb'{"locale":"fr-FR","campaign":{"name":"cut \ud83d"}}'])[0]
    assert halved.at(place).context == Context(
        language="fr", utm_campaign="cut \N{REPLACEMENT CHARACTER}"
    )


def test_a_query_with_too_many_parts_says_nothing():
    address = "https://shop.example/?" + "&".join(f"a{n}=1" for n in range(500))
    assert enriched({"page": {"url": address}}) == Context(channel="direct")


def test_keys_are_of_what_a_context_says_and_rows_have_its_columns():
    assert Context.__struct_fields__ == CONTEXT
    assert context_key(Context(country="DE")) == -5_653_250_844_767_730_431
    assert context_key(Context(country="DE")) != context_key(Context(language="DE"))


def test_the_enricher_forgets_before_it_grows(monkeypatch):
    monkeypatch.setattr("onefold.collect.enrich._MOST_KNOWN", 2)
    enricher = Enricher(shipped_channels(), ["*headless*"])
    contexts = [json.dumps({"locale": name}).encode() for name in ("de", "fr", "it", "de")]
    places = enricher.places(contexts)
    assert places[0] == places[3]
    enricher.make_room()
    (place,) = enricher.places(contexts[1:2])
    assert (place, enricher.at(place).context) == (0, Context(language="fr"))
