"""A segment made by a form, kept, chosen on every page of a question, frozen; for its purpose."""

from urllib.parse import urlencode

import pytest

from onefold.model.errors import BadInput, Conflict, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker
from onefold.model.time import DAY, day_of
from onefold.runtime import call
from readers import Reader
from receivers import ALL, event, identify
from worlds import World

pytestmark = pytest.mark.long

MAX, VERA = Asker("Max", "marketer"), Asker("Vera", "viewer")
BUILD, PATH = "/explore/build/segment", "/explore/segments"
FORM = {"label": "Big & true", "description": "Who paid.", "owner": "Shop", "version": "1"}
RULES = {"name_1": "order_paid", "join_2": "not", "of_2": "trait", "name_2": "plan"}
RULES |= {"values_2": "free", "at_least_1": "1", "days_1": "90"}
NO_ADS = ALL | {"advertising": False}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Twelve people: six paid, of whom two are on the free plan and one wants no advertising."""
    found = World(tmp_path_factory.mktemp("segments") / "w")
    for person in range(12):
        agreed = NO_ADS if person == 5 else ALL
        found.send(
            identify(
                f"u{person}", f"i{person}", agreed=agreed, plan="free" if person < 2 else "pro"
            ),
            event("article_viewed", f"v{person}", f"u{person}", at=60, agreed=agreed),
            *(
                [event("order_paid", f"p{person}", f"u{person}", at=120, agreed=agreed)]
                if person < 6
                else []
            ),
        )
    found.fold()
    found.clock.now += 2 * DAY
    yield found
    found.close()


@pytest.fixture(scope="module")
def readers(world):
    return {role: Reader(world, role) for role in ("owner", "marketer", "viewer")}


def ask(world, which, asker=MAX, /, **params):
    return call(world.workspace, asker, which, params).body


def text_of(world, **changed):
    rules = [
        {"name": "order_paid"},
        {"join": "not", "of": "trait", "name": "plan", "values": "free"},
    ]
    return ask(world, "segment compose", **({**FORM, "rules": rules} | changed))["text"]


def members(world, name, **terms):
    return ask(world, "segment show", name=name, **terms)["rows"][-1][1]


def days(world):
    now = world.workspace.clock()
    return {"from": str(day_of(now - 9 * DAY, "UTC")), "to": str(day_of(now, "UTC"))}


def test_the_form_counts_keeps_changes_and_removes(world, readers):
    reader = readers["marketer"]
    assert "No segment is made yet" in reader.get(PATH).text
    page = reader.get(f"{BUILD}?{urlencode(FORM | RULES)}").text
    assert "segment: big_true" in page
    assert "4 people are in it, 33.3" in page
    text = text_of(world)
    kept = reader.post(BUILD, {"do": "segment keep", "text": text}, from_page=BUILD)
    assert kept.headers["location"] == f"{PATH}/big_true"
    shown = reader.get(f"{PATH}/big_true?{urlencode(days(world))}").text
    assert "Who did order_paid, but for who has the plan free" in shown
    assert "from day to day 4 came in and 0 went out" in shown
    assert "SELECT" in shown
    assert "Freeze it" not in shown
    assert "Big &amp; true" in reader.get(PATH).text
    assert "order_paid" in reader.get(f"{BUILD}?segment=big_true").text
    # It stands in no file, and `apply` does not take it away.
    call(world.workspace, OWNER, "apply", {})
    assert members(world, "big_true") == 4
    assert not ask(world, "segment keep", text=text)["changed"]
    with pytest.raises(Conflict, match="says something else") as refused:
        ask(world, "segment keep", text=text_of(world, owner="Sales"))
    assert refused.value.fix == "Write `version: 2`."
    ask(world, "segment keep", text=text_of(world, label="Gone"))
    gone = reader.post(BUILD, {"do": "segment drop", "name": "gone"}, from_page=BUILD)
    assert gone.headers["location"] == PATH
    with pytest.raises(NotFound):
        members(world, "gone")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/explore?metric=weekly_active_people&every=none", "of Big &amp; true in all"),
        ("/explore/funnel?events=article_viewed,+order_paid", "Who went through"),
        ("/explore/retention?start=article_viewed", "Who came back"),
        ("/explore/lifecycle?", "Who is new"),
        ("/explore/stickiness?", "On how many days"),
    ],
)
def test_every_page_of_a_question_offers_segments(world, readers, path, told):
    reader = readers["marketer"]
    ask(world, "segment keep", text=text_of(world))
    given = urlencode(days(world))
    everybody = reader.get(f"{path}&{given}").text
    assert "segment=big_true" in everybody
    page = reader.get(f"{path}&{given}&segment=big_true").text
    assert told in page
    assert "Only people of the segment big_true, as of the end of the days" in page
    # What is taken along and what is put on a dashboard is of the segment too.
    assert page.count("segment=big_true") > everybody.count("segment=big_true")
    assert "&#34;segment&#34;: &#34;big_true&#34;" in page
    assert "No segment <code>other</code>" in reader.get(f"{path}&segment=other").text


def test_figures_of_pages_are_of_the_members_alone(world, readers):
    reader = readers["marketer"]
    ask(world, "segment keep", text=text_of(world))
    given = urlencode({**days(world), "segment": "big_true"})
    metric = reader.get(f"/explore?metric=weekly_active_people&every=none&{given}").text
    assert '<td class="number">4</td>' in metric.replace("\n", "")
    funnel = reader.get(f"/explore/funnel?events=article_viewed,+order_paid&{given}").text
    assert "4 people" in funnel.replace("\xa0", " ")
    question = {"name": "weekly_active_people", "segment": "big_true"}
    ask(world, "dashboard pin", name="ours", ask="metric", params=question, days=9)
    board = reader.get("/explore/dashboards/ours").text
    assert '<td class="number">4</td>' in board.replace("\n", "")
    unfit = reader.get("/explore?metric=time_to_resolution&segment=big_true").text
    assert "not of people" in unfit


def test_who_may_not_be_asked_of_for_its_purpose_is_in_none(world):
    ask(world, "segment keep", text=text_of(world))
    ask(world, "segment keep", text=text_of(world, label="For ads", purpose="advertising"))
    assert members(world, "big_true") == 4
    assert members(world, "for_ads") == members(world, "for_ads", purpose="advertising") == 3
    # Whom the question's own purpose leaves out is no member for it either.
    assert members(world, "big_true", purpose="advertising") == 3
    told = ask(world, "segment show", name="for_ads")
    assert "may be asked of for advertising and analytics" in told["definition"]
    assert told["excluded_by_consent"] > 0
    given = {"name": "weekly_active_people", **days(world)}
    figures = [
        ask(world, "metric", **given, segment=segment)["rows"][0][0]
        for segment in ("big_true", "for_ads")
    ]
    assert figures == [4, 3]
    rows = ask(world, "segment list")["rows"]
    assert {row[0]: row[3] for row in rows} == {"big_true": 4, "for_ads": 3}


def test_a_cohort_is_frozen_from_a_segment(world, readers):
    ask(world, "segment keep", text=text_of(world))
    owner, cohorts = readers["owner"], "/customers/cohorts"
    assert "Freeze it" in owner.get(f"{PATH}/big_true").text
    form = {"do": "cohort freeze", "segment": "big_true", "name": "true now"}
    assert owner.post(cohorts, form, from_page=cohorts).status_code == 303
    told = ask(world, "cohort list", OWNER)["rows"][0]
    assert told[:2] == ["true now", "in segment big_true, version 1, as it was frozen"]
    assert told[3] == 4
    before = str(day_of(world.workspace.clock() - 9 * DAY, "UTC"))
    with pytest.raises(BadInput, match="0 persons are in the segment"):
        ask(world, "cohort freeze", OWNER, name="early", segment="big_true", to=before)
    with pytest.raises(BadInput, match="named at once"):
        ask(world, "cohort freeze", OWNER, name="both", segment="big_true", event="order_paid")
    with pytest.raises(BadInput, match="Whom to freeze is not said"):
        ask(world, "cohort freeze", OWNER, name="none")
    ask(world, "cohort dissolve", OWNER, name="true now")


def test_what_is_wrong_is_told_with_line_and_column(world, readers):
    reader = readers["marketer"]
    page = reader.get(f"{BUILD}?{urlencode({'text': 'segment: x'})}")
    assert page.status_code == 200
    assert "segment:1:1" in page.text
    odd = text_of(world) + "odd: 1\n"
    answer = reader.post(BUILD, {"do": "segment keep", "text": odd}, from_page=BUILD)
    assert answer.status_code == 422
    assert "No field `odd` here." in answer.text.replace("<code>", "`").replace("</code>", "`")
    assert "No change" in reader.post(BUILD, {"do": "odd"}, from_page=BUILD).text
    assert "has no label" in reader.get(f"{BUILD}?label=!&name_1=a").text
    assert "says nothing of who" in reader.get(f"{BUILD}?label=a&description=a&owner=a").text
    for part in ("join", "of"):
        found = reader.get(f"{BUILD}?label=a&description=a&owner=a&name_1=a&{part}_1=odd").text
        assert f"No `{part}`" in found.replace("<code>", "`").replace("</code>", "`")
    assert reader.get(f"{PATH}/none").status_code == 404


def test_askers_who_may_not_are_refused_and_git_wins(world, readers):
    text = text_of(world, label="In git")
    with pytest.raises(NotAllowed):
        ask(world, "segment keep", VERA, text=text)
    assert readers["viewer"].get(BUILD).status_code == 403
    assert "Make a segment" not in readers["viewer"].get(PATH).text
    ask(world, "segment keep", text=text)
    path = world.folder / "definitions" / "segments" / "in_git.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("order_paid", "article_viewed"), encoding="utf-8")
    try:
        assert members(world, "in_git") == 10
        with pytest.raises(Conflict, match="stands in definitions/segments"):
            ask(world, "segment drop", name="in_git")
    finally:
        path.unlink()
    assert members(world, "in_git") == 4


def test_one_that_nobody_asks_of_is_listed_with_its_last_use(world):
    ask(world, "segment keep", text=text_of(world, label="Idle"))

    def stale():
        rows = ask(world, "stale", OWNER, days=30)["rows"]
        return {row[1]: row for row in rows if row[0] == "segment"}

    assert stale()["idle"][-1] == "Nobody asked for it."
    ask(world, "funnel", events=["article_viewed", "order_paid"], segment="idle")
    assert "idle" not in stale()
    moment = world.clock.now
    world.clock.now += 40 * DAY
    assert stale()["idle"][-1].startswith("Nobody asked for it since 2025-")
    # Who was signed in before is not any more.
    assert "Idle" in Reader(world, "owner").get("/explore/stale?days=30").text
    world.clock.now = moment
