"""Countries from a header or a database: only where the source says so, and no address is kept."""

import json

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from onefold.collect import Source, make_catalogue, receive
from onefold.collect.countries import Countries, is_setting
from onefold.metrics import measure
from onefold.metrics.define import parse_metric
from onefold.model.errors import BadInput
from onefold.model.time import DAY
from onefold.runtime import rebuild
from worlds import START, World, track

PROXY = "header:CF-IPCountry"
SAVES = """
metric: saves
label: Saves
description: Pins saved.
owner: Growth
kind: count
numerator: {count: events, events: [pin_saved]}
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Write a database with the records of three makers."""
    path = tmp_path_factory.mktemp("geo") / "countries.mmdb"
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-Country")
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"country": {"iso_code": "DE"}})
    writer.insert_network(IPSet(["198.51.100.0/24"]), {"country_code": "FR", "asn": "AS1"})
    writer.insert_network(IPSet(["203.0.113.0/25"]), {"country": "JP"})
    writer.insert_network(IPSet(["203.0.113.128/25"]), {"city": {"names": {"en": "Nowhere"}}})
    writer.insert_network(IPSet(["2001:db8::/32"]), {"country": {"iso_code": "SE"}})
    writer.to_db_file(str(path))
    return path


def taken(events, *, country="", headers=(), client="", database=None, batch=None, basis="notice"):
    source = Source("app", "wk", basis=basis, country=country)
    return receive(
        source,
        dialect="segment",
        route="batch",
        body=json.dumps({"batch": events} | ({"context": batch} if batch else {})).encode(),
        received_time=START,
        catalogue=make_catalogue(()),
        whence=Countries(database).whence(source, headers, client=client),
    )


def contexts(receipt):
    return [item.get("context", {}) for item in json.loads(receipt.row.body)["batch"]]


def countries(*events, **terms):
    return [context.get("country") for context in contexts(taken(events, **terms))]


def saved(**context):
    return track("pin_saved", id="m", user="u1", at=0) | {"context": context}


def test_a_header_tells_the_country_where_the_source_trusts_it():
    headers = [(b"cf-ipcountry", b"de")]
    assert countries(saved(), country=PROXY, headers=headers) == ["DE"]
    assert countries(saved(), headers=headers) == [None]
    assert countries(saved(), country="header:X-Country", headers=headers) == [None]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [b""],
        [b"XX"],
        [b"T1"],
        [b"zz"],
        [b"Germany"],
        [b"DE, FR"],
        [b"DE", b"FR"],
        [b"DE", b"DE"],
        [b'"}'],
        [b"D\xc9"],
        [b"\xff\xfe"],
        [b"D" * 100_000],
        [b"u1"],
    ],
)
def test_a_hostile_header_tells_nothing(values):
    headers = [(b"cf-ipcountry", value) for value in values]
    assert countries(saved(), country=PROXY, headers=headers) == [None]


def test_what_a_sender_says_stays_and_goes_first(tmp_path):
    headers = [(b"cf-ipcountry", b"DE")]
    events = [
        track("pin_saved", id="a", user="u1"),
        track("pin_saved", id="b", user="u2") | {"context": {"location": {"country": "FR"}}},
        track("pin_saved", id="c", user="u3") | {"context": {"location": {"country": "Italy"}}},
    ]
    receipt = taken(events, country=PROXY, headers=headers, basis="contract")
    assert contexts(receipt)[2] == {"location": {"country": "Italy"}, "country": "DE"}
    world = World(tmp_path / "w")
    world.workspace.log.append([receipt.row])
    world.fold()
    assert by_country(world) == {"DE": 2, "FR": 1}
    before = world.sums()
    rebuild(world.workspace)
    assert world.sums() == before
    assert by_country(world) == {"DE": 2, "FR": 1}
    world.close()


def by_country(world):
    metric = parse_metric(SAVES, "saves.yaml")
    view = world.view()
    answer = measure(view, metric, from_time=START - DAY, to_time=START + DAY, by="country")
    return {row[0]: row[1] for row in answer.rows}


def test_who_does_not_agree_leaves_the_country_and_nothing_else():
    event = track("pin_saved", id="m", user="u1", agreed=False) | {
        "context": {"ip": "192.0.2.1", "location": {"city": "Small Town"}, "country": "FR"}
    }
    receipt = taken([event], country=PROXY, headers=[(b"cf-ipcountry", b"DE")], basis="opt-in")
    assert contexts(receipt) == [{"country": "DE"}]
    assert b"u1" not in receipt.row.body


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("192.0.2.7", "DE"),
        ("::ffff:192.0.2.7", "DE"),
        ("198.51.100.1", "FR"),
        ("203.0.113.1", "JP"),
        ("203.0.113.200", None),
        ("2001:db8::1", "SE"),
        ("10.0.0.1", None),
        ("", None),
        ("no address", None),
        ("192.0.2.7:443", None),
        ("1" * 10_000, None),
        (7, None),
        (None, None),
        ({"a": 1}, None),
    ],
)
def test_a_database_tells_the_country_of_an_address_that_is_not_kept(database, address, country):
    receipt = taken([saved(ip=address)], country="ip", database=database)
    assert contexts(receipt)[0].get("country") == country
    assert "ip" not in contexts(receipt)[0]
    assert not isinstance(address, str) or not address or address.encode() not in receipt.row.body


def test_the_connection_counts_only_where_the_source_says_so(database):
    terms = {"client": "192.0.2.1", "database": database}
    assert countries(saved(), country="ip", **terms) == [None]
    assert countries(saved(), country="connection", **terms) == ["DE"]
    told = [saved(ip="2001:db8::5"), saved(ip="10.0.0.1")]
    assert countries(*told, country="connection", **terms) == ["SE", None]


def test_an_address_told_once_for_a_batch_holds_for_its_events(database):
    events = [saved(), saved(ip="198.51.100.1")]
    batch = {"ip": "192.0.2.1", "locale": "de"}
    receipt = taken(events, country="ip", database=database, batch=batch)
    assert [context["country"] for context in contexts(receipt)] == ["DE", "FR"]
    assert b"192.0.2.1" not in receipt.row.body


def test_a_batch_without_any_country_is_kept_byte_for_byte(database):
    events = [track("pin_saved", id="m", user="u1")]
    receipt = taken(events, country="ip", database=database)
    assert receipt.row.body == json.dumps({"batch": events}).encode()


def test_what_is_no_database_is_said(tmp_path, database):
    (tmp_path / "text.mmdb").write_text("no database")
    (tmp_path / "cut.mmdb").write_bytes(database.read_bytes()[:-200])
    for name in ("missing.mmdb", "text.mmdb", "cut.mmdb", "."):
        with pytest.raises(BadInput) as caught:
            Countries(tmp_path / name)
        assert "country_database" in caught.value.fix


def test_a_broken_record_tells_nothing(tmp_path, database):
    whole = database.read_bytes()
    found = whole.index(b"iso_code")
    (tmp_path / "broken.mmdb").write_bytes(whole[:found] + b"\xff" * 30 + whole[found + 30 :])
    source = Source("app", "wk", country="ip")
    whence = Countries(tmp_path / "broken.mmdb").whence(source, ())
    assert whence.placed(b"{}", b'{"context":{"ip":"192.0.2.1"}}', b"") == b"{}"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("", True),
        ("ip", True),
        ("connection", True),
        ("header:X-Country", True),
        ("header:", False),
        ("header:X Country", False),
        ("header:X-Country\n", False),
        ("header:" + "x" * 65, False),
        ("cf-ipcountry", False),
        ("IP", False),
    ],
)
def test_a_setting_is_checked(text, good):
    assert is_setting(text) is good
