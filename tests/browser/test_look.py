"""The visual language holds: colours follow the theme, phones begin with headlines."""

import pytest
from playwright.sync_api import expect

PHONE = {"width": 390, "height": 844}
LINE = "document.querySelector('.chart svg.marks .mark-line path').getAttribute('stroke')"


def test_charts_take_their_colours_from_the_theme_and_follow_it(visiting):
    with visiting(color_scheme="light") as visitor:
        visitor.open("/style")
        visitor.drawn()
        assert visitor.page.evaluate(LINE) == "#005e64"
        visitor.page.emulate_media(color_scheme="dark")
        visitor.until(f"{LINE} === '#74c4c9'")
        visitor.page.evaluate("document.documentElement.dataset.theme = 'light'")
        visitor.until(f"{LINE} === '#005e64'")
        assert visitor.wrongs == []


def test_charts_fit_their_block_after_the_window_changes(visiting):
    with visiting() as visitor:
        visitor.open("/style")
        visitor.drawn()
        visitor.page.set_viewport_size(PHONE)
        fits = """[...document.querySelectorAll(".chart")].every((chart) =>
          chart.querySelector("svg.marks").getBoundingClientRect().width <= chart.clientWidth)"""
        visitor.until(fits)
        assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_later_recommendations_begin_as_headlines(visiting):
    with visiting(viewport=PHONE) as visitor:
        visitor.open("/style")
        first, second = visitor.page.locator(".advice").all()
        expect(first.get_by_text("Accept")).to_be_visible()
        expect(second.get_by_text("Accept")).to_be_hidden()
        second.get_by_role("button", name="Show why and how").click()
        expect(second.get_by_text("Accept")).to_be_visible()


@pytest.mark.parametrize("width", [390, 640, 800, 1088, 1280, 1600])
def test_no_width_makes_the_page_scroll_sideways(visiting, width):
    with visiting(viewport={"width": width, "height": 800}) as visitor:
        for path in ("/style", "/settings"):
            visitor.open(path)
            wide = visitor.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, path


def test_a_browser_keeps_the_theme_it_was_told(visiting):
    with visiting(color_scheme="light") as visitor:
        visitor.open("/settings")
        visitor.page.get_by_label("Light or dark").select_option("dark")
        visitor.page.get_by_role("button", name="Keep").click()
        expect(visitor.page.get_by_text("This browser keeps your choice.")).to_be_visible()
        background = "getComputedStyle(document.body).backgroundColor"
        assert visitor.page.evaluate(background) == "rgb(14, 20, 19)"


def test_a_table_that_is_cut_on_a_phone_says_so(visiting):
    cue = """[...document.querySelectorAll('.scroll')].map((block) => [
      block.scrollWidth > block.clientWidth + 1,
      getComputedStyle(block, '::after').content.includes('Scroll sideways')])"""
    with visiting(viewport=PHONE) as visitor:
        visitor.open("/experiments")
        visitor.until("!!document.querySelector('.scroll[data-wide]')")
        found = visitor.page.evaluate(cue)
        assert any(cut for cut, _ in found)
        assert all(cut == said for cut, said in found)
        visitor.page.set_viewport_size({"width": 1600, "height": 900})
        visitor.until("!document.querySelector('.scroll[data-wide]')")


def test_what_cannot_be_chosen_does_not_look_like_a_choice(visiting):
    with visiting() as visitor:
        visitor.open("/")
        said = visitor.page.locator(".filter.fixed").first
        expect(said).to_be_visible()
        border = said.evaluate("(one) => getComputedStyle(one).borderTopColor")
        assert border == "rgba(0, 0, 0, 0)"
