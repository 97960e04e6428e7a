"""What the documents show is what happens."""

import re
import socket
from pathlib import Path

import pytest

from shown import Shell, blocks, run_document

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
RUN = [
    document
    for document in DOCUMENTS
    if any(block.language in {"python", "console"} for block in blocks(document))
]


def name(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


@pytest.fixture
def shell(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = Shell(tmp_path, port)
    yield made
    made.close()


@pytest.mark.parametrize("document", RUN, ids=name)
def test_examples_do_what_they_show(document, shell):
    wrong = run_document(document, shell)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document):
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in target]
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert not missing


def test_the_first_page_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 120


def test_the_first_example_may_run_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = (one.text for one in blocks(ROOT / "README.md") if one.language == "python")
    said = []
    for _ in range(2):
        exec(compile(code, "README.md", "exec"), {})
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert "37.5%" in said[0]


def test_every_snippet_of_an_app_sends_consent():
    document = ROOT / "docs" / "how-to" / "connect-your-app.md"
    for block in blocks(document):
        if block.language in {"html", "js", "py", "sh"}:
            assert "categoryPreferences" in block.text
            assert 'type="module"' not in block.text
