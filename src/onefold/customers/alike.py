"""What makes two records alike: fields made plain, what brings two together, what is compared.

Every step is over whole columns, so that a million records take seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from onefold.store import planes

Texts = Any
"""A column of texts: `pa.Array` or `pa.ChunkedArray`, which have no types of their own."""

PERSON, COMPANY = "person", "company"
HOW: dict[str, str] = {
    "first": "name",
    "last": "name",
    "name": "name",
    "company": "name",
    "email": "name",
    "street": "name",
    "street2": "name",
    "city": "name",
    "birth": "code",
    "code": "code",
    "phone": "short",
    "house": "short",
    "postcode": "short",
    "domain": "rare",
    "region": "exact",
    "country": "exact",
}
"""Field -> the kind of comparison that suits it; of others nothing but the same counts."""
FIELDS: dict[str, tuple[str, ...]] = {
    PERSON: (
        *("first", "last", "birth", "code", "email", "phone", "company"),
        *("house", "street", "street2", "city", "postcode", "region", "country"),
    ),
    COMPANY: (
        *("name", "domain", "code", "email", "phone"),
        *("house", "street", "street2", "city", "postcode", "region", "country"),
    ),
}
"""Kind of record -> the fields by which it may be compared."""

_Key = tuple[str, ...]
_KEYS: dict[str, tuple[_Key, ...]] = {
    PERSON: (
        *(("code",), ("email",), ("phone",), ("first", "last")),
        *(("last", "birth"), ("first", "birth"), ("first", "postcode"), ("last", "postcode")),
        *(("birth", "postcode"), ("house", "street"), ("first", "city"), ("last", "city")),
        *(("birth", "city"), ("house", "postcode"), ("birth", "street"), ("street", "city")),
        *(("first", "company"), ("last", "company"), ("first:3", "last:3", "postcode:2")),
        ("last:4", "first:1"),
    ),
    COMPANY: (
        *(("code",), ("domain",), ("email",), ("phone",), ("name",), ("house", "street")),
        *(("name:5", "postcode"), ("name:5", "city"), ("street", "city"), ("name:8", "country")),
        *(("name:8",), ("street", "postcode")),
    ),
}
"""Kind -> what brings two records together: fields alike at once, `:n` their first signs."""
_SURE: dict[str, tuple[_Key, ...]] = {
    PERSON: (("code",), ("email",), ("first", "last", "birth"), ("first", "last", "postcode")),
    COMPANY: (("code",), ("domain",), ("name",)),
}
"""Kind -> fields that hardly any two have alike but the same; they tell how many there are."""
_FOUND = 0.8
"""What share of the same ones these are thought to find."""
_LEARNT: dict[str, tuple[_Key, ...]] = {
    PERSON: (
        ("code",),
        ("email",),
        ("phone",),
        ("first", "last"),
        ("birth",),
        ("last", "postcode"),
    ),
    COMPANY: (("domain",), ("name",), ("code",), ("phone",), ("email",)),
}
"""Kind -> fields alike in the pairs from which the rates of the others are learnt."""

_MOST_SHARING = 50
"""A value that more records share brings nobody together: a mailbox, a switchboard."""
_PAIRS_A_RECORD = 0.3
"""What one key may cost at the most; the most shared values go first."""
_LEAST_PAIRS = 200_000
_MANY, _KEYS_OF_MANY = 300_000, 8
"""Of more records only the first keys are used: each costs memory, and finds few that are new."""
_LEARNT_PAIRS = 200_000
"""From so many pairs, drawn by the value they share, the rates are learnt."""
_LEGAL = (
    r"\b(incorporated|inc|llc|llp|ltd|limited|gmbh|mbh|ag|kg|ug|ohg|se|sa|sas|sarl|srl|spa|sl|bv|"
    r"nv|plc|oy|oyj|ab|aps|as|asa|kk|pty|corp|corporation|co|company|group|holding|the)\b"
)
_FREE_MAIL = frozenset(
    (
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com"),
        *("icloud.com", "me.com", "aol.com", "gmx.de", "gmx.net", "web.de", "proton.me"),
        *("protonmail.com", "mail.ru", "qq.com", "163.com"),
    )
)
"""Domains of mail that anybody may have: they say nothing of a company."""
_PHONE_DIGITS = 9
"""So many last digits of a number are told: countries and trunks are written in many ways."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Records ready to be compared, and how.

    Attributes:
        records: `id`, `source`, plain fields, and a column of numbers for each key.
        plan: How they are compared.
    """

    records: pa.Table
    plan: planes.Plan


def prepare(
    records: pa.Table,
    kind: str,
    *,
    apart: bool = False,
    floor: float = 0.01,
    most: int = 1_000_000,
    labels: Sequence[tuple[bool, Mapping[str, int]]] = (),
    backend: str = "duckdb",
) -> Prepared:
    """Return records ready to be compared.

    Args:
        records: `id`, `source` and any of the fields of the kind, as text; others are left out.
        kind: `person` or `company`.
        apart: Only records of different sources are compared.
        floor: Pairs less likely than this are not told.
        most: How many pairs are told at the most.
        labels: Reviewed pairs: whether they are the same, and the level of each field.
        backend: The engine.
    """
    plain = _plain(records, kind)
    fields = [name for name in FIELDS[kind] if name in plain]
    used = _KEYS_OF_MANY if records.num_rows > _MANY else None
    keys = _keys(plain, [key for key in _KEYS[kind] if _has(plain, key)][:used])
    learnt = _keys(plain, [key for key in _LEARNT[kind] if _has(plain, key)])
    columns: dict[str, pa.Array] = {"id": records["id"], "source": records["source"], **plain}
    blocks, trained = [], []
    for place, numbers in enumerate(keys.values()):
        columns[f"key_{place}"] = numbers
        blocks.append(f"key_{place}")
    fewest = 0
    for place, (key, numbers) in enumerate(learnt.items()):
        drawn = _thinned(numbers)
        columns[f"learnt_{place}"] = drawn
        fewest = min(fewest, _made(drawn)) if place else _made(drawn)
        trained.append((f"learnt_{place}", key))
    plan = planes.Plan(
        compared=tuple(planes.Compared(name, HOW[name]) for name in fields),
        blocks=tuple(blocks),
        trained=tuple(trained),
        prior=_prior(plain, kind, records.num_rows),
        learnt=fewest,
        records=records.num_rows,
        apart=apart,
        floor=floor,
        most=most,
        labels=tuple((same, dict(levels)) for same, levels in labels),
        backend=backend,
    )
    return Prepared(pa.table(columns), plan)


def _plain(records: pa.Table, kind: str) -> dict[str, pa.Array]:
    """Return the fields that any record has, made plain."""
    given = {name: records[name] for name in records.column_names if name not in {"id", "source"}}
    if kind == PERSON and "name" in given and "last" not in given:
        given["first"], given["last"] = _halves(given["name"])
    if kind == COMPANY and "email" in given:
        of_mail = _domain(given["email"])
        own = _domain(given["domain"]) if "domain" in given else pa.nulls(len(of_mail), pa.string())
        given["domain"] = pc.coalesce(own, of_mail)
    found = {}
    for name in FIELDS[kind]:
        if name in given:
            made = _combined(_MADE_PLAIN.get(name, _words)(given[name]))
            if made.null_count < len(made):
                found[name] = made
    return found


def _combined(texts: Texts) -> pa.Array:
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def _none_for_empty(texts: Texts) -> Texts:
    return pc.if_else(pc.equal(texts, ""), None, texts)


def _words(texts: Texts) -> Texts:
    """Return texts in small letters without accents and signs, one space between words."""
    plain = pc.utf8_lower(pc.utf8_normalize(texts.cast(pa.string()), form="NFKD"))
    plain = pc.replace_substring_regex(plain, r"\p{Mn}+", "")
    plain = pc.replace_substring_regex(plain, r"[^\p{L}\p{N}]+", " ")
    return _none_for_empty(pc.utf8_trim_whitespace(plain))


def _company(texts: Texts) -> Texts:
    """Return names of companies without what says their legal form."""
    words = _words(texts)
    short = pc.replace_substring_regex(pc.replace_substring_regex(words, _LEGAL, ""), " +", " ")
    return pc.coalesce(_none_for_empty(pc.utf8_trim_whitespace(short)), words)


def _signs(texts: Texts) -> Texts:
    """Return texts of letters and digits alone."""
    small = pc.utf8_lower(texts.cast(pa.string()))
    return _none_for_empty(pc.replace_substring_regex(small, r"[^\p{L}\p{N}]+", ""))


def _phone(texts: Texts) -> Texts:
    digits = pc.replace_substring_regex(texts.cast(pa.string()), r"[^0-9]+", "")
    enough = pc.if_else(pc.less(pc.utf8_length(digits), 6), None, digits)
    return pc.utf8_slice_codeunits(enough, start=-_PHONE_DIGITS)


def _email(texts: Texts) -> Texts:
    small = pc.utf8_lower(pc.utf8_trim_whitespace(texts.cast(pa.string())))
    plain = pc.replace_substring_regex(small, r"\+[^@]*@", "@")
    return pc.if_else(pc.match_substring(plain, "@"), plain, None)


def _domain(texts: Texts) -> Texts:
    """Return the domain of addresses of pages or mail; of free mail, none."""
    small = pc.utf8_lower(pc.utf8_trim_whitespace(texts.cast(pa.string())))
    bare = pc.replace_substring_regex(small, r"^.*@|^[a-z]+://", "")
    bare = pc.replace_substring_regex(
        pc.replace_substring_regex(bare, r"^www\.", ""), r"[/:?].*", ""
    )
    named = pc.and_(pc.match_substring(bare, "."), pc.invert(pc.is_in(bare, pa.array(_FREE_MAIL))))
    return pc.if_else(named, bare, None)


def _halves(names: Texts) -> tuple[Texts, Texts]:
    """Return the first and the last name of whole ones, `Brandt, Lena` turned round."""
    told = pc.replace_substring_regex(names.cast(pa.string()), r"^([^,]+),\s*([^,]+)$", r"\2 \1")
    words = _words(told)
    last = pc.replace_substring_regex(words, r"^.* ", "")
    first = pc.replace_substring_regex(words, r" .*$", "")
    # One word alone is the last name.
    return pc.if_else(pc.match_substring(words, " "), first, None), last


_MADE_PLAIN = {
    "name": _company,
    "company": _company,
    "email": _email,
    "phone": _phone,
    "domain": _domain,
    "birth": _signs,
    "code": _signs,
    "house": _signs,
    "postcode": _signs,
}


def _has(plain: Mapping[str, pa.Array], key: _Key) -> bool:
    return all(part.partition(":")[0] in plain for part in key)


def _keys(plain: Mapping[str, pa.Array], keys: Sequence[_Key]) -> dict[_Key, pa.Array]:
    """Return a number a record for each key; none where it is not known, or too many share it."""
    return {key: _number(plain, key) for key in keys}


def _number(plain: Mapping[str, pa.Array], key: _Key) -> pa.Array:
    parts = []
    for part in key:
        name, _, signs = part.partition(":")
        column = plain[name]
        parts.append(pc.utf8_slice_codeunits(column, 0, int(signs)) if signs else column)
    if key == ("first", "last"):
        # Which of the two is which is often mistaken.
        low = pc.min_element_wise(*parts, skip_nulls=False)
        parts = [low, pc.max_element_wise(*parts, skip_nulls=False)]
    told = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "\x1f")
    coded = told.dictionary_encode()
    numbers = coded.indices.to_numpy(zero_copy_only=False)
    known = ~np.isnan(numbers) if numbers.dtype.kind == "f" else np.ones(len(numbers), np.bool_)
    whole = np.where(known, numbers, 0).astype(np.int64)
    sharing = np.bincount(whole[known], minlength=max(len(coded.dictionary), 1))
    most = _most_sharing(sharing, len(numbers))
    kept = known & (sharing[whole] <= most) & (sharing[whole] > 1)
    return pa.array(whole.astype(np.int32), mask=~kept)


def _made(numbers: pa.Array) -> int:
    """Return how many pairs have a number alike."""
    known = numbers.drop_null().to_numpy()
    sharing = np.bincount(known) if len(known) else np.zeros(1, np.int64)
    return int((sharing * (sharing - 1) // 2).sum())


def _thinned(numbers: pa.Array) -> pa.Array:
    """Return numbers of some values only, drawn at random, where all make too many pairs."""
    known = numbers.is_valid().to_numpy(zero_copy_only=False)
    whole = numbers.fill_null(0).to_numpy()
    sharing = np.bincount(whole[known], minlength=1)
    pairs = int((sharing * (sharing - 1) // 2).sum())
    if pairs <= _LEARNT_PAIRS:
        return numbers
    # A multiplier without a pattern in it (Knuth, vol. 3, 6.4) draws the same values every time.
    drawn = (np.arange(len(sharing), dtype=np.uint64) * np.uint64(2654435769)) % np.uint64(2**32)
    kept = known & (drawn[whole] < 2**32 * _LEARNT_PAIRS / pairs)
    return pa.array(whole, mask=~kept)


def _most_sharing(sharing: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]", count: int) -> int:
    """Return how many may share a value, so that the pairs of a key stay within bounds."""
    budget = max(_PAIRS_A_RECORD * count, _LEAST_PAIRS)
    sizes = np.bincount(np.minimum(sharing, _MOST_SHARING + 1))[: _MOST_SHARING + 1]
    each = np.arange(len(sizes))
    within = np.cumsum(sizes * each * (each - 1) // 2) <= budget
    return int(max(np.flatnonzero(within).max(initial=1), 2))


def _prior(plain: Mapping[str, pa.Array], kind: str, count: int) -> float:
    """Return how likely two records drawn at random are the same."""
    found = 1
    for key in _SURE[kind]:
        if _has(plain, key):
            found = max(found, _made(_number(plain, key)))
    return min(max(found / _FOUND / max(count * (count - 1) / 2, 1), 1e-12), 0.5)
