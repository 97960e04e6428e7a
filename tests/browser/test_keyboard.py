"""Everything can be reached and worked by keys alone."""

import re

from playwright.sync_api import expect


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim()")


def test_the_first_stop_skips_to_the_answer(visiting):
    with visiting() as visitor:
        visitor.open("/live")
        visitor.page.keyboard.press("Tab")
        assert focused(visitor.page) == "Skip to the answer"
        visitor.page.keyboard.press("Enter")
        assert visitor.page.evaluate("document.activeElement.id") == "main"


def test_every_link_and_control_is_reached_by_tab(visiting):
    with visiting() as visitor:
        visitor.open("/explore")
        wanted = visitor.page.evaluate(
            """() => [...document.querySelectorAll("a[href], button, summary, input, select")]
              .filter((each) => each.checkVisibility()).length"""
        )
        reached = set()
        for _ in range(wanted * 2 + 10):
            visitor.page.keyboard.press("Tab")
            place = visitor.page.evaluate(
                """() => [...document.querySelectorAll("a[href], button, summary, input, select")]
                  .indexOf(document.activeElement)"""
            )
            if place >= 0:
                reached.add(place)
        assert len(reached) == wanted


def test_a_filter_opens_and_closes_by_keys_and_the_choice_is_in_the_address(visiting):
    with visiting() as visitor:
        visitor.open("/explore")
        every = visitor.page.locator("details.filter", has_text="Every week")
        every.locator("summary").focus()
        visitor.page.keyboard.press("Enter")
        expect(every.get_by_role("link", name="by month")).to_be_visible()
        visitor.page.keyboard.press("Escape")
        expect(every.get_by_role("link", name="by month")).to_be_hidden()
        visitor.page.keyboard.press("Enter")
        every.get_by_role("link", name="by month").focus()
        visitor.page.keyboard.press("Enter")
        expect(visitor.page).to_have_url(re.compile("every=month"))
        assert visitor.wrongs == []
