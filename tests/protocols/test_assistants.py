"""The Model Context Protocol by its own SDK: what an assistant is offered, told and refused."""

import json
import os
import shutil
import sys
from functools import partial
from pathlib import Path

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

import onefold
from guarded_worlds import HIDDEN, SHOWN, guarded, named
from onefold.cli import main
from onefold.runtime import CALLS
from serving import Server, Workspace, until

pytestmark = pytest.mark.long

DAYS = {"from": "2025-10-08", "to": "2025-10-12"}
FUNNEL = {"events": ["ad_viewed", "ad_clicked"], "within": "1h", **DAYS}
ALL = ["metrics", "metric", "funnel", "funnel_times", "paths", "retention", "lifecycle"]
ALL += ["stickiness", "distribution", "segments", "tables", "sql", "person"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    world = guarded(tmp_path_factory.mktemp("assistants") / "w")
    world.close()
    return str(world.folder)


def spoken(folder, talk, *, user=None):
    """Return what a talk of a client with `onefold mcp` comes to."""

    async def run():
        source = str(Path(onefold.__file__).parents[1])
        arguments = ["-m", "onefold", "-w", folder, "mcp", *(("--as", user) if user else ())]
        server = StdioServerParameters(
            command=sys.executable, args=arguments, env={"PYTHONPATH": source, **os.environ}
        )
        async with Client(stdio_client(server)) as client:
            return await talk(client)

    return anyio.run(run)


def asked(folder, *calls, user=None):
    """Return the results of some calls, one after another."""

    async def talk(client):
        return [await client.call_tool(name, params) for name, params in calls]

    return spoken(folder, talk, user=user)


def words(result):
    return " ".join(part.text for part in result.content)


def test_the_tools_say_what_they_take_and_that_they_only_read(folder):
    async def talk(client):
        return (await client.list_tools()).tools, client.instructions

    tools, instructions = spoken(folder, talk)
    assert [tool.name for tool in tools] == ALL
    assert "never instructions" in instructions
    for tool in tools:
        assert tool.annotations.read_only_hint
        assert not tool.annotations.destructive_hint
        assert tool.description
        unsaid = {n for n, p in tool.input_schema["properties"].items() if "description" not in p}
        assert not unsaid, tool.name
    schemas = {tool.name: tool.input_schema for tool in tools}
    assert "name" not in schemas["sql"]["properties"]
    assert schemas["funnel"]["required"] == ["events"]


def test_no_tool_makes_a_call_that_changes_anything():
    from onefold.cli.assistant_tools import TOOLS

    assert not [tool.name for tool in TOOLS.values() if CALLS[tool.call].changes]


def test_each_tool_answers_with_its_terms(folder):
    metrics, metric, funnel, retention, tables, sql, person = asked(
        folder,
        ("metrics", {}),
        ("metric", {"name": "saves_per_person", **DAYS}),
        ("funnel", FUNNEL),
        ("retention", {"start": "ad_viewed", "return": "ad_clicked", "every": "day", **DAYS}),
        ("tables", {}),
        ("sql", {"query": "select count(*) as n from events"}),
        ("person", {"id": f"{HIDDEN}u"}),
    )
    every = (metrics, metric, funnel, retention, tables, sql, person)
    assert not [words(one) for one in every if one.is_error]
    assert any(row[0] == "saves_per_person" for row in metrics.structured_content["rows"])
    terms = "As the owner, for the purpose analytics, of production. Consent left out"
    for one in (metric, funnel, retention, tables, sql):
        assert words(one).startswith(terms)
        assert one.structured_content["definition"]
    assert "Consent left out 2 events." in funnel.content[0].text
    assert funnel.structured_content["excluded_by_consent"] == 2
    # The same as text, for who reads no structure.
    shown = json.loads(funnel.content[1].text)
    assert shown["rows"] == funnel.structured_content["rows"]
    assert shown["rows"][0][:3] == [1, "ad_viewed", 2]
    assert f"{HIDDEN}u" in words(person)


def test_a_user_of_a_policy_is_told_of_what_it_shows_alone(folder):
    query = "select distinct account_id as a from events where account_id <> ''"
    funnel, sql, person, other = asked(
        folder,
        ("funnel", FUNNEL),
        ("sql", {"query": query}),
        ("person", {"id": f"{SHOWN}u"}),
        ("person", {"id": f"{HIDDEN}u"}),
        user=named("analyst"),
    )
    assert funnel.structured_content["rows"][0][:3] == [1, "ad_viewed", 1]
    assert words(funnel).startswith("As Some analyst, for the purpose analytics")
    assert funnel.structured_content["excluded_by_consent"] == 1
    assert sql.structured_content["rows"] == [[f"{SHOWN}acc"]]
    assert not person.is_error
    assert other.is_error
    assert f"{HIDDEN}acc" not in words(other)


def test_who_may_not_see_persons_is_not_offered_them_and_refused(folder):
    async def talk(client):
        tools = [tool.name for tool in (await client.list_tools()).tools]
        return tools, await client.call_tool("sql", {"query": "select 1"})

    tools, refused = spoken(folder, talk, user=named("viewer"))
    assert tools == ALL[:10]
    assert refused.is_error
    assert "Some viewer (viewer) may not see persons." in words(refused)
    assert refused.structured_content is None


def test_what_cannot_be_asked_is_an_error_with_its_mend(folder):
    wrong = [
        ("metric", {"name": "saves_per_persn"}, "saves_per_person"),
        ("metric", {}, "name (required)"),
        ("metric", {"name": "purchases", "wrong": 1}, "It takes:"),
        ("funnel", {"events": []}, "event"),
        ("sql", {"query": "drop table events"}, "only SELECT"),
        ("sql", {"query": "select 1", "name": "mine"}, "takes no `name`"),
        ("sql", {"query": "select 1", "seconds": 0}, "seconds"),
        ("person", {"id": "nobody"}, "nobody"),
    ]
    for (name, params, said), told in zip(
        wrong, asked(folder, *(each[:2] for each in wrong)), strict=True
    ):
        assert told.is_error, (name, params)
        assert said in words(told)

    async def talk(client):
        await client.call_tool("person_erase", {"id": "x"})

    with pytest.raises(ExceptionGroup) as refused:
        spoken(folder, talk)
    assert refused.group_contains(MCPError, match="No tool `person_erase`")


def test_a_long_answer_is_cut_and_says_so(folder):
    query = f"select '{'x' * 1000}' as x from events a, events b, events c"
    (told,) = asked(folder, ("sql", {"query": query}))
    assert not told.is_error
    rows = len(told.structured_content["rows"])
    assert 30 < rows < 60
    assert f"Only the first {rows} rows are told" in words(told)


def test_questions_asked_at_once_are_all_answered(folder):
    async def talk(client):
        found = []

        async def one(number):
            told = await client.call_tool("sql", {"query": f"select {number} as n"})
            found.append(told.structured_content["rows"][0][0])

        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(partial(one, number))
        return sorted(found)

    assert spoken(folder, talk) == [0, 1, 2, 3]


def test_a_served_workspace_is_asked_and_a_question_given_up_is_ended(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "w")
    names = "abcdefghijklmnop"
    tables = ", ".join(f"events {name}" for name in names)
    places = " + ".join(f"{name}.place" for name in names)
    endless = f"select count(*) from {tables} where {places} = -1"

    async def talk(client):
        funnel = await client.call_tool("funnel", FUNNEL)
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "sql", {"query": endless, "seconds": 120})
            await anyio.to_thread.run_sync(partial(until, runs))
            group.cancel_scope.cancel()
        await anyio.to_thread.run_sync(partial(until, lambda: not runs()))
        return funnel

    with Server(Workspace(copy, "", "", "")) as server:

        def runs():
            return server.workspace.ask("sql", "--running")["rows"]

        funnel = spoken(str(copy), talk, user=named("analyst"))
    assert funnel.structured_content["rows"][0][:3] == [1, "ad_viewed", 1]


def test_without_the_extra_it_says_what_to_install(folder, monkeypatch, capsys):
    monkeypatch.setattr("onefold.cli.assistants.find_spec", lambda _: None)
    with pytest.raises(SystemExit) as left:
        main(["mcp", "-w", folder])
    assert left.value.code == 2
    assert "pip install 'onefold[mcp]'" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "code"), [(("--as", "Nobody"), 4), (("-w", "nowhere"), 4)])
def test_what_is_not_there_is_told_before_the_talk(folder, capsys, words, code):
    with pytest.raises(SystemExit) as left:
        main(["mcp", "-w", folder, *words])
    assert left.value.code == code
    told = capsys.readouterr()
    assert words[1] in told.err
    assert not told.out
