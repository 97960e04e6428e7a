"""A partner's file joined with our people: by keyed hashes, and told of in groups alone."""

import csv
import hmac
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from onefold.model.errors import BadInput, NotAllowed, NotFound, did_you_mean
from onefold.model.ids import identifier_key
from onefold.model.records import Answer, Asker, Column
from onefold.sharing.hashing import META, cleaned_value
from onefold.sharing.queries import did, people_by_identifier
from onefold.sharing.spending import SMALLEST_GROUP, Cost, data_set, spend
from onefold.sharing.values import values_of_people

if TYPE_CHECKING:
    from onefold.store import State, Vault, View

FIELDS = ("email", "phone")
_MOST_ROWS, _MOST_GROUPS = 2_000_000, 50
_ALL = "everybody"
PROTECTS = (
    "Protects single persons from being looked up by a count or by two counts that differ little. "
    "It does not protect the file itself: who holds it knows its values."
)


@dataclass(frozen=True, slots=True)
class Joined:
    """What a join asks.

    Attributes:
        file: CSV with a header, in UTF-8.
        column: Holds the e-mail address or the phone number, or their hash.
        field: Which of the two: `email` or `phone`.
        by: A column of the file to tell groups by; empty is none.
        salt: Where the file holds HMAC-SHA256 of the cleaned values in hex: its key. Empty where
            it holds the values themselves, which are hashed here under a key of this run alone.
        event: Count beside how many of each group ever did this; empty is nothing.
        k: Persons that a group needs.
    """

    file: Path
    column: str
    field: str = "email"
    by: str = ""
    salt: str = ""
    event: str = ""
    k: int = SMALLEST_GROUP


def join_partner(
    view: "View", vault: "Vault", state: "State", asker: Asker, asked: Joined, identity_key: bytes
) -> Answer:
    """Return how many of a partner's rows are people of ours, by groups of at least k.

    Raises:
        NotFound: There is no such file.
        BadInput: The file or a column cannot be used, or k is too small.
        NotAllowed: The answer would tell of too few, or the privacy budget is used up.
    """
    check_group(asked.k)
    if asked.field not in FIELDS:
        raise BadInput(f"No field `{asked.field}`.", f"Use one of: {', '.join(FIELDS)}.")
    key = asked.salt.encode() or secrets.token_bytes(32)
    rows = _rows_of(asked)
    theirs, groups = _hashed_rows(rows, asked, key)
    if len(theirs) < asked.k:
        message = f"The file holds {len(theirs)} persons; a join needs {asked.k}."
        raise NotAllowed(message, "Bring a larger file.")
    ours = _ours(view, vault, asked.field, key)
    matched = {name: {ours[d] for d in found if d in ours} for name, found in groups.items()}
    everybody = {ours[digest] for digest in theirs if digest in ours}
    doers = did(view, asked.event) if asked.event else frozenset()
    shown = _shown(matched, everybody, asked.k)
    sets: list[Iterable[int]] = [_asked_keys(rows, asked, identity_key), everybody]
    sets += [matched[name] for name in shown]
    sets += [matched[name] & doers for name in shown if asked.event]
    cost = Cost("join", answers=1, asked=sha256("|".join(sorted(theirs)).encode()).hexdigest())
    of = data_set(view.question.environment)
    arrays = [np.fromiter(one, np.int64) for one in sets]
    spend(state, asker, of, cost, [one for one in arrays if len(one)], k=asked.k)
    return _answer(view, asked, len(theirs), everybody, {n: matched[n] for n in shown}, doers)


def check_group(k: int) -> None:
    """Pass where a group is large enough to tell of.

    Raises:
        BadInput: It is not.
    """
    if k < SMALLEST_GROUP:
        message = f"Groups of {k} are too small."
        raise BadInput(message, f"Let them be of {SMALLEST_GROUP} persons or more.")


def digest_of(key: bytes, field: str, value: str) -> str:
    """Return the keyed hash of a value, cleaned first; nothing where it is none.

    It is what a partner computes as well: HMAC-SHA256 in hex under the key agreed on, of an e-mail
    address without white space in small letters, or of the digits of a phone number with its
    country code.

    >>> digest_of(b"k", "email", " A@b.de ") == digest_of(b"k", "email", "a@b.de")
    True
    """
    cleaned = cleaned_value(META, field, value.strip())
    return hmac.new(key, cleaned.encode(), sha256).hexdigest() if cleaned else ""


def _rows_of(asked: Joined) -> Sequence[Mapping[str, str]]:
    if not asked.file.is_file():
        raise NotFound(f"No file {asked.file.name}.", "Give the path of a CSV file.")
    try:
        with asked.file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, restval="", strict=True)
            rows = []
            for row in reader:
                rows.append({str(name): str(value or "") for name, value in row.items()})
                if len(rows) > _MOST_ROWS:
                    message = f"The file holds more than {_MOST_ROWS:,} rows."
                    raise BadInput(message, "Split it.")
            columns = reader.fieldnames or ()
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"{asked.file.name} cannot be read as CSV in UTF-8."
        raise BadInput(message, "Write it so, with a header.") from error
    for name in filter(None, (asked.column, asked.by)):
        if name not in columns:
            # Its columns are not listed: who may join a file may not read every file.
            near = did_you_mean(name, columns)
            message = f"The file has no column `{name}`.{near}"
            raise BadInput(message, "Name one of its header, which is its first line.")
    return rows


def _hashed_rows(
    rows: Sequence[Mapping[str, str]], asked: Joined, key: bytes
) -> tuple[frozenset[str], Mapping[str, set[str]]]:
    """Return the hashes in the file, and those of each group."""
    theirs: set[str] = set()
    groups: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        value = row[asked.column].strip()
        if asked.salt:
            digest = value.lower() if len(value) == sha256().digest_size * 2 else ""
        else:
            digest = digest_of(key, asked.field, value)
        if digest:
            theirs.add(digest)
            if asked.by:
                groups[row[asked.by]].add(digest)
    if len(groups) > _MOST_GROUPS:
        message = f"`{asked.by}` tells {len(groups)} groups apart."
        raise BadInput(message, f"Take a column of at most {_MOST_GROUPS}.")
    return frozenset(theirs), groups


def _asked_keys(
    rows: Sequence[Mapping[str, str]], asked: Joined, identity_key: bytes
) -> Iterable[int]:
    """Return what the file asks about, as keys: adding one person to a file would show by them."""
    if asked.salt:
        values = {row[asked.column].strip().lower() for row in rows}
    else:
        values = {cleaned_value(META, asked.field, row[asked.column].strip()) for row in rows}
    return {identifier_key(identity_key, "asked", value) for value in values - {""}}


def _ours(view: "View", vault: "Vault", field: str, key: bytes) -> dict[str, int]:
    """Return the hash of every value of ours -> person."""
    people = people_by_identifier(view)
    found: dict[str, int] = {}
    for person, values in sorted(values_of_people(vault, people).items()):
        for value in values.get(field, ()):
            digest = digest_of(key, field, value)
            if digest:
                found.setdefault(digest, person)
    return found


def _shown(matched: Mapping[str, set[int]], everybody: set[int], k: int) -> list[str]:
    """Return the groups that may be told: none that tells of a small one by what is missing."""
    shown = sorted(
        (name for name, found in matched.items() if len(found) >= k),
        key=lambda name: (len(matched[name]), name),
    )
    while shown:
        told: set[int] = set().union(*(matched[name] for name in shown))
        if not 0 < len(everybody - told) < k:
            break
        shown.pop(0)
    return shown


def _answer(
    view: "View",
    asked: Joined,
    theirs: int,
    everybody: set[int],
    groups: Mapping[str, set[int]],
    doers: frozenset[int],
) -> Answer:
    def told(found: set[int]) -> tuple[object, ...]:
        doing = len(found & doers)
        few = min(doing, len(found) - doing) < asked.k
        enough = len(found) >= asked.k
        return (
            len(found) if enough else None,
            len(found) / theirs if enough and found is everybody else None,
            doing if asked.event and enough and not few else None,
        )

    rows: list[tuple[object, ...]] = [(_ALL, theirs, *told(everybody))]
    rows += [(name, None, *told(found)) for name, found in sorted(groups.items())]
    return Answer(
        columns=(
            Column("group", "text"),
            Column("in_file", "integer", "persons"),
            Column("matched", "integer", "persons"),
            Column("match_share", "number", "share"),
            Column("did_event", "integer", "persons"),
        ),
        rows=tuple(rows),
        definition="Persons of the file who are people of ours and agreed to "
        f"{view.question.purpose}, by {asked.field}. Groups of fewer than {asked.k}, and what "
        "would tell of them, are left out.",
        as_of_time=view.fresh_time,
        notes=(PROTECTS,),
    )
