"""The snippet of "Connect your app" works as it is copied, in a page that knows of no bundler."""

import re
from pathlib import Path

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "connect-your-app.md"


def sends(visitor, served, html, event):
    """Return whether a page with a snippet sends an event that counts."""
    visitor.page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    visitor.page.goto(f"{served.address}/health/live")
    with visitor.page.expect_response(lambda answer: answer.url.endswith("/v1/t")) as answered:
        visitor.page.set_content(f"<!doctype html><title>A shop</title>{html}")
    told = answered.value.json()
    sent = answered.value.request.post_data_json
    assert sent["event"] == event
    assert sent["context"]["consent"]["categoryPreferences"]["analytics"] is True
    return told["success"] and visitor.wrongs == []


def test_the_snippet_of_the_page_sends(visiting, served):
    with visiting() as visitor:
        visitor.open("/connect")
        snippet = visitor.page.locator("#browser code").inner_text()
        assert sends(visitor, served, snippet, "pin_saved")


def test_the_snippet_of_the_document_sends(visiting, served):
    (snippet,) = re.findall(r"```html\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    host = served.address.removeprefix("http://")
    snippet = snippet.replace("https://events.example.com", served.address)
    snippet = snippet.replace("events.example.com", host).replace('"https"', '"http"')
    snippet = snippet.replace("WRITE_KEY", served.write_key)
    with visiting() as visitor:
        assert sends(visitor, served, snippet, "pin_saved")
