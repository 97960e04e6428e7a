"""An answer to take along: as CSV, as Parquet, or as a notebook that asks again."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
from starlette.responses import Response
from starlette.routing import Route

from onefold.model.cells import sheet
from onefold.model.errors import BadInput, NotFound, did_you_mean
from onefold.runtime import call
from onefold.web.desk import ask, signed_in
from onefold.web.pages.pinning import QUESTIONS, taken_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from onefold.model.records import Asker
    from onefold.runtime import Workspace

PATH = "/explore/take"
FORMS = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "ipynb": "application/x-ipynb+json",
}


@signed_in()
async def take(request: Request) -> Response:
    """Give the answer to the question of an address as a file."""
    workspace, asker = request.app.state.workspace, request.state.asker
    form, params = request.path_params["form"], dict(request.query_params)
    if form not in FORMS:
        raise NotFound(f"No form `{form[:20]}`.", f"Take it as one of: {', '.join(FORMS)}.")
    asked = params.pop("ask", "")
    if asked not in QUESTIONS:
        message = f"No question `{asked[:40]}`.{did_you_mean(asked, QUESTIONS)}"
        raise BadInput(message, f"Ask one of: {', '.join(QUESTIONS)}.")
    base = f"{request.url.scheme}://{request.url.netloc}"
    body = await ask(request, _taken, workspace, asker, asked, params, form, base)
    headers = {"content-disposition": f'attachment; filename="{asked}.{form}"'}
    return Response(body, media_type=FORMS[form], headers=headers)


routes = [Route(PATH + ".{form}", take)]


def ways_of(asked: str, params: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the links that a page offers beside an answer."""
    given = urlencode({"ask": asked, **{name: value for name, value in params.items() if value}})
    names = {"csv": "CSV", "parquet": "Parquet", "ipynb": "Notebook"}
    return [{"label": names[form], "href": f"{PATH}.{form}?{given}"} for form in FORMS]


def _taken(
    workspace: Workspace, asker: Asker, asked: str, params: dict[str, str], form: str, base: str
) -> bytes:
    taken = taken_of(asked, params)
    if form == "ipynb":
        return notebook(asked, taken, base=base)
    body = call(workspace, asker, asked, taken).body
    names, rows = flat(body)
    if form == "csv":
        return sheet(names, rows).encode()
    return parquet(names, rows, told={**body, "rows": None, "ask": asked, "params": taken})


def flat(body: Mapping[str, Any]) -> tuple[list[str], list[list[object]]]:
    """Return the names and rows of an answer with one plain value a cell.

    Money becomes units, its currency a column of its own at the end; an estimate within a cell
    becomes `NAME`, `NAME_low` and `NAME_high`.

    >>> columns = [{"name": "spent"}, {"name": "n"}]
    >>> flat({"columns": columns, "rows": [[{"micros": 2_500_000, "currency": "EUR"}, 3]]})
    (['spent', 'n', 'currency'], [[2.5, 3, 'EUR']])
    """
    names: list[str] = []
    found: list[list[object]] = [[] for _ in body["rows"]]
    for place, column in enumerate(body["columns"]):
        cells = [_parts(row[place]) for row in body["rows"]]
        parts = max(cells, key=len, default={"": None})
        names += [f"{column['name']}_{part}" if part else column["name"] for part in parts]
        for line, cell in zip(found, cells, strict=True):
            line += [cell.get(part) for part in parts]
    currencies = [_currency(row) for row in body["rows"]]
    if any(currencies):
        names.append("currency")
        for line, currency in zip(found, currencies, strict=True):
            line.append(currency)
    return names, found


def _parts(value: object) -> dict[str, object]:
    if isinstance(value, dict) and "micros" in value:
        return {"": value["micros"] / 1_000_000}
    if isinstance(value, dict) and "estimate" in value:
        return {"": value["estimate"], "low": value.get("low"), "high": value.get("high")}
    if isinstance(value, dict | list):
        return {"": json.dumps(value, ensure_ascii=False)}
    return {"": value}


def _currency(row: Sequence[object]) -> str | None:
    found = (one["currency"] for one in row if isinstance(one, dict) and "micros" in one)
    return next(found, None)


def parquet(
    names: Sequence[str], rows: Sequence[Sequence[object]], *, told: Mapping[str, object]
) -> bytes:
    """Return rows as Parquet; its metadata `onefold` holds the question and its definition.

    A column whose cells differ in kind is one of texts.
    """
    columns = {}
    for place, name in enumerate(names):
        values = [row[place] for row in rows]
        try:
            column = pa.array(values)
        except pa.ArrowInvalid:
            column = pa.array([None if each is None else str(each) for each in values])
        # A column without any value has no kind; Parquet's readers expect one.
        columns[name] = column.cast(pa.string()) if column.type == pa.null() else column
    table = pa.table(columns)
    said = json.dumps({key: value for key, value in told.items() if value is not None})
    out = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"onefold": said}), out)
    return out.getvalue()


def notebook(asked: str, taken: Mapping[str, Any], *, base: str) -> bytes:
    """Return a notebook (nbformat 4.5) that asks the same question over the API.

    It holds no figure and no key: the key is read from the environment.
    """
    ask_it = f"""\
import json
import os
from urllib.request import Request, urlopen

ADDRESS = {json.dumps(f"{base}/api/v1/{asked}")}
QUESTION = json.loads({json.dumps(json.dumps(taken, ensure_ascii=False), ensure_ascii=False)})

headers = {{
    "authorization": f"Bearer {{os.environ['ONEFOLD_API_KEY']}}",
    "content-type": "application/json",
}}
with urlopen(Request(ADDRESS, json.dumps(QUESTION).encode(), headers)) as answer:
    body = json.load(answer)
names = [column["name"] for column in body["columns"]]
rows = [dict(zip(names, row)) for row in body["rows"]]
print(body["definition"], *body["notes"], sep="\\n")
rows"""
    words = (
        f"# {asked.capitalize()}\nAsked of Onefold. Set `ONEFOLD_API_KEY` to a key with the scope "
        "`read` (Settings, or `onefold key add`) before you run it."
    )
    frame = (
        "try:\n    import pandas as pd\nexcept ImportError:\n    print('pip install pandas')\n"
        "else:\n    display(pd.DataFrame(rows))"
    )
    told = {
        "cells": [
            {"cell_type": "markdown", "id": "question", "metadata": {}, "source": words},
            _code("ask", ask_it),
            _code("table", frame),
        ],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _code(name: str, source: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }
