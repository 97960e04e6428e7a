"""Questions in ClickHouse's words, and where they differ from DuckDB's."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
from sqlglot import exp

from onefold.model.facts import TABLES

if TYPE_CHECKING:
    import ibis.expr.types as ir

_MOST = 512
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

    def over(self, seen: Callable[[str], str]) -> str:
        """Return it as one statement that asks of each table only what is visible."""
        first = ", ".join(f"`{name}` AS ({seen(name)})" for name in self.tables)
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
    from ibis.backends.sql.compilers.clickhouse import ClickHouseCompiler

    class Words(ClickHouseCompiler):  # type: ignore[misc]
        """What ibis says otherwise than DuckDB means it."""

        def visit_ScalarUDF(self, op: Any, **given: Any) -> exp.Expression:  # noqa: N802
            if self.__sql_name__(op) == "json_extract_string":
                return _text_at(*given.values())
            found: exp.Expression = super().visit_ScalarUDF(op, **given)
            return found

        def visit_First(  # noqa: N802
            self, _op: Any, *, arg: Any, where: Any, order_by: Any, include_null: bool
        ) -> exp.Expression:
            return self._at_end("argMin", arg, where, order_by, include_null=include_null)

        def visit_Last(  # noqa: N802
            self, _op: Any, *, arg: Any, where: Any, order_by: Any, include_null: bool
        ) -> exp.Expression:
            return self._at_end("argMax", arg, where, order_by, include_null=include_null)

        def _at_end(
            self, name: str, arg: Any, where: Any, order_by: Any, *, include_null: bool
        ) -> exp.Expression:
            """Return the value that stands first or last in an order that rises or falls."""
            falls = {bool(each.args.get("desc")) for each in order_by}
            if len(falls) != 1:
                message = "The first of rows has to be of one order, rising or falling."
                raise NotImplementedError(message)
            if falls == {True}:
                name = {"argMin": "argMax", "argMax": "argMin"}[name]
            if not include_null:
                there = arg.is_(exp.null()).not_()
                where = there if where is None else exp.and_(where, there)
            # A tuple is never null, so a null within it counts as any other value.
            keys = self.f.tuple(*(each.this for each in order_by))
            found = self.agg[name](self.f.tuple(arg), keys, where=where)
            return exp.Dot(this=found, expression=exp.Literal.number(1))

        def visit_Date(self, _op: Any, *, arg: Any) -> exp.Expression:  # noqa: N802
            found: exp.Expression = self.f.toDate32(arg)
            return found

    return Words()


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
