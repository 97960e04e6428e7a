"""Values that no plane can hold are refused at the call, whichever it is."""

from typing import Any

import msgspec
import pytest

from onefold.model.errors import BadInput
from onefold.runtime.plain_values import LARGEST, check_plain


class Inner(msgspec.Struct):
    words: list[str]
    counts: list[int] = []


class Given(msgspec.Struct):
    last: int = 0
    name: str = ""
    more: dict[str, Any] = {}
    inner: Inner | None = None


@pytest.mark.parametrize(
    "given",
    [
        Given(last=LARGEST),
        Given(last=-LARGEST),
        Given(name="plain\n\tand ünïcode \ud83d"),
        Given(more={"a": [1, {"b": None, "c": 1e300}]}),
        Given(inner=Inner(["a", ""])),
    ],
)
def test_what_a_plane_can_hold_passes(given) -> None:
    assert check_plain("x", given) is None


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (Given(last=LARGEST + 1), "`last`"),
        (Given(last=-(10**400)), "`last`"),
        (Given(more={"a": [1, {"b": 2**64}]}), "`more.a.1.b`"),
        (Given(inner=Inner(["a"], [2**64])), "`inner.counts.0`"),
    ],
)
def test_what_none_can_hold_is_refused_and_says_where(given, where) -> None:
    with pytest.raises(BadInput, match=where) as caught:
        check_plain("x", given)
    assert caught.value.fix


def test_a_null_character_is_no_part_of_a_place() -> None:
    assert check_plain("x", Given(name="a\0b")) is None
    assert check_plain("x", Given(name="a/b"), ("name",)) is None
    with pytest.raises(BadInput, match="null character"):
        check_plain("x", Given(name="a\0b"), ("name",))
