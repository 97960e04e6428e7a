"""`onefold sql`: a table, JSON or CSV; what there is; exit codes."""

import io
import json

import pytest

from onefold.cli import main
from worlds import World, track

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = World(tmp_path_factory.mktemp("cli-sql") / "w")
    found.send(track("-2+3", id="a", user="u1"), track("seen", id="b", user="u1"))
    found.fold()
    found.close()
    return str(found.folder)


def run(capsys, folder, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["sql", "-w", folder, *arguments])
    said = capsys.readouterr()
    return left.value.code, said.out, said.err


def test_a_question_is_answered_as_json_as_csv_and_as_a_table(capsys, folder, monkeypatch):
    asked = "select event, count(*) as n from events group by all order by event"
    code, out, _ = run(capsys, folder, "--json", asked)
    assert (code, json.loads(out)["rows"]) == (0, [["-2+3", 1], ["seen", 1]])
    code, out, _ = run(capsys, folder, "--csv", "--rows", "1", asked)
    assert (code, out) == (0, "event,n\r\n'-2+3,1\r\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(asked))
    code, out, _ = run(capsys, folder, "-")
    assert code == 0
    assert "seen" in out


def test_what_there_is_is_listed(capsys, folder):
    for option, said in (("--tables", "person_events"), ("--functions", "median")):
        code, out, _ = run(capsys, folder, option, "--json")
        assert code == 0
        assert said in out
    code, out, _ = run(capsys, folder, "--running", "--json")
    assert (code, json.loads(out)["rows"]) == (0, [])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "no question"),
        (("drop table events",), 2, "only SELECT"),
        (("select * from evnts",), 4, "Did you mean `events`?"),
        (("select 1", "--rows", "0"), 2, "rows"),
        (("--cancel", "x"), 4, "No question `x` runs"),
        (("--as", "nobody", "select 1"), 4, "nobody"),
    ],
)
def test_what_cannot_be_asked_is_told_by_its_exit_code(capsys, folder, words, code, said):
    found, _, err = run(capsys, folder, *words)
    assert found == code
    assert said in err
