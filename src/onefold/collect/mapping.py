"""The mapping file of an import: which column of a file becomes which field of a table."""

import os
from collections.abc import Mapping as Named
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onefold.collect.entities import ANY_OF, ENTITIES, REQUIRED, field_of
from onefold.collect.schedule import Every, every_of
from onefold.model.documents import Fields, read_document
from onefold.model.errors import BadInput, NotFound, did_you_mean
from onefold.model.facts import RECORD_TABLES, TABLES
from onefold.model.money import currency_of
from onefold.model.time import zone_of

TYPES = ("text", "integer", "time", "date", "money")
FORMATS = ("csv", "jsonl", "parquet")
DLT = "dlt.sources."
"""Only what dlt ships is called, so that a mapping cannot run whatever it names."""
ENCODINGS = ("utf-8", "latin-1", "cp1252", "utf-16")

_MADE = frozenset({"known_time", "properties", "currency", "sources"})
PROPERTY = "properties."
"""How a field begins that has no column: it goes into the properties."""


@dataclass(frozen=True, slots=True)
class Column:
    """Where one field comes from, and how it is written.

    Attributes:
        source: Name of the file's column; empty for a constant.
        value: The constant; empty for a column.
        type: One of `TYPES`.
        format: `strptime` format of a time or day; empty for ISO 8601.
        decimal: The decimal mark of an amount.
        thousands: What parts its thousands; empty for nothing.
    """

    source: str
    value: str = ""
    type: str = "text"
    format: str = ""
    decimal: str = "."
    thousands: str = ""


@dataclass(frozen=True, slots=True)
class DltSource:
    """A source of dlt.

    Attributes:
        source: What makes it, such as `dlt.sources.rest_api.rest_api_source`.
        resource: Which of its resources; empty where it is one itself.
        options: What it is made with.
    """

    source: str
    resource: str
    options: Named[str, Any]


@dataclass(frozen=True, slots=True)
class Mapping:
    """One import, of a file, a database or a source of dlt.

    Attributes:
        name: Of the import; its rows stand in the log under `import:<name>`.
        table: A table of `ENTITIES`.
        file: What to read; the mapping itself where it is no file.
        database: SQLAlchemy URL of the database to read, with the table `rows_of` or a `query`.
        dlt: The source of dlt to read.
        zone: IANA zone of times that carry none.
        priority: Where two imports tell the same field, the one of the greater goes first.
        columns: Field -> where it comes from; `properties.x` for what has no field.
        every: When the house brings it in by itself; None for never.
    """

    name: str
    table: str
    file: Path
    format: str
    encoding: str
    delimiter: str
    zone: str
    environment: str
    priority: int
    columns: Named[str, Column]
    database: str = ""
    rows_of: str = ""
    query: str = ""
    dlt: DltSource | None = None
    every: Every | None = None

    @property
    def origin(self) -> str:
        """Where rows come from, in few words."""
        if self.database:
            return self.rows_of or "query"
        return self.file.name if self.dlt is None else self.dlt.resource or self.dlt.source

    @property
    def is_text(self) -> bool:
        """Whether it has lines."""
        return not self.database and self.dlt is None and self.format != "parquet"

    @property
    def entity(self) -> str:
        """What a row is called."""
        return ENTITIES[self.table]

    @property
    def key(self) -> str:
        """The field that names a row."""
        return RECORD_TABLES[self.entity][1]


def read_mapping(path: Path) -> Mapping:
    """Return what a mapping file says.

    Raises:
        NotFound: The mapping or the file that it names is not there.
        BadInput: It cannot be used; with line and column.
    """
    if not path.is_file():
        raise NotFound(f"No mapping file {path}.", "Give the path of a mapping file.")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is not UTF-8.", "Save the mapping as UTF-8.") from error
    fields = read_document(text, path.name)
    table = fields.choice("table", ENTITIES)
    zone = fields.text("zone", "UTC")
    try:
        zone_of(zone)
    except BadInput as error:
        fields.refuse("zone", error.message, error.fix)
    delimiter = fields.text("delimiter", ",")
    if delimiter == "tab":
        delimiter = "\t"
    if len(delimiter) != 1:
        fields.refuse("delimiter", f"`{delimiter}` is no delimiter.", "Write one sign, or tab.")
    file, database, dlt = _origin(fields, path)
    shape = {".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}.get(file.suffix, "csv")
    found = Mapping(
        name=fields.text("import", path.stem),
        table=table,
        file=file,
        format=fields.choice("format", FORMATS, shape),
        encoding=fields.choice("encoding", ENCODINGS, "utf-8"),
        delimiter=delimiter,
        zone=zone,
        environment=fields.choice(
            "environment", ("production", "staging", "development"), "production"
        ),
        priority=fields.integer("priority", 0),
        columns=_columns(fields.required("columns"), table),
        database=database,
        rows_of=fields.text("rows_of", "") if database else "",
        query=fields.text("query", "") if database else "",
        dlt=dlt,
        every=_every(fields),
    )
    fields.close()
    if database and bool(found.rows_of) == bool(found.query):
        fields.refuse("database", "A database needs `rows_of` or `query`.", "Name a table.")
    if not file.is_file():
        fields.refuse("file", f"There is no file {file.name} beside it.", "Name one that is there.")
    return found


def _every(fields: Fields) -> Every | None:
    text = fields.text("every", "") if "every" in fields else ""
    try:
        return every_of(text) if text else None
    except BadInput as error:
        fields.refuse("every", error.message, error.fix)


def _origin(fields: Fields, path: Path) -> tuple[Path, str, DltSource | None]:
    """Return the file, or the mapping's own path with a database's URL or a source of dlt."""
    given = [name for name in ("file", "database", "dlt") if name in fields]
    if len(given) > 1:
        message = f"`{given[0]}` and `{given[1]}` cannot both be."
        fields.refuse(given[1], message, "Write a mapping each.")
    if given == ["database"]:
        return path, _url(fields, path), None
    if given == ["dlt"]:
        inner = fields.required("dlt")
        source = inner.text("source")
        if not source.startswith(DLT):
            fields.refuse("dlt", f"`{source}` is no source of dlt.", f"Write `{DLT}...`.")
        options = inner.plain("with") or {}
        if not isinstance(options, dict):
            fields.refuse("dlt", "`with` holds no fields.", "Write fields below it, indented.")
        found = DltSource(source, inner.text("resource", ""), _with_environment(options, fields))
        inner.close()
        return path, "", found
    return path.parent / fields.text("file"), "", None


def _url(fields: Fields, path: Path) -> str:
    """Return a database's URL: `{env: NAME}` keeps a password out of the file."""
    if isinstance(fields.plain("database"), dict):
        inner = fields.required("database")
        name = inner.text("env")
        inner.close()
        if not os.environ.get(name):
            fields.refuse("database", f"The variable {name} is not set.", "Set it and try again.")
        return os.environ[name]
    url = fields.text("database")
    plain = url.removeprefix("sqlite:///")
    return url if plain == url else f"sqlite:///{path.parent.absolute() / plain}"


def _with_environment(value: Any, fields: Fields) -> Any:
    """Return options of a source; `{env: NAME}` anywhere in them is a variable's value."""
    if isinstance(value, list):
        return [_with_environment(one, fields) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"env"}:
        name = str(value["env"])
        if not os.environ.get(name):
            fields.refuse("dlt", f"The variable {name} is not set.", "Set it and try again.")
        return os.environ[name]
    return {name: _with_environment(one, fields) for name, one in value.items()}


def _columns(fields: Fields, table: str) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    kinds = {
        field_of(name): "string" if field_of(name) != name else kind
        for name, kind in TABLES[table].columns.items()
        if name not in _MADE
    }
    known = list(kinds)
    for name in fields.names():
        free = table == "accounts" and name.startswith(PROPERTY)
        if name not in known and not free:
            meant = did_you_mean(name, known)
            fields.refuse(
                name, f"`{table}` has no `{name}`.{meant}", f"Use one of: {', '.join(known)}."
            )
        kind = "text" if free else _type_of(name, kinds[name])
        columns[name] = _column(fields, name, kind)
        if columns[name].type == "money":
            columns["currency"] = _currency(fields.required(name))
    missing = [name for name in REQUIRED[table] if name not in columns]
    if missing:
        raise_at = next(iter(columns), "")
        fields.refuse(
            raise_at,
            f"`{table}` needs `{missing[0]}`.",
            f"Map these fields: {', '.join(REQUIRED[table])}.",
        )
    some = ANY_OF.get(table, ())
    if some and not any(name in columns for name in some):
        fields.refuse(
            next(iter(columns), ""),
            f"`{table}` needs `{some[0]}`, or another that tells whose it is.",
            f"Map one of these fields: {', '.join(some)}.",
        )
    return columns


def _type_of(name: str, kind: str) -> str:
    if name.endswith("_micros"):
        return "money"
    return {"timestamp": "time", "date": "date", "int64": "integer"}.get(kind, "text")


def _column(fields: Fields, name: str, kind: str) -> Column:
    plain = fields.plain(name)
    if not isinstance(plain, dict):
        return Column(source=fields.text(name), type=kind)
    inner = fields.required(name)
    found = Column(
        source=inner.text("from", ""),
        value=inner.text("value", ""),
        type=inner.choice("type", TYPES, kind),
        format=inner.text("format", ""),
        decimal=inner.choice("decimal", (".", ","), "."),
        thousands=inner.text("thousands", ""),
    )
    inner.fields("currency")
    inner.close()
    if bool(found.source) == bool(found.value):
        fields.refuse(name, f"`{name}` needs `from` or `value`.", "Write {from: a column}.")
    if found.type != kind:
        fields.refuse(name, f"`{name}` is {kind}, not {found.type}.", "Leave `type` out.")
    return found


def _currency(money: Fields) -> Column:
    given = money.required("currency")
    found = Column(source=given.text("from", ""), value=given.text("value", ""), type="currency")
    given.close()
    if bool(found.source) == bool(found.value):
        money.refuse("currency", "`currency` needs `from` or `value`.", "Write {value: EUR}.")
    if found.value:
        try:
            currency_of(found.value)
        except BadInput as error:
            money.refuse("currency", error.message, error.fix)
    return found
