"""Command of the SQL door: a question of one's own, read-only and within limits."""

import sys
from contextlib import suppress

import click

from onefold.cli.options import command, terms
from onefold.cli.reach import answer, ask, is_served
from onefold.cli.show import note, show
from onefold.model.cells import sheet
from onefold.model.errors import BadInput, OnefoldError
from onefold.model.ids import new_secret


@command("sql")
@click.argument("query", required=False)
@click.option("--as-of", metavar="WHEN", help="As of a day or a time, such as 2026-11-22.")
@click.option("--rows", type=int, metavar="N", help="At most so many. Default: 1000.")
@click.option("--seconds", type=int, metavar="N", help="At most so long. Default: 30.")
@click.option("--csv", "as_csv", is_flag=True, help="Answer as CSV, no cell of it a formula.")
@click.option("--tables", is_flag=True, help="List the tables and columns that may be asked.")
@click.option("--functions", is_flag=True, help="List the functions that may be used.")
@click.option("--running", is_flag=True, help="List the questions that run now.")
@click.option("--cancel", metavar="NAME", help="End a question that runs.")
@click.option("--purpose", metavar="NAME", help="What the answer is for. Default: analytics.")
@click.option("--environment", help="Of which environment. Default: production.")
@click.option("--include", metavar="MARKS", help="Marked traffic to let in, or all.")
def sql_command(
    query: str | None,
    as_csv: bool,
    tables: bool,
    functions: bool,
    running: bool,
    cancel: str | None,
    **asked: str | int | None,
) -> int:
    """Ask a SELECT over what you may see; `-` reads it from standard input. Ctrl-C cancels it."""
    of_view = {name: asked.pop(name) for name in ("purpose", "environment", "include")}
    if tables:
        return answer("sql tables", of_view)
    if functions:
        return answer("sql functions")
    if running:
        return answer("sql running")
    if cancel is not None:
        return answer("sql cancel", {"name": cancel})
    if query is None:
        raise BadInput("There is no question.", "Write one SELECT, or `-` to read it.")
    given = terms()
    text = sys.stdin.read() if query == "-" else query
    name = new_secret("cli_")
    try:
        body, _ = ask(given, "sql", {"query": text, "name": name, **asked, **of_view})
    except KeyboardInterrupt:
        if is_served(given.folder):
            with suppress(OnefoldError):
                ask(given, "sql cancel", {"name": name})
        raise
    if not as_csv:
        show(body, given)
        return 0
    click.echo(sheet([each["name"] for each in body["columns"]], body["rows"]), nl=False)
    for each in body["notes"]:
        note(each)
    return 0
