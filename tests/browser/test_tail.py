"""The live tail moves by itself, keeps its filters, and leads to the way of a message."""

import httpx
from playwright.sync_api import expect

AGREED = {"consent": {"categoryPreferences": {"analytics": True}}}


def send(served, message_id, event, **properties):
    body = {
        "messageId": message_id,
        "userId": "tail-visitor",
        "event": event,
        "properties": properties,
        "context": AGREED,
    }
    answer = httpx.post(
        f"{served.address}/v1/track", json=body, auth=(served.write_key, ""), timeout=30
    )
    assert answer.status_code == 200


def test_a_message_shows_without_loading_again_and_leads_to_its_way(served, visiting):
    with visiting(reduced_motion="no-preference") as visitor:
        visitor.open("/data/tail?event=tail_opened")
        expect(visitor.page.get_by_role("heading", level=1)).to_contain_text("Nothing of that")
        send(served, "tail-1", "tail_opened", size=3, mail="jo@example.com")
        link = visitor.page.get_by_role("link", name="tail_opened")
        expect(link).to_be_visible()
        expect(visitor.page.locator("#tail")).to_contain_text("counts")
        link.click()
        way = visitor.page.locator("#way")
        expect(way).to_contain_text("In the log")
        expect(way).to_contain_text('"size": 3')
        expect(way).not_to_contain_text("jo@example.com")
        expect(visitor.page.locator("body")).not_to_contain_text("tail-visitor")
        assert visitor.wrongs == []


def test_what_waits_is_found_by_its_verdict(served, visiting):
    send(served, "tail-2", "pin_opened", surface="nowhere")
    with visiting() as visitor:
        visitor.open("/data/tail")
        visitor.page.locator("summary", has_text="Verdict").click()
        visitor.page.get_by_role("link", name="waits", exact=True).click()
        expect(visitor.page.locator("#tail")).to_contain_text("waits")
        expect(visitor.page.locator("#tail")).not_to_contain_text("counts")


def test_the_tabs_of_a_browser_share_one_stream(served, visiting):
    with visiting(reduced_motion="no-preference") as visitor:
        visitor.open("/data/tail?event=shared_opened")
        other = visitor.page.context.new_page()
        asked = []
        for page in (visitor.page, other):
            page.on("request", lambda request: asked.append(request.url))
        other.goto(f"{served.address}/data/tail?event=shared_closed")
        expect(other.locator("#fresh")).to_contain_text("behind")
        for name in ("shared_opened", "shared_closed"):
            send(served, f"of-{name}", name)
        expect(visitor.page.get_by_role("link", name="shared_opened")).to_be_visible()
        expect(other.get_by_role("link", name="shared_closed")).to_be_visible()
        assert not [url for url in asked if "stream" in url], "a worker asks, and no page"
        other.close()
        send(served, "of-it-again", "shared_opened")
        expect(visitor.page.get_by_role("link", name="shared_opened")).to_have_count(2)
        assert visitor.wrongs == []
