"""Commands on a workspace that no server holds."""

import json
import re

import pytest

from onefold.cli import main

pytestmark = pytest.mark.long

KEY = "0f" * 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("cli") / "w"
    with pytest.raises(SystemExit) as left:
        main(["init", str(made), "--identity-key", KEY, "--basis", "notice"])
    assert not left.value.code
    return made


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    said = capsys.readouterr()
    return left.value.code or 0, said.out, said.err


def asked(capsys, folder, *words):
    code, out, err = run(capsys, "-w", str(folder), *words, "--json")
    assert code == 0, err
    return json.loads(out)


def test_init_prints_its_keys_once_on_lines_of_their_own(capsys, tmp_path):
    code, out, _ = run(capsys, "init", str(tmp_path / "new"))
    assert code == 0
    assert re.search(r"^write key: \S+$", out, re.MULTILINE)
    assert re.search(r"^api key: \S+$", out, re.MULTILINE)
    assert "/sign-in/link/" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--identity-key", "zz"], "hex"),
        (["--identity-key", "ab"], "32 bytes"),
        (["--basis", "none"], "--basis"),
    ],
)
def test_init_refuses_what_it_cannot_use(capsys, tmp_path, arguments, said):
    code, _, err = run(capsys, "init", str(tmp_path / "new"), *arguments)
    assert code == 2
    assert said in err
    assert not (tmp_path / "new").exists()


def test_init_overwrites_nothing(capsys, folder, tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    assert run(capsys, "init", str(folder))[0] == 2
    assert run(capsys, "init", str(tmp_path))[0] == 2
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_the_first_source_has_the_basis_that_was_given(capsys, folder):
    body = asked(capsys, folder, "source", "list")
    names = [column["name"] for column in body["columns"]]
    (row,) = [dict(zip(names, row, strict=True)) for row in body["rows"] if row[0] == "app"]
    assert (row["basis"], row["environment"]) == ("notice", "production")


def test_a_source_is_added_and_changed(capsys, folder):
    asked(capsys, folder, "source", "add", "web", "--environment", "staging", "--region", "eu")
    body = asked(capsys, folder, "source", "set", "web", "--unplanned", "quarantine")
    assert body["rows"][0][2:] == ["staging", "opt-in", "eu", "quarantine", 1.0, ""]
    code, _, err = run(capsys, "-w", str(folder), "source", "set", "wep", "--basis", "contract")
    assert code == 4
    assert "Did you mean `web`?" in err


def test_status_and_checksum_answer_with_tables(capsys, folder):
    assert asked(capsys, folder, "status")["rows"]
    body = asked(capsys, folder, "checksum")
    assert [column["name"] for column in body["columns"]] == ["table", "rows", "hash"]
    assert {"events", "persons", "sessions"} <= {row[0] for row in body["rows"]}


def test_rebuild_says_the_checksums_that_stood_before(capsys, folder):
    before = asked(capsys, folder, "checksum")["rows"]
    assert asked(capsys, folder, "rebuild")["rows"] == before


def test_the_trail_is_whole_and_names_who_did_it(capsys, folder):
    assert asked(capsys, folder, "audit", "verify")["whole"] is True
    shown = asked(capsys, folder, "audit", "show", "--action", "source.add")
    assert {row[2] for row in shown["rows"]} == {"command line"}


def test_another_users_policy_holds_for_as(capsys, folder):
    asked(capsys, folder, "user", "add", "Vera", "--role", "viewer")
    code, _, err = run(capsys, "-w", str(folder), "--as", "Vera", "rebuild")
    assert code == 3
    assert "Vera" in err
    assert run(capsys, "-w", str(folder), "--as", "Nobody", "status")[0] == 4


def test_a_metric_says_its_interval_definition_and_query(capsys, folder):
    body = asked(
        capsys, folder, "metric", "click_rate", "--from", "2026-11-01", "--to", "2026-11-08"
    )
    assert body["definition"]
    assert "SELECT" in body["query"].upper()
    code, _, err = run(capsys, "-w", str(folder), "metric", "click_rat")
    assert code == 4
    assert "Did you mean `click_rate`?" in err


def test_days_that_are_none_are_refused(capsys, folder):
    words = ["metric", "click_rate", "--from", "2026-11-08", "--to", "2026-11-08"]
    code, _, err = run(capsys, "-w", str(folder), *words)
    assert code == 2
    assert "later day" in err


def test_plan_finds_what_apply_brings_into_force(capsys, folder):
    event = folder / "definitions" / "events" / "cart_filled.yaml"
    text = "event: cart_filled\nversion: {}\nowner: shop\ndescription: A cart was filled.\n"
    event.write_text(text.format(1))
    asked(capsys, folder, "apply")
    assert run(capsys, "-w", str(folder), "plan")[0] == 0
    event.write_text(text.format(2))
    code, out, _ = run(capsys, "-w", str(folder), "plan", "--json")
    assert code == 1
    assert json.loads(out)["rows"] == [["events/cart_filled.yaml", "changed"]]
    found = asked(capsys, folder, "doctor")
    assert "definitions" in {row[2] for row in found["rows"]}
    assert asked(capsys, folder, "apply") == {"changed": True}
    assert run(capsys, "-w", str(folder), "plan")[0] == 0
    event.write_text("event: [")
    code, _, err = run(capsys, "-w", str(folder), "apply")
    assert code == 2
    assert "cart_filled.yaml:1" in err
    event.write_text(text.format(2))


def test_a_write_key_is_only_for_those_who_define_what_is_sent(capsys, folder):
    asked(capsys, folder, "user", "add", "Maren", "--role", "viewer")
    code, out, _ = run(capsys, "-w", str(folder), "--as", "Maren", "source", "list", "--json")
    assert code == 0
    assert {row[1] for row in json.loads(out)["rows"]} == {"hidden"}
    assert all(row[1] != "hidden" for row in asked(capsys, folder, "source", "list")["rows"])


def test_a_funnel_and_who_came_back(capsys, folder):
    days = ["--from", "2026-10-05", "--to", "2026-11-02"]
    found = asked(capsys, folder, "funnel", "pin_opened", "pin_saved", "--within", "12h", *days)
    names = [column["name"] for column in found["columns"]]
    assert names[:4] == ["step", "event", "persons", "share"]
    assert found["rows"] == []
    assert "within 12 hours" in found["definition"]
    assert any("`pin_opened`" in note for note in found["notes"])
    named = ["--start", "pin_opened", "--return", "pin_saved", "--every", "week"]
    found = asked(capsys, folder, "retention", *named, *days)
    assert [row[:4] for row in found["rows"]][:2] == [
        ["2026-10-05", 0, 0, 0],
        ["2026-10-05", 0, 1, 0],
    ]
    assert len(found["rows"]) == 4 + 3 + 2 + 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["funnel", "pin_saved"], "2 to 12 events"),
        (["funnel", "a", "b", "--within", "soon"], "7d"),
        (["funnel", "a", "b", "--within", "99999999w"], "ten years"),
        (["funnel", "a", "b", "--from", "2026-10-05", "--to", "2026-10-05"], "--to"),
        (["retention", "--start", "a"], "--return"),
    ],
)
def test_what_cannot_be_asked_is_told_with_its_mend(capsys, folder, words, said):
    code, _, err = run(capsys, "-w", str(folder), *words)
    assert code == 2
    assert said in err
    assert "Traceback" not in err
