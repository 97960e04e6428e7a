"""Whatever keeps a key of a person lets go of it, and tells of it."""

import inspect
import re

from onefold.model.facts import TABLES
from onefold.runtime import rights
from onefold.store import tables

OF_PERSONS = re.compile(r"(^|_)(keys?|identifiers?|persons?|person_ids?)$")
OF_NOBODY = {
    "contexts.key",  # of a combination of surroundings
    "events.context_key",
    "records.key",  # of an imported row, as its file has it
    "meta.key",
    "sources.write_key",
    "suppressions.key",  # of the erased: it is what keeps them away, and tells nothing else
}
"""Columns that are named like keys of persons and hold none."""


def columns_of_persons(names):
    return {name for name in names if OF_PERSONS.search(name.partition(".")[2])} - OF_NOBODY


def kept(keepers):
    return [
        f"{table}.{column}"
        for one in keepers
        for table, columns in one.KEEPS.items()
        for column in columns
    ]


def test_every_table_of_the_facts_with_a_key_of_a_person_is_kept_by_one_fold():
    there = {f"{name}.{column}" for name, table in TABLES.items() for column in table.columns}
    found = kept(rights.FOLDS)
    assert columns_of_persons(there) == set(found), "a fold must forget and tell it: KEEPS"
    assert len(found) == len(set(found))


def test_every_table_of_the_state_with_a_key_of_a_person_is_kept_by_one_room():
    there = {
        f"{table.name}.{column.name}"
        for table in tables.metadata.sorted_tables
        for column in table.columns
    }
    found = kept(rights.STATES)
    assert columns_of_persons(there) == set(found), "its room must offer `persons`: rights.py"
    assert len(found) == len(set(found))


def test_whoever_keeps_anything_of_persons_forgets_and_tells():
    for fold in rights.FOLDS:
        for call in (fold.forget, fold.tell):
            assert list(inspect.signature(call).parameters) == ["self", "keys", "writer"]
    for room in rights.STATES:
        for call in (room.forget, room.tell):
            assert list(inspect.signature(call).parameters) == ["keys", "connection"]
