"""Questions in ClickHouse's words, and where they differ from DuckDB's."""

from functools import lru_cache
from typing import Any

from sqlglot import exp

from onefold.store.compiled import Dialect, first_in_order, micros_of, pointed, there

_DAYS = frozenset("YQMWD")
"""Units that are whole days."""


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
            rises = first_in_order(order_by)
            known = where if include_null else there(arg, where)
            return _at_end(self, "argMin" if rises else "argMax", arg, known, order_by)

        def visit_Last(  # noqa: N802
            self, _op: Any, *, arg: Any, where: Any, order_by: Any, include_null: bool
        ) -> exp.Expression:
            rises = first_in_order(order_by)
            known = where if include_null else there(arg, where)
            return _at_end(self, "argMax" if rises else "argMin", arg, known, order_by)

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


def _text_at(document: exp.Expression, pointer: exp.Expression) -> exp.Expression:
    """Return what takes a text out of a JSON document, as DuckDB's `json_extract_string` does.

    What is no text is told as it is written, and null is nothing.
    """
    key = pointed(pointer)
    parts = [
        exp.Anonymous(this=name, expressions=[document.copy(), exp.Literal.string(key)])
        for name in ("JSONType", "JSONExtractString", "JSONExtractRaw", "JSONHas")
    ]
    kind, text, raw, there = parts
    told = exp.and_(there, kind.copy().neq("Null"))
    return exp.Case(ifs=[exp.If(this=kind.eq("String"), true=text), exp.If(this=told, true=raw)])


def _at_end(words: Any, name: str, arg: Any, where: Any, order_by: Any) -> exp.Expression:
    """Return the value of the row with the least or the greatest keys."""
    # A tuple is never null, so a null within it counts as any other value.
    keys = words.f.tuple(*(each.this for each in order_by))
    found = words.agg[name](words.f.tuple(arg), keys, where=where)
    return exp.Dot(this=found, expression=exp.Literal.number(1))


CLICKHOUSE = Dialect("clickhouse", _compiler)
"""Questions in ClickHouse's words."""
