"""Templates as pages use them: every part on `part`, words and figures as filters."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from onefold.web import drawing, wording

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
STATIC = HERE / "static"

STOPS: tuple[dict[str, object], ...] = (
    {"name": "Today", "href": "/"},
    {"name": "Live", "href": "/live"},
    {"name": "Customers", "href": "/customers"},
    {"name": "Experiments", "href": "/experiments"},
    {"name": "Explore", "href": "/explore"},
    {"name": "Data", "href": "/data"},
    {"name": "Settings", "href": "/settings", "apart": True},
)
"""The loop as stops of one thread; each page names its own as `here`."""


def render(template: str, context: Mapping[str, object]) -> str:
    """Return a page's HTML.

    Args:
        template: Its file in `templates/`.
        context: What it shows.
    """
    return environment().get_template(template).render(**context)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the one template environment."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    spoken = wording.spoken()
    made.filters.update(spoken)
    part = SimpleNamespace()
    made.globals.update(spoken)
    made.globals.update(part=part, draw=drawing, stops=STOPS, asset=asset)
    for file in sorted((HERE / "templates" / "parts").glob("*.html")):
        module = made.get_template(f"parts/{file.name}").module
        for name, macro in vars(module).items():
            if not name.startswith("_"):
                setattr(part, name, macro)
    return made


def asset(name: str) -> str:
    """Return the address of a static file, stamped by its content."""
    return f"/static/{name}?v={_stamp(name)}"


def csrf_field(token: str) -> Markup:
    """Return the hidden field that every form of a signed-in person carries."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(token)


@lru_cache(maxsize=64)
def _stamp(name: str) -> str:
    file = STATIC / name
    return blake2b(file.read_bytes(), digest_size=6).hexdigest() if file.is_file() else "none"
