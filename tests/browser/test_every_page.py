"""Every page stands: no error, nothing the policy forbids, nothing axe finds, at any width."""

from importlib import import_module
from pkgutil import iter_modules
from urllib.parse import quote

import pytest
from starlette.routing import Route

from onefold.web import pages

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MODES = {"light": ("light", WIDE), "dark": ("dark", WIDE), "phone": ("light", PHONE)}
NOT_PAGES = {
    "/connect/state",
    "/live/stream",
    "/data/tail/stream",
    "/streams",
    "/explore/sql.csv",
    "/health/facts",
    "/govern/trail.csv",
    "/govern/trail.jsonl",
    "/sign-in",
    "/sign-in/provider",
    "/sign-in/provider/back",
}
ALSO = (
    "/live/{campaign}",
    "/experiments/larger-first-pins",
    "/experiments/new-board-button",
    "/explore?metric=click_rate&every=week&by=surface",
    "/explore?metric=ad_revenue_per_engaged_user&every=day",
    "/explore/metrics/click_rate",
    "/explore/dashboards/market",
    "/explore/dashboards/discovery",
    "/explore/sql?ask=1&q=select+event,+count(*)+from+events+group+by+event",
    "/pinboard?q=oak",
    "/pinboard?pin=i1",
    "/customers/accounts/{account}",
    "/customers/people/{person}",
)


def plain_pages() -> list[str]:
    """Return the address of every page that takes no name."""
    found = set()
    for module in iter_modules(pages.__path__):
        for route in getattr(import_module(f"{pages.__name__}.{module.name}"), "routes", []):
            if isinstance(route, Route) and "{" not in route.path and "GET" in route.methods:
                found.add(route.path)
    return sorted(found - NOT_PAGES)


def looks_right(visitor):
    """Check a page in light, in dark and on a phone: nothing too wide, nothing axe finds."""
    for mode, (scheme, size) in MODES.items():
        visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        visitor.page.set_viewport_size(size)
        visitor.drawn()
        wide = visitor.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{mode}: {wide} px too wide"
        assert visitor.axe() == [], mode
    assert visitor.wrongs == []


@pytest.mark.parametrize("path", [*plain_pages(), *ALSO])
def test_a_page_stands_in_light_in_dark_and_on_a_phone(path, served, visiting):
    named = {name: quote(value, safe="") for name, value in served.samples.items()}
    with visiting() as visitor:
        assert visitor.open(path.format(**named)) == 200
        assert visitor.page.locator("h1").count() == 1
        looks_right(visitor)


def test_the_sign_in_stands_too(visiting):
    with visiting(signed_in=False) as visitor:
        assert visitor.open("/sign-in") == 200
        looks_right(visitor)


@pytest.mark.parametrize(
    "path", [*plain_pages(), "/live/{campaign}", "/experiments/larger-first-pins"]
)
def test_a_page_stands_without_scripts(path, served, visiting):
    with visiting(java_script_enabled=False) as visitor:
        assert visitor.open(path.format(**served.samples)) == 200
        assert visitor.page.locator("h1").inner_text().strip()
        charts = visitor.page.locator(".chart").count()
        tables = visitor.page.locator("table").count()
        assert tables >= charts


def test_the_wheel_of_pages_can_be_clicked_through(visiting):
    with visiting() as visitor:
        visitor.open("/")
        for name in ("Live", "Customers", "Experiments", "Explore", "Data", "Settings", "Today"):
            visitor.page.get_by_role("navigation", name="Pages").get_by_role(
                "link", name=name, exact=True
            ).click()
            current = visitor.page.locator(".stops [aria-current=page]")
            assert current.inner_text() == name
        assert visitor.wrongs == []


def test_a_segment_is_made_asked_of_and_removed_by_clicks(visiting):
    with visiting() as visitor:
        page = visitor.page
        visitor.open("/explore/segments")
        page.get_by_role("link", name="Make a segment").click()
        page.locator("[name=label]").fill("Keen savers")
        page.locator("[name=description]").fill("They save often.")
        page.locator("[name=name_1]").fill("pin_saved")
        page.locator("[name=at_least_1]").fill("3")
        page.get_by_role("button", name="Write and count it").click()
        assert "in it" in page.locator("h1").inner_text()
        looks_right(visitor)
        page.set_viewport_size(WIDE)
        page.get_by_role("button", name="Keep what was tried").click()
        assert "people are in it" in page.locator("h1").inner_text()
        looks_right(visitor)
        page.set_viewport_size(WIDE)
        page.get_by_role("link", name="A funnel").click()
        assert "Keen savers" in page.locator(".bar").inner_text()
        page.get_by_role("link", name="Segments").click()
        page.get_by_role("link", name="Keen savers").click()
        page.get_by_role("button", name="Remove it").click()
        assert page.get_by_role("link", name="Keen savers").count() == 0
        assert visitor.wrongs == []


def test_a_page_that_is_not_there_says_so(visiting):
    with visiting() as visitor:
        assert visitor.open("/nowhere") == 404
        assert "no page" in visitor.page.locator("h1").inner_text()


def test_a_question_in_sql_that_has_no_answer_stands_too(visiting):
    with visiting() as visitor:
        assert visitor.open("/explore/sql?ask=1&q=select+*+from+nothing") == 404
        assert "nothing" in visitor.page.locator("main").inner_text()
        # A browser tells of the status by itself.
        visitor.wrongs.clear()
        looks_right(visitor)


def test_a_question_that_cannot_be_asked_offers_the_one_that_was_meant(visiting):
    with visiting() as visitor:
        assert visitor.open("/explore?metric=saves_per_sesion") == 404
        assert visitor.axe() == []
        visitor.page.get_by_role("link", name="Ask for saves_per_session").click()
        assert "Saves per session" in visitor.page.locator("h1").inner_text()
