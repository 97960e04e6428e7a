"""Files that calls name: those of the workspace; elsewhere for its owner alone."""

import pytest

from onefold.model.errors import BadInput, NotAllowed
from onefold.model.records import OWNER, Asker
from onefold.runtime import call
from onefold.runtime.placing import placed
from worlds import World

ANALYST = Asker("Ada", "analyst")
NAMED = {
    "import": {"mapping": ""},
    "consent import": {"path": ""},
    "catalogue import": {"path": ""},
    "check": {"definitions": ""},
    "join": {"file": "", "column": "mail"},
}
LONG = "o͞" * 200 + "/x.yaml"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("placing") / "world")
    yield made
    made.close()


KEYS = [
    Asker("key:loader", "owner", ("write",)),
    Asker("key:reader", "owner", ("read", "persons", "write")),
]
"""As `api_key_of` makes them: the role is the widest, the scopes cut it down."""


def ask(world, asker, name, path):
    params = {key: value or path for key, value in NAMED[name].items()}
    return call(world.workspace, asker, name, params)


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("path", ["/etc/passwd", "../secret.yaml", "definitions/../../x"])
def test_a_file_of_the_machine_is_its_owners_alone(world, name, path) -> None:
    with pytest.raises(NotAllowed, match="files of the workspace only"):
        ask(world, ANALYST, name, path)


@pytest.mark.parametrize("asker", KEYS)
@pytest.mark.parametrize("path", ["/etc/passwd", "../secret.yaml", "definitions/../../x"])
def test_a_key_of_narrow_scope_opens_no_file_of_the_machine(world, asker, path) -> None:
    for name in sorted(set(NAMED) - {"join"}):
        with pytest.raises(NotAllowed):
            ask(world, asker, name, path)
    with pytest.raises(NotAllowed, match="files of the workspace only"):
        placed(world.workspace, asker, path)


def test_a_key_of_an_admin_names_files_as_an_owner_does(world) -> None:
    secret = world.folder.parent / "secret.yaml"
    admin = Asker("key:admin", "owner", ("admin",))
    assert placed(world.workspace, admin, "../secret.yaml") == secret.resolve()
    assert placed(world.workspace, KEYS[0], "inside.csv") == (world.folder / "inside.csv").resolve()


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("path", [LONG, "a\0b", "x" * 300])
def test_what_no_file_can_be_called_is_told_so(world, name, path) -> None:
    with pytest.raises(BadInput):
        ask(world, OWNER, name, path)


def test_a_link_out_of_the_workspace_leads_nowhere(world) -> None:
    secret = world.folder.parent / "secret.yaml"
    secret.write_text("import: x\n")
    (world.folder / "inside.yaml").symlink_to(secret)
    with pytest.raises(NotAllowed):
        ask(world, ANALYST, "import", "inside.yaml")
