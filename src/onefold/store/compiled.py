"""What engines beside DuckDB have in common: a question in their words, with what it answers."""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
from sqlglot import exp

from onefold.model.facts import TABLES

if TYPE_CHECKING:
    import ibis.expr.types as ir

_MOST = 2048
_by_text: "OrderedDict[str, Compiled]" = OrderedDict()


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
    def of_text(cls, text: str) -> "Compiled":
        """Return a question that was compiled before, by its text."""
        return _by_text[text]

    def kept(self) -> Self:
        """Return it, and find it by its text from now on."""
        _by_text[self.text] = self
        while len(_by_text) > _MOST:
            _by_text.popitem(last=False)
        return self

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


class Dialect:
    """Puts questions into an engine's words, and keeps the last ones."""

    def __init__(self, name: str, compiler: Callable[[], Any], *, most: int = 512) -> None:
        """Take sqlglot's name of the dialect, and what makes ibis's compiler when it is needed."""
        self._name, self._compiler, self._most = name, compiler, most
        self._kept: dict[Any, Compiled] = {}

    def compiled(self, expression: "ir.Expr") -> Compiled:
        """Return a question in the engine's words."""
        operation = expression.op()
        found = self._kept.get(operation)
        if found is None:
            if len(self._kept) >= self._most:
                self._kept.clear()
            found = self._kept[operation] = self._made(expression).kept()
        return found

    def _made(self, expression: "ir.Expr") -> Compiled:
        table = expression.as_table()
        query = self._compiler().to_sqlglot(table)
        own = {each.alias for each in query.find_all(exp.CTE)}
        asked = {each.name for each in query.find_all(exp.Table)} - own
        names = tuple(name for name in TABLES if name in asked)
        return Compiled(query.sql(dialect=self._name), names, table.schema().to_pyarrow())


def first_in_order(order_by: Any) -> bool:
    """Return whether an order rises, so that its first row has the least keys.

    Raises:
        ValueError: It rises by one key and falls by another.
    """
    falls = {bool(each.args.get("desc")) for each in order_by}
    if len(falls) != 1:
        message = "The first of rows has to be of one order, rising or falling."
        raise ValueError(message)
    return falls == {False}


def there(arg: Any, where: Any) -> exp.Expression:
    """Return a condition that holds besides where a value is there."""
    known: exp.Expression = arg.is_(exp.null()).not_()
    return known if where is None else exp.and_(where, known)


def pointed(pointer: exp.Expression) -> str:
    """Return the name that a JSON pointer of one step names (RFC 6901)."""
    return str(pointer.this).removeprefix("/").replace("~1", "/").replace("~0", "~")


def micros_of(moment: datetime) -> int:
    """Return the microseconds since 1970 of a time; without a zone it is of UTC.

    >>> micros_of(datetime(1969, 12, 31, 23, 59, 59))
    -1000000
    """
    whole = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = whole - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
