"""Hashes of many texts at once are those that Python makes of each."""

import hashlib

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from onefold.store import planes

texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=20)


@settings(max_examples=30, deadline=None)
@given(texts)
def test_digests_are_those_of_hashlib(found) -> None:
    high, low = planes.text_digests(pa.array(found, pa.string()))
    for text, one, other in zip(found, high.tolist(), low.tolist(), strict=True):
        digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
        halves = (digest[:8], digest[8:])
        assert (one, other) == tuple(int.from_bytes(h, "big", signed=True) for h in halves)


@settings(max_examples=30, deadline=None)
@given(texts)
def test_numbers_are_the_same_for_the_same_text_and_for_no_other(found) -> None:
    numbers = planes.text_numbers(pa.array(found, pa.string())).tolist()
    assert len(set(numbers)) == len(set(found))
    assert dict(zip(found, numbers, strict=True)) == dict(
        zip(reversed(found), reversed(numbers), strict=True)
    )
