"""What may be written in SQL: one question over the tables of a View, and nothing else.

Whatever is not named here is refused. The text itself never reaches the engine: the engine is
given what was read of it, with every table and every WITH under a name that nothing else has.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlglot import Dialect, exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from onefold.model.errors import BadInput, unknown
from onefold.model.words import words_of
from onefold.store import planes

LONGEST = 20_000
SHOWN, OWN = "v:", planes.OWN
"""Before the name of a table of the View, and of a WITH; no table of the engine begins so."""

_LONGEST_NAME = 60
_MOST_NESTED = 24
_MOST_TOKENS = 4_000
_MOST_SCANS = 48
_MOST_JOINED_TEXTS = 32
_FIX = "`onefold sql --functions` lists what may be written."

_STRUCTURE = words_of(
    """
    Alias CTE Column Distinct Except From Group Having Identifier Intersect Join Limit Offset
    Order Ordered Qualify Select Star Subquery Table TableAlias Union Where Window WindowSpec With
    """
)
_OPERATORS = words_of(
    """
    Add And Any AtTimeZone Between Boolean Bracket Case Cast DPipe DataType DataTypeParam Div EQ
    Escape Exists Filter GT GTE ILike If IgnoreNulls In IntDiv Interval Is JSONExtract
    JSONExtractScalar JSONPath JSONPathKey JSONPathRoot JSONPathSubscript LT LTE Like Literal Mod
    Mul NEQ Neg Not Null NullSafeEQ NullSafeNEQ Or Paren Slice Sub TryCast Tuple Var
    """
)
_FUNCTIONS = words_of(
    """
    Abs AnyValue ApproxDistinct ArgMax ArgMin Avg Cbrt Ceil Coalesce Concat ConcatWs Contains Corr
    Count CountIf CovarPop CovarSamp CumeDist CurrentDate CurrentTimestamp DateAdd DateBin
    DateDiff DateFromParts DateTrunc Day DayOfMonth DayOfWeek DayOfWeekIso DayOfYear Dayname
    DenseRank EndsWith Exp Extract First FirstValue Floor Greatest GroupConcat Hour JSONType Lag
    Last LastDay LastValue Lead Least Left Length Ln Log LogicalAnd LogicalOr Lower Max Median Min
    Minute Mode Month Monthname NthValue Ntile Nullif PercentRank PercentileCont PercentileDisc
    Pow Quarter Rank RegexpExtract RegexpFullMatch RegexpLike RegexpReplace RegrSlope Replace
    Reverse Right Round RowNumber Second Sign SplitPart Sqrt StartsWith Stddev StddevPop
    StddevSamp StrPosition StrToTime Substring Sum TimeToStr TimeToUnix TimestampTrunc Trim
    UnixToTime Upper Variance VariancePop Week WeekOfYear Year
    """
)
_BY_NAME = words_of(
    """
    date_part date_sub epoch_ms now product sem trunc try_strptime weekday yearweek
    """
)
"""Functions that the reader has no word of its own for."""

_LONGER = {"Concat", "ConcatWs", "DPipe", "GroupConcat", "RegexpReplace", "Replace"}
"""What makes longer texts of texts: many of them could make one that fills the machine."""
_TYPES = words_of(
    """
    BIGINT BOOLEAN CHAR DATE DECIMAL DOUBLE FLOAT INT INT128 INTERVAL SMALLINT TEXT TIME TIMESTAMP
    TIMESTAMPNTZ TIMESTAMPTZ TINYINT VARCHAR
    """
)
_OPENS = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.CASE}
_CLOSES = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.END}
_WORDS = {
    "Array": "lists",
    "Columns": "COLUMNS()",
    "Command": "such a statement",
    "Cube": "CUBE",
    "Dot": "a dot there",
    "Explode": "unnest",
    "GroupingSets": "GROUPING SETS",
    "Hint": "hints",
    "Into": "INTO",
    "Lambda": "functions of one's own",
    "Lateral": "LATERAL",
    "Parameter": "parameters",
    "Pivot": "PIVOT",
    "Placeholder": "parameters",
    "Rollup": "ROLLUP",
    "Struct": "structs",
    "TableSample": "samples",
    "Unnest": "unnest",
    "Values": "VALUES",
}


def functions() -> tuple[str, ...]:
    """Return the functions that may be written, by one name each."""
    known = {name: getattr(exp, name).sql_name().lower() for name in _FUNCTIONS}
    return tuple(sorted({*known.values(), *_BY_NAME}))


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a text.

    Attributes:
        query: The question; each table stands under its new name.
        tables: The tables of the View that it asks.
        columns: The columns that it names; None where a star may mean any.
    """

    query: exp.Query
    tables: frozenset[str]
    columns: frozenset[str] | None


def read(text: str, known: Collection[str], *, now: datetime, today: date) -> Read:
    """Return the question that a text asks.

    Args:
        text: One SELECT in DuckDB's dialect.
        known: The tables that there are, in small letters.
        now: The time of asking, UTC without a zone.
        today: The day of asking, of the workspace's zone.

    Raises:
        BadInput: It is no question, or more than may be asked.
        NotFound: It names a table that there is not.
    """
    try:
        query = _parsed(text)
        nodes = list(query.walk())
        for node in nodes:
            _check(node)
        names = [each.sql(dialect="duckdb", comments=False) for each in _first(query).expressions]
        _check_lengths(nodes)
        columns = _columns(nodes)
        parts = [node for node in nodes if isinstance(node, exp.CTE)]
        tables = _renamed(nodes, parts, frozenset(known))
        _check_scans(query, parts)
        _tell_time(nodes, now, today)
        _call_columns(query, names)
        # What cannot be written again is found here rather than by the engine.
        query.sql(dialect="duckdb", comments=False)
    except RecursionError as error:
        raise BadInput("The question is nested too deep.", "Ask it in plainer words.") from error
    return Read(query, tables, columns)


def _parsed(text: str) -> exp.Query:
    if len(text) > LONGEST:
        raise BadInput(f"The question has {len(text):,} characters.", f"Use at most {LONGEST:,}.")
    if "\0" in text:
        raise BadInput("The question holds a null character.", "Leave it out.")
    dialect = Dialect.get_or_raise("duckdb")
    try:
        tokens = dialect.tokenize(text)
        _check_nesting(tokens)
        found = [each for each in dialect.parser().parse(tokens, text) if each is not None]
    except SqlglotError as error:
        said = getattr(error, "errors", None) or [{}]
        where = f", line {said[0]['line']}" if said[0].get("line") else ""
        what = said[0].get("description") or str(error).partition("\n")[0]
        near = said[0].get("highlight") or ""
        told = f" near `{near[:40]}`" if near.strip() else ""
        message = f"The question cannot be read{where}{told}: {what.rstrip('.')}."
        raise BadInput(message, "Write one SELECT in DuckDB's words.") from error
    if not found:
        raise BadInput("There is no question.", "Write one SELECT.")
    if len(found) > 1:
        raise BadInput("There is more than one statement.", "Ask one question at a time.")
    if not isinstance(found[0], exp.Select | exp.SetOperation):
        raise BadInput("That is no question: only SELECT is taken here.", "Write one SELECT.")
    if any(not each.expressions for each in found[0].find_all(exp.Select)):
        raise BadInput("A SELECT names no column.", "Name what to select, or * for all.")
    return found[0]


def _check_nesting(tokens: list[Token]) -> None:
    if len(tokens) > _MOST_TOKENS:
        message = f"The question has {len(tokens):,} words and signs."
        raise BadInput(message, f"Use at most {_MOST_TOKENS:,}.")
    depth = 0
    for token in tokens:
        depth += (token.token_type in _OPENS) - (token.token_type in _CLOSES)
        if depth > _MOST_NESTED:
            message = f"The question is nested over {_MOST_NESTED} deep."
            raise BadInput(message, "Name parts of it by WITH.")


def _check(node: exp.Expression) -> None:
    """Pass when a node may be written."""
    name = type(node).__name__
    if isinstance(node, exp.Anonymous):
        called = str(node.this).lower()
        if not isinstance(node.this, str) or called not in _BY_NAME:
            raise BadInput(f"The function `{called[:60]}` may not be used.", _FIX)
    elif name not in _STRUCTURE | _OPERATORS | _FUNCTIONS:
        word = _WORDS.get(name) or f"`{node.key if isinstance(node, exp.Func) else name.upper()}`"
        raise BadInput(f"{word[0].upper()}{word[1:]} may not be used.", _FIX)
    _check_parts(node)


def _check_parts(node: exp.Expression) -> None:
    """Pass when what a node holds beside other nodes may be written."""
    if isinstance(node, exp.DataType):
        if node.this.name not in _TYPES or node.args.get("nested"):
            raise BadInput(f"The type `{node.sql()[:40]}` may not be used.", _FIX)
    elif isinstance(node, exp.With) and node.recursive:
        raise BadInput("WITH RECURSIVE may not be used.", _FIX)
    elif isinstance(node, exp.Column | exp.Table) and (node.args.get("db") or node.catalog):
        raise BadInput(f"`{node.sql()[:60]}` has too many parts.", "Write table.column, or column.")
    elif isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
        raise BadInput(f"`{node.sql()[:60]}` is no table.", "Functions are no tables here.")
    elif isinstance(node, exp.Star) and (node.args.get("replace") or node.args.get("rename")):
        raise BadInput("REPLACE and RENAME may not be used.", _FIX)
    elif isinstance(node, exp.JSONPathKey | exp.JSONPathSubscript):
        if any(sign in str(node.this) for sign in "'\"\\*"):
            raise BadInput("A path in JSON may hold no quotes.", "Name plain keys, as '$.a.b'.")
    elif isinstance(node, exp.Var) and not str(node.this).isidentifier():
        raise BadInput(f"`{str(node.this)[:40]}` cannot stand there.", _FIX)
    elif isinstance(node, exp.Join) and node.args.get("method"):
        raise BadInput(f"{node.args['method']} JOIN may not be used.", _FIX)
    elif isinstance(node, exp.Group) and any(
        node.args.get(each) for each in ("cube", "rollup", "grouping_sets", "totals")
    ):
        raise BadInput("GROUP BY takes columns alone here.", "Name them, or ALL.")


def _check_lengths(nodes: list[exp.Expression]) -> None:
    longer = [node for node in nodes if type(node).__name__ in _LONGER]
    joined = sum(len(list(each.iter_expressions())) for each in longer)
    if joined > _MOST_JOINED_TEXTS:
        message = f"The question puts {joined} texts together."
        raise BadInput(message, f"Put at most {_MOST_JOINED_TEXTS} together.")
    for each in longer:
        new = each.args.get("replacement") or each.args.get("expression")
        short = not isinstance(each, exp.Replace | exp.RegexpReplace) or (
            isinstance(new, exp.Literal) and len(new.name) <= _MOST_JOINED_TEXTS
        )
        if not short and new is not None:
            raise BadInput("replace() takes a short text for the new one.", "Write it as 'text'.")


def _renamed(
    nodes: list[exp.Expression], parts: Sequence[exp.Expression], known: frozenset[str]
) -> frozenset[str]:
    """Give every table and every WITH its new name; return the tables that are asked."""
    own: set[str] = set()
    for part in parts:
        name = part.alias.lower()
        if name in known | own:
            what = "a table here" if name in known else "there already"
            raise BadInput(f"`{name[:100]}` is {what}.", "Give the WITH another name.")
        own.add(name)
    for part in parts:
        part.args["alias"].set("this", _quoted(OWN + part.alias.lower()))
    asked = set()
    for node in nodes:
        if not isinstance(node, exp.Table):
            continue
        name = node.name.lower()
        if name not in known | own:
            raise unknown("table", node.name[:100], known)
        if name in known:
            asked.add(name)
        called = node.args.get("alias") or exp.TableAlias()
        if not called.this:
            called.set("this", _quoted(node.name))
        node.set("alias", called)
        node.set("this", _quoted((SHOWN if name in known else OWN) + name))
    return frozenset(asked)


def _tell_time(nodes: list[exp.Expression], now: datetime, today: date) -> None:
    """Let the question be of the View's time wherever it asks for the time it is."""
    for node in nodes:
        called = str(node.this).lower() if isinstance(node, exp.Anonymous) else ""
        if isinstance(node, exp.CurrentTimestamp) or called == "now":
            node.replace(exp.cast(exp.Literal.string(now.isoformat(" ")), "TIMESTAMP"))
        elif isinstance(node, exp.CurrentDate):
            node.replace(exp.cast(exp.Literal.string(today.isoformat()), "DATE"))


def _first(query: exp.Query) -> exp.Query:
    """Return the SELECT that gives the columns their names."""
    while isinstance(query, exp.SetOperation):
        query = query.this.unnest()
    return query


def _call_columns(query: exp.Query, names: list[str]) -> None:
    """Let columns that were given no name be called as they were written."""
    first = _first(query)
    called = [
        each
        if isinstance(each, exp.Alias | exp.Column | exp.Star)
        else exp.Alias(this=each, alias=_quoted(name.lower()[:_LONGEST_NAME]))
        for each, name in zip(first.expressions, names, strict=True)
    ]
    first.set("expressions", called)


def _quoted(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def _check_scans(query: exp.Query, parts: Sequence[exp.Expression]) -> None:
    """Pass when the question reads few tables, also where a WITH is read again and again."""
    bodies = {part.alias: part.this for part in parts}
    costs: dict[str, int] = {}

    def cost(body: exp.Expression) -> int:
        inside = {id(each) for cte in body.find_all(exp.CTE) for each in cte.find_all(exp.Table)}
        read_here = [each.name for each in body.find_all(exp.Table) if id(each) not in inside]
        found = 0
        for name in read_here:
            if name in bodies and name not in costs:
                costs[name] = 1
                costs[name] = max(cost(bodies[name]), 1)
            found += costs.get(name, 1)
        return found

    if max([cost(query), *map(cost, bodies.values())]) > _MOST_SCANS:
        message = f"The question reads tables over {_MOST_SCANS} times."
        raise BadInput(message, "Join fewer of them.")


def _columns(nodes: list[exp.Expression]) -> frozenset[str] | None:
    # count(*) wants no column; any other star may want them all, and so does a table's own name.
    if any(isinstance(n, exp.Star) and not isinstance(n.parent, exp.Count) for n in nodes):
        return None
    named = frozenset(n.name.lower() for n in nodes if isinstance(n, exp.Identifier))
    tables = {n.alias_or_name.lower() for n in nodes if isinstance(n, exp.Table)}
    whole = any(isinstance(n, exp.Column) and n.name.lower() in tables for n in nodes)
    return None if whole else named
