"""Consent objects, TC and GPP strings, regions: what an event is kept for."""

import json

import pytest

from onefold.consent import Gate, rules, saying
from onefold.consent.gpp import read_gpp
from onefold.consent.tcf import read_tc
from onefold.model.errors import BadInput
from onefold.model.time import DAY

TC = "CQfAJEAQfmSeAAfACBEND6EgALAAAEIAAAYgFeQAwABAAKAV4AAAAAAA.YAAAAAAAAAAA"
"""By @iabtcf/core 1.5.6: purposes 1, 3, 4 and vendors 2, 10, 700."""
GPP = "DBABrw~CAAQAAAAAABA.YA~BAgAAABA.QA"
"""By @iabgpp/cmpapi 3.2.0: out of sale in usnat, with Global Privacy Control."""


def mask(consent, *, basis="opt-in", country="", laid_down=None):
    gate = Gate(laid_down)
    region = gate.rules.region_of(country=country)
    return gate.mask(basis, None if consent is None else json.dumps(consent).encode(), region)


def test_a_tc_string_is_read_as_it_was_written():
    said = read_tc(TC)
    assert said.purposes == {1, 3, 4}
    assert said.interests == {2, 7}
    assert said.vendors == {2, 10, 700}
    assert (said.cmp_id, said.country) == (31, "DE")
    assert said.updated_time == 1_771_000_000_000_000


def test_a_tc_string_answers_what_the_table_maps():
    assert mask({"tcf": TC}) == 4
    assert mask({"tcString": TC}, basis="notice") == 4 | 8, "sharing is not told by it"
    laid_down = rules.parse_consent("tcf: {advertising: [1, 3]}\ntcf_vendor: 11\n", "c")
    assert mask({"tcf": TC}, laid_down=laid_down) == 0, "we are vendor 11, who is not consented to"


def test_a_gpp_string_refuses_sale_and_what_the_browser_refuses():
    assert read_gpp(GPP).gpc
    assert mask({"gpp": GPP}, basis="notice") == 1 | 2
    assert mask({"gpp": GPP, "categoryPreferences": {"advertising": True}}, basis="notice") == 3


@pytest.mark.parametrize(
    "consent",
    [
        {"tcf": "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA?"},
        {"tcf": TC[:20]},
        {"tcf": "B" + TC[1:]},
        {"tcf": 7},
        {"gpp": "DBABrw~CAAQAAAAAABA"},
        {"gpp": "DBAB"},
        {"gpp": "DB" + "A" * 30_000},
        {"tcf": "C" * 30_000},
        {"gpp": GPP, "tcf": "\u0000"},
        {"categoryPreferences": [True]},
    ],
)
def test_what_cannot_be_read_is_a_no_to_everything_and_says_nothing_of_the_person(consent):
    assert mask(consent, basis="notice") == 0
    answers = Gate().answers(json.dumps(consent).encode())
    assert not answers.readable
    assert answers.said == 0


@pytest.mark.parametrize("text", ["", "~", "C", "\u20ac", "DBABMA~", "DBACNYA~x~y"])
def test_broken_strings_are_refused_with_a_reason(text):
    for read in (read_tc, read_gpp):
        with pytest.raises(BadInput) as refused:
            read(text)
        assert refused.value.fix


def test_where_a_basis_does_not_hold_nothing_is_allowed_unasked():
    assert mask(None, basis="notice") == 15
    assert mask(None, basis="notice", country="DE") == 0
    assert mask(None, basis="notice", country="de") == 0
    assert mask(None, basis="contract", country="NO") == 3
    assert mask(None, basis="notice", country="US") == 15
    assert mask({"categoryPreferences": {"advertising": True}}, basis="notice", country="FR") == 4


def test_a_source_names_a_region_or_a_country_and_a_request_goes_before():
    laid_down = rules.shipped_consent()
    assert laid_down.region_of(region="eea").name == "eea"
    assert laid_down.region_of(region="GB").name == "uk"
    assert laid_down.region_of(country="US", region="eea").name == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("before: maybe\n", "maybe"),
        ("purposes: {analytics: {}}\n", "purpose of your own"),
        ("purposes: {'<b>': {}}\n", "purpose of your own"),
        ("regions: [{name: x, countries: [Germany]}]\n", "no country"),
        ("regions: [{name: x, bases: [vibes]}]\n", "vibes"),
        ("tcf: {advertising: [12]}\n", "by number"),
        ("tcf: {fun: [1]}\n", "fun"),
        ("categories: {C1: fun}\n", "fun"),
        ("hold: 3\n", "hold"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_at_its_place(text, said):
    with pytest.raises(BadInput, match=said) as refused:
        rules.parse_consent(text, "consent.yaml")
    assert refused.value.message.startswith("consent.yaml:1:")


def test_a_string_holds_no_longer_than_the_day_it_was_made():
    answers = saying.of_tc(TC, rules.shipped_consent())
    assert answers.latest_time == read_tc(TC).updated_time + DAY
