"""What is installed is the whole house: its pages, pictures and definitions too."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "src" / "onefold"


def test_the_wheel_holds_every_file_of_the_house(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    wanted = {
        f"onefold/{path.relative_to(HOUSE).as_posix()}"
        for path in HOUSE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert not wanted - names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_locks_name_no_index_and_hash_every_package():
    for lock in ("run.txt", "test.txt"):
        text = (ROOT / "requirements" / lock).read_text()
        assert "://" not in text
        pinned = [line for line in text.splitlines() if "==" in line and "hash" not in line]
        assert len(pinned) > 40
        assert all(line.endswith("\\") for line in pinned)
    sdks = (ROOT / "tests/protocols/node/package-lock.json").read_text()
    assert '"resolved"' not in sdks
