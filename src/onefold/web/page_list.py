"""Every page by its path."""

from importlib import import_module
from pkgutil import iter_modules

from starlette.routing import Route

from onefold.web import pages

_NO_PAGES = (
    "/live/stream",
    "/data/tail/stream",
    "/streams",
    "/sign-in/link/{token}",
    "/sign-in/provider",
    "/sign-in/provider/back",
    "/govern/drafts/{number:int}",
    "/govern/trail.csv",
    "/govern/trail.jsonl",
    "/explore/take.{form}",
    "/explore/sql.csv",
)
"""Three never end, three sign in, one is there while something is to be signed; the rest are files.
"""


def page_paths() -> tuple[str, ...]:
    """Return the path of every page that can be asked for, parameters in braces."""
    names = [f"{pages.__name__}.{each.name}" for each in iter_modules(pages.__path__)]
    found = {
        route.path: None
        for name in names
        for route in getattr(import_module(name), "routes", [])
        if isinstance(route, Route) and "GET" in (route.methods or ())
    }
    return tuple(path for path in found if path not in _NO_PAGES)
