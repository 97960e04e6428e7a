# ruff: noqa: INP001 - a script, not a package
"""Takes docs/images/today.png from the real page.

- `python scripts/screenshot.py` makes the default demo and shows its first page;
- `--people 2000` makes a smaller one; `--link URL` uses one that runs, by its one-time link.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1280, 1000


@contextmanager
def demo(people: int) -> Iterator[str]:
    """Yield the one-time link of a demo that ends with the block."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "onefold", "-w", f"{folder}/demo", "demo"]
        command += ["--people", str(people), "--port", "8791"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            for line in process.stdout or ():
                if "http://" in line:
                    yield line[line.index("http://") :].strip()
                    return
            sys.exit("The demo did not start.")
        finally:
            process.terminate()
            process.wait(timeout=60)


def take(link: str, path: str, target: Path) -> None:
    """Sign in by a link and keep a picture of a page."""
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path)
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
        )
        page.goto(link)
        page.goto(urljoin(link, path))
        page.wait_for_load_state("load")
        page.evaluate("document.fonts.ready")
        target.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=target)
        browser.close()


def main() -> None:
    """Take the picture that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--link", help="one-time link of a demo that runs")
    parser.add_argument("--people", type=int, default=20_000, help="size of the demo to make")
    parser.add_argument("--page", default="/", help="which page")
    parser.add_argument("--name", default="today", help="name of the picture")
    given = parser.parse_args()
    target = IMAGES / f"{given.name}.png"
    if given.link:
        take(given.link, given.page, target)
    else:
        with demo(given.people) as link:
            take(link, given.page, target)


if __name__ == "__main__":
    main()
