"""Every part renders, and no page needs what the content security policy forbids."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from onefold.web import rendering
from onefold.web.pages import style

TEMPLATES = sorted((rendering.HERE / "templates").rglob("*.*"))


class Reader(HTMLParser):
    """Collects what a strict policy would block, and elements left open."""

    EMPTY = frozenset({"meta", "link", "input", "br", "hr", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        self.blocked += [f"{tag} {name}" for name in names if name == "style" or name[:2] == "on"]
        if tag == "style" or (tag == "script" and "src" not in names and "type" not in names):
            self.blocked.append(tag)
        self.blocked += [value for value in names.values() if str(value).startswith("javascript:")]
        self.ids += [names["id"]] if "id" in names else []
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.EMPTY:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


@pytest.fixture(scope="module")
def guide() -> str:
    context = {"csrf_field": rendering.csrf_field("t"), "csrf_token": "t", **style.sample()}
    return rendering.render("style.html", context)


def test_the_style_guide_is_well_formed_and_clean(guide):
    reader = read(guide)
    assert reader.blocked == []
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))


def test_the_style_guide_uses_every_part(guide):
    part = rendering.environment().globals["part"]
    used = (rendering.HERE / "templates" / "style.html").read_text("utf-8")
    used += "".join(file.read_text("utf-8") for file in TEMPLATES if "parts" in file.parts)
    used += (rendering.HERE / "templates" / "frame.html").read_text("utf-8")
    pages = "".join(file.read_text("utf-8") for file in TEMPLATES)
    unused = [name for name in vars(part) if not re.search(rf"\b{name}\(", pages)]
    assert unused == []
    assert guide.count("<svg") > 50


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_no_template_has_inline_style_or_script(file: Path):
    text = file.read_text("utf-8")
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"<script(?![^>]*(src=|application/json))", text)
    assert "|safe" not in text.replace(" ", "")


def test_the_verdict_is_the_only_h1(guide):
    assert guide.count("<h1") == 1
    assert "Saves per session" in guide.split("<h1>")[1].split("</h1>")[0]


def test_what_people_wrote_is_escaped_in_every_cell():
    part = rendering.environment().globals["part"]
    html = part.table("<n>", ["<c>"], [["<script>alert(1)</script>", {"tag": "<t>"}]])
    assert "<script" not in html
    assert "&lt;t&gt;" in html


def test_every_static_file_named_by_a_template_is_there():
    for file in TEMPLATES:
        for name in re.findall(r"asset\('([^']+)'\)", file.read_text("utf-8")):
            if "vendor" not in name:
                assert (rendering.STATIC / name).is_file(), name


def test_vendored_files_are_those_whose_hash_is_written_down():
    import base64
    import hashlib

    vendor = rendering.STATIC / "vendor"
    lines = (vendor / "SOURCES.txt").read_text("utf-8").splitlines()
    assert len(lines) >= 6
    for line in lines:
        name, _, digest = line.split()
        found = hashlib.sha512((vendor / name).read_bytes()).digest()
        assert digest == f"sha512-{base64.b64encode(found).decode()}"
