"""What a consent object and a legal basis allow together."""

import msgspec
import pytest

from onefold.consent import BASES, Gate, keeps_identifiers, purpose_bit, purposes_in, rules
from onefold.model.errors import NotFound

ANALYTICS, PERSONALIZATION, ADVERTISING, SHARING = 1, 2, 4, 8
ALL = 15


def granted(basis, preferences, categories=None):
    gate = Gate(rules.shipped_consent().with_categories(categories or {}))
    consent = None
    if preferences is not None:
        consent = msgspec.json.encode({"categoryPreferences": preferences})
    return gate.mask(basis, consent, gate.rules.elsewhere)


def test_opt_in_allows_nothing_unasked():
    assert granted("opt-in", None) == 0
    assert granted("opt-in", {}) == 0
    assert not keeps_identifiers(granted("opt-in", {"advertising": True}))


def test_opt_in_allows_what_was_said_yes_to():
    assert granted("opt-in", {"analytics": True, "advertising": False}) == ANALYTICS
    assert granted("opt-in", dict.fromkeys(("analytics", "sharing"), True)) == ANALYTICS | SHARING


def test_notice_and_contract_hold_without_an_object():
    assert granted("notice", None) == ALL
    assert keeps_identifiers(granted("contract", None))
    assert granted("contract", None) & SHARING == 0


@pytest.mark.parametrize("basis", BASES)
def test_a_refusal_is_respected_under_every_basis(basis):
    mask = granted(basis, {"analytics": False})
    assert not keeps_identifiers(mask)
    assert granted(basis, {}) == 0


@pytest.mark.parametrize("answer", [None, "true", 1, {}, [True]])
def test_only_true_is_a_yes(answer):
    assert granted("notice", {"analytics": answer}) & ANALYTICS == 0


def test_names_are_matched_whatever_their_case_and_spelling():
    said = {"Analytics": True, "ADVERTISING": True, "personalisation": True, "Data Sharing": True}
    assert granted("opt-in", said) == ALL


def test_codes_of_a_banner_are_matched_by_the_workspaces_map():
    categories = {"C0002": "analytics", "C0004": "advertising"}
    assert granted("opt-in", {"c0002": True, "C0004": False}, categories) == ANALYTICS
    assert granted("opt-in", {"C0009": True}, categories) == 0


def test_a_purpose_of_several_categories_needs_a_yes_to_each():
    said = {"analytics": True, "performance": False}
    assert granted("opt-in", said) == 0


def test_purposes_and_their_bits():
    assert purposes_in(purpose_bit("personalization") | purpose_bit("sharing")) == (
        "personalization",
        "sharing",
    )
    with pytest.raises(NotFound, match="analytics"):
        purpose_bit("analytic")
    assert granted("optin", None) == 0
