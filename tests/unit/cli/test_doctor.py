"""The doctor names what is wrong, where, and the mend; it works on a broken workspace too."""

import json
import socket

import pytest

from onefold.cli import main
from onefold.runtime import create_workspace

pytestmark = pytest.mark.long


@pytest.fixture
def folder(tmp_path):
    return create_workspace(tmp_path / "w").folder


def doctor(folder, capsys):
    with pytest.raises(SystemExit) as left:
        main(["-w", str(folder), "doctor", "--json"])
    return left.value.code or 0, json.loads(capsys.readouterr().out)


def found(body):
    return {(row[0], row[2]) for row in body["rows"]}


def test_a_fresh_workspace_only_waits_for_events(folder, capsys):
    code, body = doctor(folder, capsys)
    assert (code, body["ok"]) == (0, True)
    assert found(body) == {("watch", "log.sqlite")}


@pytest.mark.parametrize("name", ["log.sqlite", "state.sqlite", "vault.sqlite"])
def test_a_missing_plane_is_found_and_not_made_anew(folder, capsys, name):
    (folder / name).unlink()
    code, body = doctor(folder, capsys)
    assert code == 1
    assert ("wrong", name) in found(body)
    assert not (folder / name).exists()


def test_a_file_that_is_no_database_is_found(folder, capsys):
    for left in folder.glob("log.sqlite*"):
        left.unlink()
    (folder / "log.sqlite").write_text("This is a letter, not a log.")
    assert ("wrong", "log.sqlite") in found(doctor(folder, capsys)[1])


@pytest.mark.parametrize("name", ["vault.sqlite", "state.sqlite", "run"])
def test_rights_for_others_are_found(folder, capsys, name):
    (folder / name).chmod(0o755 if name == "run" else 0o644)
    code, body = doctor(folder, capsys)
    assert code == 1
    fix = next(row[3] for row in body["rows"] if row[2] == name)
    assert "chmod" in fix


def test_a_definition_that_cannot_be_read_is_named_with_its_line(folder, capsys):
    broken = folder / "definitions" / "metrics" / "depth.yaml"
    broken.write_text("metric: depth\n label: [")
    code, body = doctor(folder, capsys)
    assert code == 1
    assert any("depth.yaml:2" in row[1] for row in body["rows"])


def test_a_socket_left_behind_is_only_to_watch(folder, capsys, monkeypatch):
    with monkeypatch.context() as place, socket.socket(socket.AF_UNIX) as dead:
        place.chdir(folder / "run")
        dead.bind("owner.sock")
    code, body = doctor(folder, capsys)
    assert code == 0
    assert ("watch", "run/owner.sock") in found(body)


def test_a_folder_that_is_no_workspace_is_said_to_be_none(tmp_path, capsys):
    code, body = doctor(tmp_path, capsys)
    assert code == 1
    assert "is no workspace" in body["rows"][0][1]
