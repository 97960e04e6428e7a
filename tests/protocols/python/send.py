"""Sends every kind of call through one unmodified SDK: python send.py SDK HOST WRITE_KEY.

Prints how many track events it sent, and what the SDK says that it lost.
"""

import json
import sys
import threading
from urllib.parse import urlsplit

CONSENT = {"consent": {"categoryPreferences": {"analytics": True, "advertising": False}}}
TRACKS = 4


def pin(number):
    return {"number": number, "item_id": f"i-{number}"}


def segment(host, key):
    from segment.analytics import Client

    failed = []
    client = Client(key, host=host, on_error=lambda error, _: failed.append(str(error)))
    for number in range(TRACKS - 1):
        client.track("u-1", "pin_saved", pin(number), context=CONSENT)
    client.flush()
    client.track(anonymous_id="a-1", event="pin_saved", properties=pin(TRACKS - 1))
    client.identify("u-1", {"plan": "free"}, anonymous_id="a-1", context=CONSENT)
    client.page("u-1", "home", "Start", {"path": "/"})
    client.screen("u-1", "app", "Boards", {})
    client.group("u-1", "advertiser-1", {"industry": "furniture"})
    client.alias("a-0", "u-1")
    client.shutdown()
    return failed


def rudder(host, key):
    from rudderstack.analytics.client import Client

    failed = []
    client = Client(key, host=host, on_error=lambda error, _: failed.append(str(error)), gzip=True)
    for number in range(TRACKS - 1):
        client.track("u-1", "pin_saved", pin(number), context=CONSENT)
    client.flush()
    client.track(anonymous_id="a-1", event="pin_saved", properties=pin(TRACKS - 1))
    client.identify("u-1", {"plan": "free"}, anonymous_id="a-1", context=CONSENT)
    client.page("u-1", "home", "Start", {"path": "/"})
    client.screen("u-1", "app", "Boards", {})
    client.group("u-1", "advertiser-1", {"industry": "furniture"})
    client.alias("a-0", "u-1")
    client.flush()
    client.join()
    return failed


def posthog(host, key):
    from posthog import Posthog

    failed = []
    client = Posthog(key, host=host, on_error=lambda error, _: failed.append(str(error)))
    for number in range(TRACKS - 1):
        client.capture("pin_saved", distinct_id="u-1", properties=pin(number))
    client.flush()
    client.capture("pin_saved", distinct_id="u-1", properties=pin(TRACKS - 1))
    client.set(distinct_id="u-1", properties={"plan": "free"})
    client.capture("$pageview", distinct_id="u-1", properties={"$current_url": "https://x.test/"})
    client.capture("$screen", distinct_id="u-1", properties={"$screen_name": "Boards"})
    client.group_identify("company", "advertiser-1", {"industry": "furniture"}, distinct_id="u-1")
    client.alias("a-0", "u-1")
    client.shutdown()
    return failed


def snowplow(host, key):
    import logging

    from snowplow_tracker import (
        Emitter,
        PagePing,
        PageView,
        ScreenView,
        SelfDescribing,
        SelfDescribingJson,
        StructuredEvent,
        Subject,
        Tracker,
    )

    logging.disable()
    place = urlsplit(host)
    sent = threading.Event()
    left = 2 * TRACKS

    def count(events):
        nonlocal left
        left -= len(events)
        if left <= 0:
            sent.set()

    emitter = Emitter(
        place.hostname,
        protocol="http",
        port=place.port,
        method="post",
        batch_size=TRACKS,
        on_success=count,
    )
    tracker = Tracker(
        namespace="shop", emitters=emitter, app_id=key, subject=Subject().set_user_id("u-1")
    )
    schema = "iglu:com.acme/pin_saved/jsonschema/1-0-0"
    for number in range(TRACKS):
        tracker.track(SelfDescribing(SelfDescribingJson(schema, pin(number))))
    tracker.track(PageView(page_url="https://x.test/", page_title="Start"))
    tracker.track(PagePing(page_url="https://x.test/"))
    tracker.track(ScreenView(name="Boards", id_="1"))
    tracker.track(StructuredEvent(category="boards", action="opened"))
    tracker.flush()
    return [] if sent.wait(60) else [f"{left} events were not taken"]


def main():
    sdk, host, key = sys.argv[1:]
    failed = {"segment": segment, "rudder": rudder, "posthog": posthog, "snowplow": snowplow}[sdk](
        host, key
    )
    sys.stdout.write(json.dumps({"failed": failed}))


if __name__ == "__main__":
    main()
