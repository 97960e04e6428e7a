"""Records that share no key: found, decided, undone, learnt from."""

import json

import pytest

from imported import bring
from onefold.customers import links
from onefold.identity import same
from onefold.model.errors import BadInput, Conflict, NotAllowed, NotFound
from onefold.model.records import OWNER, Asker, Question
from onefold.runtime import calls  # noqa: F401 - registers them
from onefold.runtime.registry import call
from onefold.runtime.workspace import Workspace, create_workspace

pytestmark = pytest.mark.long

VIEWER = Asker("Vera", "viewer")

CRM = [
    ("crm-1", "Hollis Foods", "hollis.example", "Bremen"),
    ("crm-2", "Brandt Travel", "brandt.example", "Lyon"),
    ("crm-3", "Okoro Motors", "okoro.example", "Porto"),
    ("crm-4", "Silva Textiles", "silva.example", "Turin"),
    ("crm-5", "Novak Cycles", "novak.example", "Brno"),
]
BILLING = [
    ("cus_1", "HOLLIS FOODS GmbH", "www.hollis.example", "Bremen"),
    ("cus_2", "Brandt Travel SARL", "brandt.example", "Lyons"),
    ("cus_3", "Okoro Motors Lda", "okoro.example", "Porto"),
    ("cus_9", "Tanaka Paper", "tanaka.example", "Osaka"),
]


@pytest.fixture
def workspace(tmp_path):
    create_workspace(tmp_path / "w", basis="contract")
    opened = Workspace(tmp_path / "w")
    columns = ("account_id", "name", "properties.website", "properties.city")
    bring(opened, "crm", "accounts", columns, CRM)
    bring(opened, "billing", "accounts", columns, BILLING)
    spend = ("account_id", "spend_date", "amount_micros")
    bring(
        opened, "spend", "spend", spend, [("crm-1", "2026-01-02", 10), ("cus_1", "2026-01-03", 32)]
    )
    yield opened
    opened.close()


def ask(workspace, name, asker=OWNER, **params):
    return call(workspace, asker, name, params).body


def spent(workspace):
    view = workspace.view(Question(OWNER))
    rows = view.ask(
        view.spend.group_by("account_id").aggregate(sum=view.spend.amount_micros.sum())
    ).to_pylist()
    return {row["account_id"]: row["sum"] // 1_000_000 for row in rows}


def decide(workspace, left, right, decision):
    given = {"left": left, "right": right, "decision": decision}
    return ask(workspace, "link decide", **given)


def test_accounts_of_two_systems_are_found_and_say_why(workspace):
    told = ask(workspace, "link run", apart=True)
    assert told["records"] == 9
    rows = ask(workspace, "link review")["rows"]
    likely = {(row[0], row[1]) for row in rows if row[2] > 0.9}
    assert likely == {("crm-1", "cus_1"), ("crm-2", "cus_2"), ("crm-3", "cus_3")}
    assert all("name +" in row[4] for row in rows if row[2] > 0.9)


def test_an_accepted_link_makes_one_account_and_one_call_undoes_it(workspace):
    before = call(workspace, OWNER, "checksum", {}).body["rows"]
    assert spent(workspace) == {"crm-1": 10, "cus_1": 32}
    decide(workspace, "cus_1", "crm-1", "same")
    assert spent(workspace) == {"crm-1": 42}
    accounts = workspace.view(Question(OWNER)).accounts
    assert workspace.view(Question(OWNER)).ask(accounts.count().as_table())[0][0].as_py() == 8
    decide(workspace, "crm-1", "cus_1", "open")
    assert spent(workspace) == {"crm-1": 10, "cus_1": 32}
    after = call(workspace, OWNER, "checksum", {}).body["rows"]
    changed = {row[0] for row, was in zip(after, before, strict=True) if row != was}
    assert changed <= {"account_links"}


def test_a_rebuild_makes_the_same_of_decisions(workspace):
    decide(workspace, "cus_1", "crm-1", "same")
    decide(workspace, "cus_2", "crm-2", "different")
    decide(workspace, "cus_3", "crm-3", "same")
    decide(workspace, "cus_3", "crm-3", "open")
    before = call(workspace, OWNER, "checksum", {}).body["rows"]
    call(workspace, OWNER, "rebuild", {})
    assert call(workspace, OWNER, "checksum", {}).body["rows"] == before
    assert spent(workspace) == {"crm-1": 42}


def test_a_decision_that_contradicts_others_is_refused_and_says_what_to_do(workspace):
    decide(workspace, "crm-1", "cus_1", "same")
    decide(workspace, "crm-2", "cus_1", "same")
    with pytest.raises(Conflict) as told:
        decide(workspace, "crm-1", "crm-2", "different")
    assert "Open" in told.value.fix
    decide(workspace, "crm-3", "cus_3", "different")
    decide(workspace, "crm-3", "crm-4", "same")
    with pytest.raises(Conflict):
        decide(workspace, "crm-4", "cus_3", "same")


def test_strange_decisions_get_a_clear_error_and_change_nothing(workspace):
    with pytest.raises(BadInput):
        decide(workspace, "crm-1", "crm-1", "same")
    with pytest.raises(NotFound):
        decide(workspace, "crm-1", "'; DROP TABLE accounts --", "same")
    with pytest.raises(BadInput):
        decide(workspace, "crm-1", "cus_1", "maybe")
    with pytest.raises(NotAllowed):
        ask(workspace, "link decide", VIEWER, left="crm-1", right="cus_1", decision="same")
    with pytest.raises(NotAllowed):
        ask(workspace, "link review", VIEWER)
    assert spent(workspace) == {"crm-1": 10, "cus_1": 32}


def test_the_report_counts_reviewed_pairs_with_their_intervals(workspace):
    ask(workspace, "link run", apart=True)
    decide(workspace, "crm-1", "cus_1", "same")
    decide(workspace, "crm-2", "cus_2", "same")
    decide(workspace, "crm-3", "cus_3", "different")
    decide(workspace, "crm-5", "cus_9", "same")
    told = ask(workspace, "link report")
    assert told["reviewed"] == 4
    assert told["precision"]["estimate"] == pytest.approx(2 / 3)
    assert told["recall"]["estimate"] == pytest.approx(2 / 3)
    assert told["precision"]["low"] < 2 / 3 < told["precision"]["high"]


def test_what_was_decided_stays_through_the_next_run_and_teaches_it(workspace):
    ask(workspace, "link run", apart=True)
    decide(workspace, "crm-2", "cus_2", "same")
    decide(workspace, "crm-1", "cus_1", "later")
    told = ask(workspace, "link run", apart=True)
    assert told["labels"] == 1
    rows = ask(workspace, "link review")["rows"]
    assert ("crm-2", "cus_2") not in {(row[0], row[1]) for row in rows}
    assert [row[5] for row in rows if row[0] == "crm-1"] == ["later"]
    assert rows[-1][0] == "crm-1"


def test_all_from_a_probability_on_are_accepted_at_once_but_what_contradicts(workspace):
    ask(workspace, "link run", apart=True)
    decide(workspace, "crm-3", "cus_3", "different")
    assert ask(workspace, "link accept", above=0.9)["accepted"] == 2
    assert spent(workspace) == {"crm-1": 42}
    with pytest.raises(BadInput):
        ask(workspace, "link accept", above=0.1)


def test_decisions_are_audited_by_ids_and_never_by_names(workspace):
    decide(workspace, "crm-1", "cus_1", "same")
    last = ask(workspace, "audit show", last=3)["rows"]
    assert any(row[3] == "link.same" for row in last)
    assert "Hollis" not in json.dumps(last)


def test_contacts_are_compared_by_names_of_the_vault(workspace):
    columns = ("contact_id", "account_id", "name", "email", "phone")
    bring(
        workspace,
        "people",
        "contacts",
        columns,
        [
            ("k1", "crm-1", "Lena Brandt", "lena@hollis.example", "+49 421 555 01 99"),
            ("k2", "cus_1", "Lena Brandt", "l.brandt@hollis.example", "0421 5550199"),
            ("k3", "crm-2", "Amara Okoro", "amara@brandt.example", "0221 998877"),
            ("k4", "crm-3", "Joao Silva", "joao@okoro.example", "0331 112233"),
        ],
    )
    ask(workspace, "link run", entity="contact")
    pair = links.queue(workspace.state, OWNER, "contact")[0]
    assert (pair.left_id, pair.right_id) == ("k1", "k2")
    view = workspace.view(Question(OWNER))
    left, right = links.side_by_side(view, workspace.vault, pair)
    assert left["name"] == right["name"] == "Lena Brandt"
    with pytest.raises(NotAllowed):
        links.side_by_side(workspace.view(Question(Asker("Ana", "analyst"))), workspace.vault, pair)
    kept = (workspace.folder / "state.sqlite").read_bytes()
    assert b"Lena" not in kept


@pytest.mark.parametrize("seed", range(5))
def test_what_hangs_together_is_named_alike_in_any_order(seed):
    import random

    rng = random.Random(seed)
    pairs = [(f"a{rng.randrange(40)}", f"a{rng.randrange(40)}") for _ in range(30)]
    shuffled = [tuple(reversed(pair)) for pair in pairs]
    rng.shuffle(shuffled)
    assert same.heads_of(pairs) == same.heads_of(shuffled)
