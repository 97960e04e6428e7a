"""Every call of the API, asked as its own description allows and forbids, by schemathesis."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

MADE_BY = Path(sys.executable).with_name("schemathesis")
# A name may have the shape that the description asks for and still be none: then it is refused.
_TERMS = (
    *("--seed", "7", "--request-timeout", "60", "--no-color"),
    *("--exclude-checks", "positive_data_acceptance"),
)


def tried(served, folder: Path, *options: str) -> str:
    """Return what was found wrong with the API; empty where nothing was."""
    server = served()
    sent = [
        {
            "type": "track",
            "event": "pin_saved",
            "messageId": f"m-{n}",
            "userId": f"u-{n % 3}",
            "properties": {"item_id": f"i-{n}"},
            "context": {"groupId": "a-1"},
        }
        for n in range(20)
    ]
    assert server.send(sent).status_code == 200
    server.wait_folded()
    key = server.workspace.api_key
    headers = {"authorization": f"Bearer {key}"}
    told = httpx.get(f"{server.url}/api/v1/openapi.json", headers=headers, timeout=30)
    description = folder / "openapi.json"
    description.write_bytes(told.content)
    config = folder / "schemathesis.toml"
    config.write_text(f'[auth.openapi.key]\nbearer = "{key}"\n')
    command = [MADE_BY, "--config-file", config, "run", description, "--url", server.url]
    done = subprocess.run(
        [*command, *_TERMS, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=1400,
    )
    assert "Test cases:" in done.stdout, done.stdout + done.stderr
    return done.stdout if done.returncode else ""


def test_the_api_keeps_what_its_description_says(served, tmp_path) -> None:
    found = tried(served, tmp_path, "--phases", "examples,coverage")
    assert not found, found


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_the_api_keeps_it_whatever_is_sent(served, tmp_path) -> None:
    found = tried(served, tmp_path, "--phases", "fuzzing,stateful", "-n", "20")
    assert not found, found


def test_a_wrong_method_says_which_are_right_and_the_date_comes_once(served) -> None:
    server = served()
    headers = {"authorization": f"Bearer {server.workspace.api_key}"}
    answer = httpx.put(f"{server.url}/api/v1/status", headers=headers)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert len(answer.headers.get_list("date")) == 1
    assert json.loads(answer.content)["status"] == 405
