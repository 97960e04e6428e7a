"""Questions in Spark's words, and where they differ from DuckDB's."""

from functools import lru_cache
from typing import Any

from sqlglot import exp

from onefold.store.compiled import Dialect, first_in_order, pointed, there


@lru_cache(maxsize=1)
def _compiler() -> Any:
    import ibis
    from ibis.backends.sql.compilers.pyspark import PySparkCompiler

    # To name the backend is what makes its options known, which the compiler reads.
    _ = ibis.pyspark

    class Words(PySparkCompiler):  # type: ignore[misc]
        """What ibis says otherwise than DuckDB means it."""

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
            return _at_end(self, "min_by" if rises else "max_by", arg, known, order_by)

        def visit_Last(  # noqa: N802
            self, _op: Any, *, arg: Any, where: Any, order_by: Any, include_null: bool
        ) -> exp.Expression:
            rises = first_in_order(order_by)
            known = where if include_null else there(arg, where)
            return _at_end(self, "max_by" if rises else "min_by", arg, known, order_by)

    return Words()


def _at_end(words: Any, name: str, arg: Any, where: Any, order_by: Any) -> exp.Expression:
    """Return the value of the row with the least or the greatest keys."""
    keys = words.f.struct(*(each.this for each in order_by))
    if where is not None:
        # Rows whose key is null do not count.
        keys = words.if_(where, keys, exp.null())
    found = words.f.anon[name](words.f.struct(exp.alias_(arg, "told")), keys)
    return exp.Dot(this=found, expression=exp.to_identifier("told"))


def _text_at(document: exp.Expression, pointer: exp.Expression) -> exp.Expression:
    """Return what takes a text out of a JSON document, as DuckDB's `json_extract_string` does."""
    kind = exp.Literal.string("map<string,string>")
    fields = exp.Anonymous(this="from_json", expressions=[document, kind])
    name = exp.Literal.string(pointed(pointer))
    return exp.Anonymous(this="try_element_at", expressions=[fields, name])


SPARK = Dialect("spark", _compiler)
"""Questions in Spark's words."""
