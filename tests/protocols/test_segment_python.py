"""The unmodified segment-analytics-python."""

import pytest
from segment.analytics import Client

from protocols import kept

CONSENT = {"consent": {"categoryPreferences": {"analytics": True, "advertising": False}}}
KINDS = {"track": 2, "identify": 1, "page": 1, "screen": 1, "group": 1, "alias": 1}


def send_every_kind(host, write_key, **options):
    """Send each kind of call through the SDK, wait until it has been answered."""
    failed = []
    client = Client(write_key, host=host, on_error=lambda error, _: failed.append(error), **options)
    client.track(anonymous_id="a-1", event="search_made", properties={"query": "oak shelves"})
    client.identify("u-1", {"plan": "free"}, anonymous_id="a-1", context=CONSENT)
    client.page("u-1", "home", "Start", {"path": "/"})
    client.screen("u-1", "app", "Boards", {})
    client.group("u-1", "advertiser-1", {"industry": "furniture"})
    client.alias("a-0", "u-1")
    client.track("u-1", "pin_saved", {"item_id": "i-1", "board_id": None}, context=CONSENT)
    if not options.get("sync_mode"):
        client.shutdown()
    return failed


@pytest.mark.parametrize("options", [{}, {"gzip": True}, {"sync_mode": True}])
def test_every_kind_of_call_is_there_once(served, tmp_path, options):
    server = served()
    assert send_every_kind(server.url, server.workspace.write_key, **options) == []
    server.wait_folded()
    assert server.workspace.checksums()["events"][0] == sum(KINDS.values())
    server.stop()
    rows = kept.events(server.workspace, tmp_path)
    assert kept.kinds(rows) == KINDS
    saved = next(row for row in rows if row["event"] == "pin_saved")
    assert saved["properties"]["item_id"] == "i-1"
    assert saved["user_key"] is not None
    assert {row["account_id"] for row in rows if row["kind"] == "group"} == {"advertiser-1"}
