"""What imported rows name and nobody knows: the orphans of each declared link."""

from typing import TYPE_CHECKING

from onefold.collect.entities import ENTITIES, KEYED, LINKS, PERSONS
from onefold.model.facts import RECORD_TABLES
from onefold.model.records import Answer, Column

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from onefold.store import View

_COLUMNS = {field: column for column, field in KEYED.items()}


def known_ids(view: "View", table: str) -> frozenset[object]:
    """Return the keys of a table, of `spend` those of invoices, or of all persons' identifiers."""
    return frozenset(view.ask(_ids(view, table))["id"].to_pylist())


def link_counts(view: "View") -> Answer:
    """Return each declared link that any row uses: how many rows, how many name nothing known."""
    rows = []
    for table, field, counted in _used(view):
        target = LINKS[table][field]
        lost = _naming(view, table, field).anti_join(_ids(view, target), "id")
        orphans = view.ask(lost.aggregate(rows=lost.count()))["rows"][0].as_py()
        named = "person" if target == PERSONS else ENTITIES[target]
        rows.append((table, field, named, counted, orphans, round(1 - orphans / counted, 4)))
    return Answer(
        columns=(
            Column("table", "text"),
            Column("field", "text"),
            Column("names", "text"),
            Column("rows", "integer"),
            Column("orphans", "integer", "rows"),
            Column("match_share", "share"),
        ),
        rows=tuple(rows),
        definition="Imported rows that name something else, by field: how many stand, and how many "
        "of them name what nobody has brought in. `user_id` is looked up among everybody seen.",
        as_of_time=view.fresh_time,
    )


def _naming(view: "View", table: str, field: str) -> "ir.Table":
    told = view.records[table]
    name = _COLUMNS.get(field, field)
    return told.filter(told[name].notnull()).select(id=name)


def _used(view: "View") -> list[tuple[str, str, int]]:
    """Return table, field and rows of each link that any row uses."""
    import ibis

    links = [(table, field) for table, fields in LINKS.items() for field in fields]
    counted = [
        told.aggregate(rows=told.count()).mutate(place=ibis.literal(place))
        for place, link in enumerate(links)
        for told in [_naming(view, *link)]
    ]
    found = {row["place"]: row["rows"] for row in view.ask(ibis.union(*counted)).to_pylist()}
    return [(*link, found[place]) for place, link in enumerate(links) if found[place]]


def _ids(view: "View", table: str) -> "ir.Table":
    if table == PERSONS:
        return view.people.select(id="key").distinct()
    found = view.records[table]
    if table == "spend":
        found = found.filter(found.kind == "invoice")
    return found.select(id=RECORD_TABLES[ENTITIES[table]][1]).distinct()
