"""Questions in ClickHouse's words, and where they differ from DuckDB's."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
from sqlglot import exp

from onefold.model.facts import TABLES

if TYPE_CHECKING:
    import ibis.expr.types as ir

_MOST = 512
_DAYS = frozenset("YQMWD")
"""Units that are whole days."""
_compiled: dict[Any, "Compiled"] = {}
_by_text: dict[str, "Compiled"] = {}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A question over the tables of the facts, by their plain names.

    Attributes:
        text: As a page prints it.
        tables: The tables it asks.
        schema: Of its answer.
    """

    text: str
    tables: tuple[str, ...]
    schema: pa.Schema = field(default_factory=lambda: pa.schema([]))

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Return a question that was compiled before."""
        found = _by_text[text]
        return cls(found.text, found.tables, found.schema)

    def over(self, seen: Callable[[str], str], more: Mapping[str, str] | None = None) -> str:
        """Return it as one statement that asks of each table only what is visible.

        Args:
            seen: Table -> the query of what is visible of it.
            more: Further names it asks -> the query of each.
        """
        named = {name: seen(name) for name in self.tables} | dict(more or {})
        first = ", ".join(f"`{name}` AS ({text})" for name, text in named.items())
        if not first:
            return self.text
        own = re.match(r"\s*WITH\s", self.text)
        return f"WITH {first}, {self.text[own.end() :]}" if own else f"WITH {first} {self.text}"


def compiled(expression: "ir.Expr") -> Compiled:
    """Return a question in ClickHouse's words; the last ones are kept."""
    operation = expression.op()
    found = _compiled.get(operation)
    if found is None:
        if len(_compiled) >= _MOST:
            _compiled.clear()
            _by_text.clear()
        found = _compiled[operation] = _made(expression)
        _by_text[found.text] = found
    return found


def _made(expression: "ir.Expr") -> Compiled:
    table = expression.as_table()
    query = _compiler().to_sqlglot(table)
    own = {each.alias for each in query.find_all(exp.CTE)}
    asked = {each.name for each in query.find_all(exp.Table)} - own
    names = tuple(name for name in TABLES if name in asked)
    return Compiled(query.sql(dialect="clickhouse"), names, table.schema().to_pyarrow())


@lru_cache(maxsize=1)
def _compiler() -> Any:
    import ibis.expr.operations as ops
    from ibis.backends.sql.compilers.clickhouse import ClickHouseCompiler

    class Words(ClickHouseCompiler):  # type: ignore[misc]
        """What ibis says otherwise than DuckDB means it."""

        # A day of the plain kind is between 1970 and 2149.
        SIMPLE_OPS = {ops.Date: "toDate32"}  # noqa: RUF012 - as its base class wants it

        def visit_ScalarUDF(self, op: Any, **given: Any) -> exp.Expression:  # noqa: N802
            if self.__sql_name__(op) == "json_extract_string":
                return _text_at(*given.values())
            found: exp.Expression = super().visit_ScalarUDF(op, **given)
            return found

        def visit_First(  # noqa: N802
            self, _op: Any, *, arg: Any, where: Any, order_by: Any, include_null: bool
        ) -> exp.Expression:
            return _at_end(self, "argMin", arg, where, order_by, include_null=include_null)

        def visit_Last(  # noqa: N802
            self, _op: Any, *, arg: Any, where: Any, order_by: Any, include_null: bool
        ) -> exp.Expression:
            return _at_end(self, "argMax", arg, where, order_by, include_null=include_null)

        def visit_NonNullLiteral(  # noqa: N802
            self, op: Any, *, value: Any, dtype: Any
        ) -> exp.Expression:
            found: exp.Expression
            if dtype.is_timestamp():
                micros = exp.Literal.number(micros_of(value))
                found = self.f.fromUnixTimestamp64Micro(self.f.toInt64(micros), "UTC")
            elif dtype.is_date():
                found = self.f.toDate32(value.isoformat()[:10])
            else:
                found = super().visit_NonNullLiteral(op, value=value, dtype=dtype)
            return found

        def visit_TimestampTruncate(  # noqa: N802
            self, op: Any, *, arg: Any, unit: Any
        ) -> exp.Expression:
            found: exp.Expression
            if unit.short not in _DAYS:
                found = super().visit_TimestampTruncate(op, arg=arg, unit=unit)
                return found
            name = "toMonday" if unit.short == "W" else f"toStartOf{unit.singular.capitalize()}"
            found = self.f.toDateTime64(self.f[name](arg), 6, "UTC")
            return found

    return Words()


def _at_end(
    words: Any, name: str, arg: Any, where: Any, order_by: Any, *, include_null: bool
) -> exp.Expression:
    """Return the value that stands first or last in an order that rises or falls."""
    falls = {bool(each.args.get("desc")) for each in order_by}
    if len(falls) != 1:
        message = "The first of rows has to be of one order, rising or falling."
        raise ValueError(message)
    if falls == {True}:
        name = {"argMin": "argMax", "argMax": "argMin"}[name]
    if not include_null:
        there = arg.is_(exp.null()).not_()
        where = there if where is None else exp.and_(where, there)
    # A tuple is never null, so a null within it counts as any other value.
    keys = words.f.tuple(*(each.this for each in order_by))
    found = words.agg[name](words.f.tuple(arg), keys, where=where)
    return exp.Dot(this=found, expression=exp.Literal.number(1))


def micros_of(moment: datetime) -> int:
    """Return the microseconds since 1970 of a time; without a zone it is of UTC.

    >>> micros_of(datetime(1969, 12, 31, 23, 59, 59))
    -1000000
    """
    whole = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = whole - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _text_at(document: exp.Expression, pointer: exp.Expression) -> exp.Expression:
    """Return what takes a text out of a JSON document, as DuckDB's `json_extract_string` does.

    What is no text is told as it is written, and null is nothing.
    """
    key = pointer.this.removeprefix("/").replace("~1", "/").replace("~0", "~")
    parts = [
        exp.Anonymous(this=name, expressions=[document.copy(), exp.Literal.string(key)])
        for name in ("JSONType", "JSONExtractString", "JSONExtractRaw", "JSONHas")
    ]
    kind, text, raw, there = parts
    told = exp.and_(there, kind.copy().neq("Null"))
    return exp.Case(ifs=[exp.If(this=kind.eq("String"), true=text), exp.If(this=told, true=raw)])
