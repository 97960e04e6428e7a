"""Every entity that an import may bring: typed, linked, nothing personal in the facts."""

import json

import pytest

from onefold.collect.entities import CHOICES, DEFAULTS, LINKS, REQUIRED
from onefold.collect.mapping import read_mapping
from onefold.model.errors import BadInput
from onefold.model.facts import RECORD_TABLES, RECORD_TIMES, TABLES
from onefold.model.records import OWNER
from onefold.runtime import call, rebuild
from worlds import World, track

pytestmark = pytest.mark.long

FILES = {
    "accounts": ("id,name\na1,Acme\n", "account_id: id, name: name"),
    "campaigns": (
        "id,account,name,begin\nc1,a1,Spring,2025-09-01\n",
        "campaign_id: id, account_id: account, name: name, start_date: begin",
    ),
    "contacts": (
        (
            "id,account,user,name,mail,phone,role\n"
            "p1,a1,u1,Jo Miller,jo@acme.example,+49 30 1234567,Buyer\n"
            "sam@acme.example,a1,,Sam,sam@acme.example,,\n"
        ),
        (
            "contact_id: id, account_id: account, user_id: user, name: name, email: mail, "
            "phone: phone, title: role"
        ),
    ),
    "opportunities": (
        (
            "id,account,contact,campaign,what,amount,begin,end,how\n"
            "o1,a1,p1,c1,Winter,1000,2025-09-02,2025-09-20,Won\n"
            "o2,a1,sam@acme.example,c9,Again,,2025-09-03,,\n"
        ),
        (
            "opportunity_id: id, account_id: account, contact_id: contact, campaign_id: campaign, "
            "title: what, amount_micros: {from: amount, currency: {value: EUR}}, "
            "opened_time: begin, "
            "closed_time: end, status: how"
        ),
    ),
    "spend": (
        "id,account,day,amount\ni1,a1,2025-09-25,120.50\n",
        (
            "spend_id: id, account_id: account, kind: {value: invoice}, spend_date: day, "
            "amount_micros: {from: amount, currency: {value: EUR}}"
        ),
    ),
    "payments": (
        "id,invoice,day,amount,how\nb1,i1,2025-09-09,120.50,card\nb2,i9,2025-09-09,1,card\n",
        (
            "payment_id: id, invoice_id: invoice, payment_date: day, method: how, "
            "amount_micros: {from: amount, currency: {value: EUR}}"
        ),
    ),
    "tickets": (
        (
            "id,account,invoice,user,about,opened\n"
            "t1,a1,i1,u1,Wrong total; write to jo@acme.example,2025-09-10\n"
        ),
        (
            "ticket_id: id, account_id: account, invoice_id: invoice, user_id: user, "
            "subject: about, opened_time: opened"
        ),
    ),
    "interactions": (
        'id,account,deal,who,begin,long\nm1,a1,o1,"u1; sam@acme.example",2025-09-11,45\n',
        (
            "interaction_id: id, account_id: account, opportunity_id: deal, participants: who, "
            "start_time: begin, minutes: long, kind: {value: meeting}"
        ),
    ),
    "ad_costs": (
        "campaign,day,amount,shown\nc1,2025-09-01,3.10,900\nc1,2025-09-02,4.20,1000\n",
        (
            "campaign_id: campaign, cost_date: day, impressions: shown, "
            "amount_micros: {from: amount, currency: {value: EUR}}"
        ),
    ),
    "answers": (
        "id,account,user,score,words,at\nq1,a1,u1,9,call me: 030 1234567,2025-09-12\n",
        (
            "answer_id: id, survey: {value: NPS}, account_id: account, user_id: user, "
            "score: score, text: words, answer_time: at"
        ),
    ),
    "creators": (
        "id,user,name\nk1,u1,Jo Miller\n",
        "creator_id: id, user_id: user, name: name",
    ),
    "consent": (
        "user,what,said,at,how\nu1,sharing,Granted,2025-09-10,form of jo@acme.example\n",
        "user_id: user, purpose: what, answer: said, said_time: at, evidence: how",
    ),
    "items": (
        "id,creator,name,price\nx1,k1,Lamp,12\nx2,k9,Vase,3\n",
        (
            "item_id: id, creator_id: creator, name: name, "
            "price_micros: {from: price, currency: {value: EUR}}"
        ),
    ),
    "comments": (
        "id,item,user,words,at\nd1,x1,u1,Lovely,2025-09-13\n",
        "comment_id: id, item_id: item, user_id: user, text: words, comment_time: at",
    ),
    "purchases": (
        "id,user,order,amount,at\nr1,u1,n7,12,2025-09-14T10:00:00\nr2,u9,,5,2025-09-14\n",
        (
            "purchase_id: id, user_id: user, order_id: order, purchase_time: at, "
            "amount_micros: {from: amount, currency: {value: EUR}}"
        ),
    ),
}
PERSONAL = ("Jo Miller", "acme.example", "1234567", "u1", "Sam")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("entities") / "w")
    found.send(track("seen", id="1", user="u1"))
    found.fold()
    for table in FILES:
        bring(found, table)
    yield found
    found.close()


def bring(world, table, text="", *, dry_run=False):
    content, columns = FILES[table]
    folder = world.folder.parent
    (folder / f"{table}.csv").write_text(text or content)
    mapping = folder / f"{table}.yaml"
    mapping.write_text(f"table: {table}\nfile: {table}.csv\ncolumns: {{{columns}}}\n")
    answer = call(world.workspace, OWNER, "import", {"mapping": str(mapping), "dry_run": dry_run})
    names = [column["name"] for column in answer.body["columns"]]
    return dict(zip(names, answer.body["rows"][0], strict=True)), answer.body["notes"]


def test_every_table_is_declared_and_tried() -> None:
    tables = {table for table, _ in RECORD_TABLES.values()}
    assert set(FILES) == tables == set(REQUIRED) == set(RECORD_TIMES)
    assert {*LINKS, *CHOICES, *DEFAULTS} <= tables
    for table, time in RECORD_TIMES.items():
        assert TABLES[table].columns[time] in {"date", "timestamp"}


@pytest.mark.parametrize("table", FILES)
def test_every_row_counts_and_comes_twice_without_a_trace(world, table) -> None:
    before = world.sums()
    rows = world.raw(table)
    assert len(rows) == FILES[table][0].count("\n") - 1
    told, _ = bring(world, table)
    assert (told["kept"], told["waiting"]) == (len(rows), 0)
    assert world.sums() == before


def test_values_are_typed(world) -> None:
    (deal, other) = sorted(world.raw("opportunities"), key=lambda row: row["opportunity_id"])
    assert (deal["status"], deal["amount_micros"], deal["currency"]) == ("won", 10**9, "EUR")
    assert (other["status"], other["amount_micros"]) == ("open", None)
    (talk,) = world.raw("interactions")
    assert (talk["minutes"], talk["kind"]) == (45, "meeting")
    (answer,) = world.raw("answers")
    assert (answer["score"], answer["survey"]) == (9, "NPS")


def test_nothing_personal_stands_in_the_facts_and_the_vault_knows_it(world) -> None:
    for table in FILES:
        said = json.dumps(world.raw(table), default=str)
        assert not [word for word in PERSONAL if f'"{word}' in said or f"{word}@" in said], table
        assert "acme.example" not in said
        assert "1234567" not in said.replace("1234567890", "")
    (ticket,) = world.raw("tickets")
    assert ticket["subject"] == "Wrong total; write to removed"
    (answer,) = world.raw("answers")
    assert answer["text"] == "call me: removed"
    vault = world.workspace.vault
    contacts = {row["title"]: row for row in world.raw("contacts")}
    jo = contacts["Buyer"]
    keys = [jo[name] for name in ("user_key", "name_key", "email_key", "phone_key")]
    values = [found.value for found in vault.names(keys).values()]
    assert values == ["u1", "Jo Miller", "jo@acme.example", "+49301234567"]
    # One whose id is an address is named by its key, wherever it is named.
    assert contacts[None]["contact_id"].startswith("~")
    deals = {row["opportunity_id"]: row["contact_id"] for row in world.raw("opportunities")}
    assert deals == {"o1": "p1", "o2": contacts[None]["contact_id"]}


def test_participants_are_the_same_persons_as_elsewhere(world) -> None:
    (talk,) = world.raw("interactions")
    contacts = {row["title"]: row for row in world.raw("contacts")}
    keys = [int(key) for key in talk["participant_keys"].strip(",").split(",")]
    assert keys == [contacts["Buyer"]["user_key"], contacts[None]["email_key"]]


@pytest.mark.parametrize(
    ("table", "orphans", "share", "said"),
    [
        ("opportunities", {"campaign_id": 1}, 0.8333, "No campaign is known as c9:"),
        ("payments", None, 0.5, "No invoice is known as i9:"),
        ("items", None, 0.5, "No creator is known as k9:"),
        ("purchases", None, 0.5, "No person was ever seen under 1 user ids of 1 rows:"),
    ],
)
def test_orphans_are_counted_for_each_declared_link(world, table, orphans, share, said) -> None:
    told, notes = bring(world, table, dry_run=True)
    assert (told["orphans"], told["match_share"]) == (1, share)
    for name, count in (orphans or {}).items():
        assert told[f"{name}_orphans"] == count
        assert told["account_id_orphans"] == 0
    assert any(note.startswith(said) for note in notes)


def test_what_is_an_orphan_now_is_told(world) -> None:
    rows = call(world.workspace, OWNER, "links", {}).body["rows"]
    found = {(row[0], row[1]): row[3:] for row in rows}
    assert found["payments", "invoice_id"] == [2, 1, 0.5]
    assert found["contacts", "account_id"] == [2, 0, 1.0]
    assert found["contacts", "user_id"] == [1, 0, 1.0]
    assert ("spend", "campaign_id") not in found


def test_they_stand_on_the_pages_of_account_and_person(world) -> None:
    account = call(world.workspace, OWNER, "account show", {"id": "a1"}).body
    kinds = {entry["kind"] for entry in account["timeline"]}
    assert {"invoice", "opportunity", "campaign", "answer", "ticket", "interaction"} <= kinds
    person = call(world.workspace, OWNER, "person show", {"id": "user_id:u1"}).body
    kinds = {entry["kind"] for entry in person["timeline"]}
    assert {"ticket", "interaction", "answer", "comment", "purchase"} <= kinds


def test_invoices_count_as_spend_where_there_is_no_ad_spend(world) -> None:
    account = call(world.workspace, OWNER, "account show", {"id": "a1"}).body
    assert account["phase"]["name"] != "plan"
    rows = {row["kind"]: row["total"]["micros"] for row in account["spend"]}
    assert rows == {"invoice": 120_500_000}


def test_costs_of_a_campaign_and_day_are_told_anew(world) -> None:
    text = "campaign,day,amount,shown\nc1,2025-09-02,5.00,1100\n"
    before = world.sums()
    told, notes = bring(world, "ad_costs", text)
    assert told["kept"] == 1
    costs = {str(row["cost_date"]): row["amount_micros"] for row in world.raw("ad_costs")}
    assert costs == {"2025-09-01": 3_100_000, "2025-09-02": 5_000_000}
    run = notes[0].split()[1].rstrip(";")
    call(world.workspace, OWNER, "undo", {"run": run})
    assert world.sums() == before


def test_a_rebuild_makes_them_anew(world) -> None:
    before = world.sums()
    rebuild(world.workspace)
    assert world.sums() == before


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ("payment_id: id, payment_date: day", "needs `amount_micros`"),
        (
            "payment_date: day, amount_micros: {from: amount, currency: {value: EUR}}",
            "needs `invoice_id`, or another",
        ),
        ("invoice: id, payment_date: day", "Did you mean `invoice_id`?"),
        ("user_key: id", "has no `user_key`"),
    ],
)
def test_a_mapping_that_tells_too_little_is_refused(tmp_path, columns, word) -> None:
    (tmp_path / "b.csv").write_text("id,day,amount\n")
    path = tmp_path / "b.yaml"
    path.write_text(f"table: payments\nfile: b.csv\ncolumns: {{{columns}}}\n")
    with pytest.raises(BadInput) as caught:
        read_mapping(path)
    assert word in str(caught.value)
