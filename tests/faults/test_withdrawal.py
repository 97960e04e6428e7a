"""A withdrawal reaches facts, files and webhooks within a minute, each with proof."""

import pytest

from withdrawal import LIMIT_SECONDS, measure


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_withdrawal_reaches_what_has_left_within_a_minute(tmp_path):
    found = measure(tmp_path, rounds=2)
    assert set(found) == {"facts", "files", "webhook", "proof", "proof of webhook"}
    assert max(found.values()) < LIMIT_SECONDS, found
