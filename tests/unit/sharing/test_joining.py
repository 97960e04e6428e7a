"""Joins tell of groups and never of a person, whatever is asked around him."""

import hmac
from hashlib import sha256

import numpy as np
import pytest

from onefold.model.errors import BadInput, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker
from onefold.sharing import budget, intersections, joins
from onefold.sharing.joining import digest_of
from receivers import ALL, House, event, identify

pytestmark = [pytest.mark.usefixtures("later"), pytest.mark.long]

PEOPLE = 120


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = House.make(tmp_path_factory.mktemp("joins"))
    for number in range(PEOPLE):
        agreed = ALL if number < 100 else ALL | {"sharing": False}
        made.world.send(
            identify(f"u{number}", f"i{number}", agreed=agreed, email=f"u{number}@example.com"),
            event("pin_saved" if number < 60 else "pin_opened", f"m{number}", f"u{number}"),
        )
    made.world.fold()
    yield made
    made.world.close()


def view(house):
    return house.world.view(purpose="sharing")


def write(tmp_path, names, name="partner.csv", more=lambda _: "a"):
    path = tmp_path / name
    lines = "".join(f"{one},{more(one)}\n" for one in names)
    path.write_text("mail,segment\n" + lines)
    return path


def ask(house, path, asker=OWNER, **more):
    workspace = house.world.workspace
    asked = joins.Joined(file=path, **{"column": "mail"} | more)
    return joins.join_partner(
        view(house), workspace.vault, house.state, asker, asked, workspace.identity_key
    )


def mails(*numbers):
    return [f"U{number}@Example.com" for number in numbers]


def test_a_join_counts_whom_consent_lets_in(house, tmp_path):
    path = write(tmp_path, [*mails(*range(80, 120)), *(f"x{i}@y.org" for i in range(10))])
    (row,) = ask(house, path).rows
    assert row == ("everybody", 50, 20, 0.4, None)


def test_groups_under_k_are_not_told_nor_what_would_tell_of_them(house, tmp_path):
    segment = {**dict.fromkeys(range(40), "a"), **dict.fromkeys(range(40, 75), "b")}
    path = write(
        tmp_path, mails(*range(80)), more=lambda m: segment.get(int(m[1 : m.index("@")]), "c")
    )
    rows = {row[0]: row[2] for row in ask(house, path, by="segment").rows}
    # c has five persons; beside a and the total, b would tell of them.
    assert rows == {"everybody": 80, "a": 40}


def test_what_a_group_did_is_told_only_where_enough_did_and_did_not(house, tmp_path):
    path = write(tmp_path, mails(*range(30, 100)))
    (row,) = ask(house, path, event="pin_saved").rows
    assert row[4] == 30
    path = write(tmp_path, mails(*range(10, 62)), name="other.csv")
    (row,) = ask(house, path, event="pin_saved").rows
    assert row[4] is None


def test_two_answers_that_differ_by_one_person_are_refused(house, tmp_path):
    ask(house, write(tmp_path, mails(*range(50))))
    with pytest.raises(NotAllowed, match="fewer than 20"):
        ask(house, write(tmp_path, mails(*range(51))))


def test_neither_another_name_nor_session_nor_colleague_gets_round_it(house, tmp_path):
    ask(house, write(tmp_path, mails(*range(50))))
    for name, asker in (
        ("renamed.csv", OWNER),
        ("again.csv", Asker("Ines", "analyst")),
        ("key.csv", Asker("key:robot", "owner")),
    ):
        with pytest.raises(NotAllowed):
            ask(house, write(tmp_path, mails(*range(51)), name=name), asker)
    with pytest.raises(NotAllowed):
        ask(house, write(tmp_path, mails(*range(51)), more=str), by="")


def test_adding_a_stranger_is_refused_as_well_so_a_refusal_tells_nothing(house, tmp_path):
    ask(house, write(tmp_path, mails(*range(50))))
    with pytest.raises(NotAllowed):
        ask(house, write(tmp_path, [*mails(*range(50)), "nobody@example.org"]))


def test_the_same_question_again_tells_nothing_new_and_costs(house, tmp_path):
    path = write(tmp_path, mails(*range(50)))
    assert ask(house, path).rows == ask(house, path).rows
    (mine, *_) = [row for row in budget.listed(house.state).rows if row[1] == OWNER.name]
    assert mine[2:4] == (2, budget.MOST_ANSWERS - 2)


def test_refusals_use_the_budget_up_too_and_then_nothing_is_told(house, tmp_path):
    ask(house, write(tmp_path, mails(*range(50))))
    for number in range(budget.MOST_ANSWERS - 1):
        with pytest.raises(NotAllowed, match="fewer than"):
            ask(house, write(tmp_path, mails(*range(51 + number % 9))))
    with pytest.raises(NotAllowed, match="used up"):
        ask(house, write(tmp_path, mails(*range(90))))
    house.world.clock.now += budget.WINDOW + 1
    assert ask(house, write(tmp_path, mails(*range(90)))).rows[0][2] == 90


def test_many_askers_share_one_budget(house):
    cost, of = budget.Cost("join", answers=budget.MOST_ANSWERS), budget.data_set("production")
    for number in range(3):
        budget.spend(house.state, Asker(f"a{number}", "analyst"), of, cost)
    with pytest.raises(NotAllowed, match="all together"):
        budget.spend(house.state, Asker("a4", "analyst"), of, budget.Cost("join", answers=1))


def test_an_attack_by_differences_learns_nobody(house, tmp_path):
    """Ask around one person in every way that two counts could tell of him."""
    draw = np.random.default_rng(7)
    learned = []
    for _round in range(30):
        house.world.clock.now += budget.WINDOW + 1
        others = draw.choice(100, size=int(draw.integers(20, 60)), replace=False)
        target = int(draw.integers(100))
        without = [int(n) for n in others if n != target]
        try:
            one = ask(house, write(tmp_path, mails(*without))).rows[0][2]
            two = ask(house, write(tmp_path, mails(*without, target))).rows[0][2]
        except NotAllowed:
            continue
        learned.append(two - one)
    assert learned == []


def test_a_file_of_hashes_joins_under_the_key_agreed_on(house, tmp_path):
    def hashed(mail):
        return hmac.new(b"agreed", mail.lower().encode(), sha256).hexdigest()

    path = write(tmp_path, [hashed(one) for one in mails(*range(60))])
    assert ask(house, path, salt="agreed").rows[0][2] == 60
    (row,) = ask(house, path, salt="another").rows
    assert row[2] is None
    assert digest_of(b"agreed", "email", "U1@Example.com ") == hashed("u1@example.com")


def test_no_value_of_a_file_stays(house, tmp_path):
    ask(house, write(tmp_path, [*mails(*range(50)), *(f"secret{i}@p.org" for i in range(30))]))
    for path in house.world.folder.rglob("*"):
        if path.is_file():
            assert b"secret1@p.org" not in path.read_bytes()


@pytest.mark.parametrize(
    ("content", "more"),
    [
        (b"", {}),
        (b"mail\n", {}),
        (b"\xff\xfe\x00m", {}),
        (b'mail\n"never closed', {}),
        (b"other\nx\n", {}),
        (b"mail\nu@x.de\n", {"k": 3}),
        (b"mail\nu@x.de\n", {"field": "name"}),
        (b"mail\nu@x.de\n", {"by": "segment"}),
        (b"mail\nu1@example.com\n", {}),
    ],
)
def test_bad_input_is_refused_in_a_sentence(house, tmp_path, content, more):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises((BadInput, NotAllowed)):
        ask(house, path, **more)
    with pytest.raises(NotFound):
        ask(house, tmp_path / "none.csv")


# ---------------------------------------------------------------- intersections


@pytest.fixture
def partner(tmp_path):
    made = House.make(tmp_path / "partner")
    for number in range(70, 170):
        made.world.send(
            identify(f"p{number}", f"i{number}", email=f"u{number}@example.com"),
            event("seen", f"m{number}", f"p{number}"),
        )
    made.world.fold()
    yield made
    made.world.close()


def sides(house):
    return view(house), house.world.workspace.vault, house.state, OWNER


def test_two_parties_learn_how_many_they_have_in_common_and_no_value(house, partner):
    request = intersections.ask(*sides(house), events=["pin_saved", "pin_opened"])
    response = intersections.respond(*sides(partner), request)
    for number in range(170):
        for content in (request, response):
            assert f"u{number}@".encode() not in content
            assert sha256(f"u{number}@example.com".encode()).digest() not in content
    rows = {row[0]: row[1:] for row in intersections.result(house.state, OWNER, response).rows}
    assert rows["everybody"] == (100, 30, 0.3)
    assert rows["pin_saved"] == (60, None, None)
    assert rows["pin_opened"] == (40, 30, 0.75)


def test_a_response_is_read_once_and_only_by_who_asked(house, partner):
    response = intersections.respond(*sides(partner), intersections.ask(*sides(house)))
    with pytest.raises(NotFound):
        intersections.result(partner.state, OWNER, response)
    intersections.result(house.state, OWNER, response)
    with pytest.raises(NotFound):
        intersections.result(house.state, OWNER, response)


def test_a_request_of_few_or_of_one_many_times_is_not_answered(house, partner):
    import msgspec
    import private_set_intersection.python as psi

    client = psi.client.CreateWithNewKey(False)
    for values in (["u80@example.com"], ["u80@example.com"] * 40):
        blinded = client.CreateRequest(values).SerializeToString()
        request = intersections.Request(1, "x", "email", 20, [("everybody", blinded)])
        with pytest.raises(NotAllowed):
            intersections.respond(*sides(partner), msgspec.msgpack.encode(request))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x81\xa6format\x01", b"\xff" * 100])
def test_what_is_no_request_or_response_is_refused(house, partner, content):
    with pytest.raises(BadInput):
        intersections.respond(*sides(partner), content)
    with pytest.raises(BadInput):
        intersections.result(house.state, OWNER, content)


def test_a_group_under_k_is_not_even_asked_about(house):
    with pytest.raises(NotAllowed, match="fewer than 20"):
        intersections.ask(*sides(house), events=["nobody_did_this"])
