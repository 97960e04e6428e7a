"""What `serve` says while it begins: that events are taken, and only later that pages are open."""

import asyncio

from onefold.cli.workspace import _say_open, _say_taking
from onefold.model.errors import Busy
from onefold.web import processes

ADDRESS = "http://127.0.0.1:8000"


def told_in(folder, monkeypatch, *, refusals):
    """Return what is told of a house that answers after so many looks."""
    said = []

    async def fetch(_house, _path):
        said.append("looked")
        if said.count("looked") <= refusals:
            raise Busy("The house is starting.", "Try again.")
        return b"{}"

    monkeypatch.setattr(processes, "fetch", fetch)
    monkeypatch.setattr(processes, "_LOOK_SECONDS", 0)

    async def begun():
        listening = asyncio.get_running_loop().create_future()
        listening.set_result(ADDRESS)
        tell = (lambda at: said.append(f"taking {at}"), lambda at: said.append(f"open {at}"))
        await processes._tell(listening, folder, tell)

    asyncio.run(begun())
    return said


def test_pages_are_called_open_only_when_the_house_answers(tmp_path, monkeypatch):
    said = told_in(tmp_path, monkeypatch, refusals=2)
    assert said == [f"taking {ADDRESS}", "looked", "looked", "looked", f"open {ADDRESS}"]


def test_an_intake_alone_opens_no_pages(monkeypatch):
    assert told_in(None, monkeypatch, refusals=0) == [f"taking {ADDRESS}"]


def test_the_words_say_what_can_be_done_already(tmp_path, capsys):
    _say_taking(ADDRESS, intake=False)
    _say_open(tmp_path, ADDRESS)
    _say_taking(ADDRESS, intake=True)
    taking, ready, sign_in, alone = capsys.readouterr().err.splitlines()
    assert taking.startswith(f"Taking events at {ADDRESS}. The pages are opening ...")
    assert ready == f"Ready: the pages are open at {ADDRESS}."
    assert "user link owner" in sign_in
    assert "There are no pages here." in alone
