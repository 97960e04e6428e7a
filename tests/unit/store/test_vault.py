"""The vault: names in, names out, the latest field whatever the order, nothing left behind."""

from contextlib import closing

import pytest

from onefold.store import Vault
from onefold.store.vault import Name


@pytest.fixture
def vault(tmp_path):
    with closing(Vault(tmp_path / "vault.sqlite")) as opened:
        yield opened


def test_names_come_back_and_a_collision_is_told(vault) -> None:
    assert vault.remember([(1, "user_id", "u1"), (2, "anonymous_id", "a1")]) == set()
    assert vault.remember([(1, "user_id", "somebody else")]) == {1}
    assert vault.names([1, 2, 3]) == {1: Name("user_id", "u1"), 2: Name("anonymous_id", "a1")}


def test_the_latest_value_stands_in_any_order(tmp_path) -> None:
    fields = [
        (1, "email", "old@x.zz", 5),
        (1, "email", "new@x.zz", 9),
        (1, "email", "aaa@x.zz", 9),
    ]
    for number, order in enumerate((fields, fields[::-1])):
        with closing(Vault(tmp_path / f"{number}.sqlite")) as vault:
            for field in order:
                vault.remember([], [field])
            assert [field.value for field in vault.fields([1])] == ["new@x.zz"]


def test_search_takes_wildcards_as_they_are(vault) -> None:
    vault.remember([(1, "user_id", "100%"), (2, "user_id", "1000")])
    assert vault.search("100%") == [1]
    assert sorted(vault.search("100")) == [1, 2]


def test_the_file_is_for_its_owner_alone(vault, tmp_path) -> None:
    assert vault.names([1]) == {}
    assert (tmp_path / "vault.sqlite").stat().st_mode & 0o777 == 0o600
