"""How answers look: a table on a terminal or one JSON document; notes and progress on stderr."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

from onefold.cli.options import Terms
from onefold.model.money import MICROS
from onefold.model.words import plural

Progress = Callable[[str, int, int | None], None]
"""What is done, how much of it, of how much (None where nobody knows)."""

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_PLAIN_WIDTH = 10_000
_MOST_ROWS = 15
_LONGEST = 70
"""Characters of a text that still reads as a cell; longer ones only --json shows."""
_ASIDE = frozenset({"query", "certificate", "value_unit"})


def note(text: str) -> None:
    """Say something beside the answer."""
    click.secho(text, err=True, dim=True)


def warn(text: str) -> None:
    """Say something that a reader should not miss."""
    click.secho(text, err=True, fg="yellow")


def show(body: Mapping[str, Any], given: Terms) -> None:
    """Print an answer: JSON when asked for, else its table or its facts."""
    if given.as_json:
        print(json.dumps(body, ensure_ascii=False))  # noqa: T201
        return
    _show_parts(body)


def _show_parts(body: Mapping[str, Any]) -> None:
    """Print facts as lines and every table under its name; queries only --json shows."""
    if _is_table(body):
        _show_table(body)
        return
    said = {key: value for key, value in body.items() if key not in _ASIDE and _says(value)}
    facts = {key: value for key, value in said.items() if not _is_structure(value)}
    if facts:
        _show_facts(facts)
    for key, value in said.items():
        if _is_structure(value):
            click.secho(f"\n{_words(key)}", bold=True)
            if isinstance(value, Mapping):
                _show_parts(value)
            else:
                _show_list(value)


def _says(value: object) -> bool:
    return value is not None and value not in ("", [], {})


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) and "columns" in value and "rows" in value


def _is_structure(value: object) -> bool:
    if isinstance(value, Mapping):
        return not (_is_estimate(value) or _is_money(value))
    return isinstance(value, list) and any(isinstance(each, Mapping) for each in value)


def _is_estimate(value: Mapping[str, Any]) -> bool:
    return {"estimate", "low", "high"} <= set(value)


def _is_money(value: Mapping[str, Any]) -> bool:
    return set(value) == {"micros", "currency"}


def _show_facts(facts: Mapping[str, Any]) -> None:
    width = max(len(key) for key in facts)
    for key, value in facts.items():
        click.echo(f"{_words(key):<{width}}  {cell(value, _unit_of(key))}")


def _show_list(values: Sequence[Mapping[str, Any]]) -> None:
    shown = values[:_MOST_ROWS]
    names = list(dict.fromkeys(name for value in shown for name in value if name not in _ASIDE))
    flat = [n for n in names if not any(_is_structure(value.get(n)) for value in shown)]
    told = [n for n in flat if any(_says(value.get(n)) for value in shown)]
    long = [n for n in told[1:] if any(_is_long(value.get(n)) for value in shown)]
    told = [n for n in told if n not in long]
    columns = [{"name": n, "type": "text", "unit": _unit_of(n)} for n in told]
    _print_table(columns, [[_in_unit(value, n) for n in told] for value in shown])
    # What does not fit into a column stands below, under the name of its row.
    for value in shown if long else ():
        click.echo(f"\n{cell(value.get(told[0]))}")
        for name in long:
            if _says(value.get(name)):
                click.echo(f"  {_words(name)}: {cell(_in_unit(value, name), _unit_of(name))}")
    if len(values) > len(shown):
        note(f"{len(values) - len(shown):,} more; --json shows all.")


def _in_unit(row: Mapping[str, Any], name: str) -> object:
    """Return a cell of a row, as money where the row says that its figures are."""
    value = row.get(name)
    if row.get("value_unit") != "micros" or name not in {"value", "anyway"} or value is None:
        return value
    return cell(value, f"micros {row.get('currency') or ''}".strip())


def _is_long(value: object) -> bool:
    return isinstance(value, str) and len(value) > _LONGEST


def _unit_of(name: str) -> str:
    return "share" if name.endswith("_share") else ""


def _show_table(body: Mapping[str, Any]) -> None:
    _print_table(body["columns"], body["rows"])
    if body.get("definition"):
        note(str(body["definition"]))
    if body.get("excluded_by_consent"):
        note(f"Consent left out {plural(body['excluded_by_consent'], 'event')}.")
    if body.get("as_of"):
        note(f"Fresh as of {body['as_of']}.")
    for each in body.get("notes") or (() if body["rows"] else ("Nothing to list.",)):
        note(each)


def _print_table(columns: Sequence[Mapping[str, str]], rows: Sequence[Sequence[Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    on_terminal = sys.stdout.isatty()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, column in enumerate(columns):
        right = any(isinstance(row[place], (int, float, dict)) for row in rows)
        unit = column.get("unit", "")
        plain = unit in {"", "share"} or unit.startswith("micros")
        head = column["name"] if plain else f"{column['name']} ({unit})"
        table.add_column(Text(head), justify="right" if right else "left", no_wrap=not on_terminal)
    for row in rows:
        values = (cell(v, str(c.get("unit", ""))) for v, c in zip(row, columns, strict=True))
        table.add_row(*(Text(value) for value in values))
    Console(width=None if on_terminal else _PLAIN_WIDTH).print(table)


def cell(value: object, unit: str = "") -> str:
    """Return a value as a reader wants it.

    >>> cell(1284310), cell(None), cell({"micros": -2_800_000_000, "currency": "USD"})
    ('1,284,310', '–', '−$2,800.00')
    >>> cell({"estimate": 0.061, "low": 0.05, "high": 0.07, "n": 9}, "share")
    '6.1 % (5.0 to 7.0)'
    >>> cell(1_284_310_000, "micros USD")
    '$1,284.31'
    """
    match value:
        case None:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return _number(value, unit)
        case {"micros": int(micros), "currency": str(currency)}:
            return _money(micros, currency)
        case {"estimate": estimate, "low": low, "high": high}:
            return _estimate(estimate, low, high, unit)
        case list():
            return ", ".join(cell(each, unit) for each in value)
        case dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)


def _number(value: float, unit: str) -> str:
    if unit == "share":
        return f"{_number(value * 100, 'points')} %"
    if unit.startswith("micros"):
        return _money(round(value), unit.removeprefix("micros").strip())
    size = abs(value)
    if isinstance(value, int):
        text = f"{size:,}"
    elif unit == "points":
        text = f"{size:.1f}" if size >= 0.1 or size == 0 else f"{size:.2g}"
    else:
        text = f"{size:,.0f}" if size >= 1000 else f"{size:.4g}"
    return (MINUS if value < 0 else "") + text


def _money(micros: int, currency: str) -> str:
    sign = MINUS if micros < 0 else ""
    currency = currency or "\N{CURRENCY SIGN}"
    return f"{sign}{_SIGNS.get(currency, currency + ' ')}{abs(micros) / MICROS:,.2f}"


def _estimate(estimate: object, low: object, high: object, unit: str) -> str:
    if not isinstance(estimate, (int, float)):
        return "not enough data"
    if unit.startswith("micros"):
        currency = unit.removeprefix("micros").strip()
        ends = [
            _money(round(end), currency) for end in (low, high) if isinstance(end, (int, float))
        ]
        range_ = f" ({' to '.join(ends)})" if ends else ""
        return _money(round(estimate), currency) + range_
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
        return _number(estimate, unit)
    scale, of = (100, "points") if unit == "share" else (1, unit)
    ends = [_number(end * scale, of) for end in (low, high)]
    return f"{_number(estimate, unit)} ({' to '.join(ends)})"


def _words(key: str) -> str:
    return key.replace("_", " ")


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Open a progress bar on stderr; where stderr is no terminal it says nothing."""
    if not sys.stderr.isatty():
        yield _say_nothing
        return
    from rich import progress as rich
    from rich.console import Console

    bar = rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, Any] = {}

    def told(what: str, done: int, total: int | None) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=total)
        bar.update(tasks[what], completed=done, total=total)

    with bar:
        yield told


def _say_nothing(what: str, done: int, total: int | None) -> None:
    """Take progress where nobody watches."""
