"""Who comes in, and how: a link that opens once, a password, and forms that are one's own."""

import pytest
from playwright.sync_api import expect

PASSWORD = "four little kestrels hover"


@pytest.fixture
def stranger(visiting):
    with visiting(signed_in=False) as visitor:
        yield visitor


def choose_password(visitor):
    visitor.open("/settings")
    form = visitor.page.locator("form[action='/settings/password']")
    form.locator("input[name=password]").fill(PASSWORD)
    form.get_by_role("button").click()
    expect(visitor.page.get_by_text("Your password is set.")).to_be_visible()


def fill_in(visitor, name, password):
    visitor.page.get_by_label("Name").fill(name)
    visitor.page.get_by_label("Password").fill(password)
    visitor.page.get_by_role("button", name="Sign in").click()


def test_a_page_leads_to_the_sign_in_and_back(stranger):
    stranger.open("/experiments")
    assert "/sign-in?next=/experiments" in stranger.page.url


def test_a_link_opens_once_and_a_password_from_then_on(stranger, served):
    served.ask("user", "add", "ines", "--role", "viewer")
    link = served.link("ines")
    stranger.open(link)
    choose_password(stranger)
    stranger.page.get_by_role("button", name="Sign out", exact=True).click()
    expect(stranger.page.get_by_text("You are signed out.")).to_be_visible()
    assert stranger.open(link) in {401, 403}
    stranger.open("/sign-in")
    fill_in(stranger, "ines", "a wrong password")
    expect(stranger.page.get_by_role("alert")).to_be_visible()
    fill_in(stranger, "ines", PASSWORD)
    expect(stranger.page.locator(".asker")).to_contain_text("viewer")


def test_a_form_from_elsewhere_is_refused(visiting, served):
    with visiting() as visitor:
        visitor.open("/settings")
        for form in ({}, {"csrf": "made up"}):
            answer = visitor.context.request.post("/settings/theme", form={"theme": "dark", **form})
            assert answer.status == 403
        assert visitor.context.request.post("/sign-out", form={}).status == 403
        assert visitor.open("/settings") == 200


def test_a_viewer_sees_no_single_person(visiting, served):
    served.ask("user", "add", "vera", "--role", "viewer")
    with visiting(signed_in=False) as visitor:
        visitor.open(served.link("vera"))
        assert visitor.open(f"/customers/people/{served.samples['person']}") == 403
        assert "may not" in visitor.page.locator("h1").inner_text()
        assert visitor.open("/live") == 200
