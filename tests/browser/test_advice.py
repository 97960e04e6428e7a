"""A recommendation that was dismissed stays away."""

from playwright.sync_api import expect


def test_what_is_dismissed_stays_away(visiting):
    with visiting() as visitor:
        visitor.open("/")
        first = visitor.page.locator("article.advice").first
        what = first.locator("h3").inner_text()
        first.get_by_role("button", name="Dismiss").click()
        confirm = visitor.page.locator("form").get_by_role("button", name="Dismiss it")
        if confirm.count():
            confirm.first.click()
        advised = visitor.page.locator("article.advice h3")
        expect(advised.filter(has_text=what)).to_have_count(0)
        visitor.open("/")
        expect(advised.filter(has_text=what)).to_have_count(0)
        assert visitor.wrongs == []
