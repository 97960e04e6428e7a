"""Accounts below accounts, their money added up, as of any day."""

import pytest

from imported import bring
from onefold.customers import families
from onefold.model.errors import BadInput, NotFound
from onefold.model.records import OWNER, Question
from onefold.runtime import call, create_workspace
from onefold.runtime.workspace import Workspace

pytestmark = pytest.mark.long

DAY = 86_400_000_000
NOW = 1_772_000_000_000_000  # 25 February 2026


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        self.now += 1
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def workspace(tmp_path, clock):
    create_workspace(tmp_path / "w", basis="contract", clock=clock)
    opened = Workspace(tmp_path / "w", clock)
    yield opened
    opened.close()


def tell(workspace):
    accounts = [
        ("top", "Top", ""),
        ("mid", "Mid", "top"),
        ("low", "Low", "mid"),
        ("own", "Own", ""),
    ]
    bring(workspace, "crm", "accounts", ("account_id", "name", "parent_id"), accounts)
    money = [
        ("i1", "low", "2026-01-02", 100, "invoice"),
        ("i2", "low", "2026-02-20", 50, "invoice"),
        ("i3", "mid", "2026-01-05", 70, "invoice"),
        ("c1", "mid", "2026-02-01", 5, "credit"),
        ("a1", "top", "2026-02-03", 11, "ad_spend"),
        ("m1", "top", "2026-02-03", 900, "commitment"),
    ]
    columns = ("spend_id", "account_id", "spend_date", "amount_micros", "kind")
    bring(workspace, "books", "spend", columns, money)
    paid = [("p1", "i1", "2026-02-10", 60, "paid"), ("p2", "i3", "2026-02-10", 70, "paid")]
    columns = ("payment_id", "invoice_id", "payment_date", "amount_micros", "status")
    bring(workspace, "bank", "payments", columns, paid)


def money(workspace, account, **more):
    body = call(workspace, OWNER, "account money", {"id": account, **more}).body
    names = [column["name"] for column in body["columns"]]
    return {
        row[0]: {
            name: value["micros"] // 1_000_000
            for name, value in zip(names, row, strict=True)
            if isinstance(value, dict)
        }
        for row in body["rows"]
    }


def parents(workspace):
    view = workspace.view(Question(OWNER))
    return {one.account_id: one.parent_id for one in families.family(view, "low").accounts}


def test_money_is_added_up_from_below(workspace):
    tell(workspace)
    found = money(workspace, "mid")
    assert found["top"]["invoice_with_below"] == 220
    assert found["top"]["overdue_with_below"] == 40
    assert found["top"]["credit_with_below"] == 5
    assert found["top"]["commitment_with_below"] == found["top"]["commitment"] == 900
    assert found["mid"]["invoice"] == 70
    assert "overdue" not in found["mid"] or found["mid"]["overdue"] == 0
    assert found["low"] == {
        "invoice": 150,
        "overdue": 40,
        "invoice_with_below": 150,
        "overdue_with_below": 40,
    }


def test_money_is_told_as_of_any_day(workspace):
    tell(workspace)
    found = money(workspace, "low", as_of="2026-02-05")
    # Told before the import came: the accounts stand alone, the books say what was true.
    assert found["low"]["overdue"] == 100
    assert found["low"]["invoice"] == 100
    with pytest.raises(BadInput):
        money(workspace, "low", as_of="2031-01-01")


def test_an_account_is_placed_by_hand_and_back_by_one_call(workspace, clock):
    tell(workspace)
    before = call(workspace, OWNER, "checksum", {}).body["rows"]
    call(workspace, OWNER, "account parent", {"id": "low", "parent": "own"})
    assert parents(workspace) == {"own": None, "low": "own"}
    call(workspace, OWNER, "account parent", {"id": "low", "parent": ""})
    assert parents(workspace) == {"low": None}
    call(workspace, OWNER, "account parent", {"id": "low", "parent": None})
    assert parents(workspace)["low"] == "mid"
    after = call(workspace, OWNER, "checksum", {}).body["rows"]
    assert {a[0] for a, b in zip(after, before, strict=True) if a != b} == {"account_parents"}
    call(workspace, OWNER, "rebuild", {})
    assert call(workspace, OWNER, "checksum", {}).body["rows"] == after


def test_where_an_account_stood_is_told_as_of_any_day(workspace, clock):
    tell(workspace)
    clock.now += 10 * DAY
    accounts = [("top", "Top", ""), ("mid", "Mid", ""), ("low", "Low", "own"), ("own", "Own", "")]
    bring(workspace, "crm", "accounts", ("account_id", "name", "parent_id"), accounts)
    assert set(money(workspace, "low")) == {"own", "low"}
    assert set(money(workspace, "low", as_of="2026-02-26")) == {"top", "mid", "low"}


def test_a_circle_is_refused_by_hand_and_cut_in_imports(workspace):
    tell(workspace)
    with pytest.raises(BadInput, match="below itself"):
        call(workspace, OWNER, "account parent", {"id": "top", "parent": "low"})
    with pytest.raises(NotFound):
        call(workspace, OWNER, "account parent", {"id": "top", "parent": "nobody"})
    columns = ("account_id", "name", "parent_id")
    bring(
        workspace,
        "ring",
        "accounts",
        columns,
        [("r2", "B", "r1"), ("r1", "A", "r3"), ("r3", "C", "r2")],
    )
    body = call(workspace, OWNER, "account money", {"id": "r2"}).body
    assert [row[0] for row in body["rows"]] == ["r1", "r2", "r3"]
    assert any("below itself" in note for note in body["notes"])
    bring(workspace, "self", "accounts", columns, [("s", "S", "s")])
    assert [
        row[0] for row in call(workspace, OWNER, "account money", {"id": "s"}).body["rows"]
    ] == ["s"]


def test_linked_accounts_stand_in_the_hierarchy_once(workspace):
    tell(workspace)
    call(workspace, OWNER, "link decide", {"left": "own", "right": "mid", "decision": "same"})
    found = money(workspace, "own")
    assert set(found) == {"top", "mid", "low"}
