# ruff: noqa: INP001 - a script, not a package
"""Rebuild the vendored browser scripts from npm: pinned, checked, licences beside them."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src" / "onefold" / "web" / "static" / "vendor"


@dataclass(frozen=True)
class Package:
    """A package of npm: its pinned version, the SHA-512 of its archive, and the files we take."""

    name: str
    version: str
    sha512: str
    files: dict[str, str]

    @property
    def short(self) -> str:
        """The name its licence is kept under."""
        return self.name.replace("@", "").replace("/", "-")


PACKAGES = (
    Package(
        "vega",
        "6.4.0",
        "rHXCq2LpEWCLMjXBEj7hocY9G0/i5TGYRayGGSj06VTF4+l2IG2Z7oeZKCjWbUh/7hTE/mVhbaOPB72wCElh6g==",
        {"build/vega.min.js": "vega.min.js"},
    ),
    Package(
        "vega-lite",
        "6.5.0",
        "fMXF6s0MrIg0UTWnLIfeFtgSLzVhyzSKobzGrh5rhS+mL6FOYFG3m7ouJ4U23gj65EK+gl9FIIT5w7wLNaAzkA==",
        {"build/vega-lite.min.js": "vega-lite.min.js"},
    ),
    Package(
        "vega-embed",
        "7.3.0",
        "wQ8s5GaSzqoKgmRfbRolgBrjE2CP7ZKHXqH7NijxMqPjpdWxSs4Dn8tvp9g0giQvh2cK+3p56sxjWWM0wNngGw==",
        {"build/vega-embed.min.js": "vega-embed.min.js"},
    ),
    Package(
        "vega-interpreter",
        "2.3.0",
        "YjFQfZuyK/kwH44pOpj6YHxsv5EsI7WgNroeYJYVhSv2XQg5ikme7ZqJ+KSHwVzIexqCs4o4I+Dava4he0EKjA==",
        {"build/vega-interpreter.min.js": "vega-interpreter.min.js"},
    ),
    Package(
        "htmx.org",
        "2.0.9",
        "Vd8ZlGSshz2W2ej+gNpMqxX2PM0dfOn4lRgkTXgCT+cqZE/GwBQoYm3zGvlqf+hHXYCMYmmgae33m4/RPdTS0Q==",
        {"dist/htmx.min.js": "htmx.min.js"},
    ),
    Package(
        "@segment/analytics-next",
        "1.84.3",
        "5l7cPBzScxhfJ0zdcKQI4daDvMIWWUk7hClT1xGRelnHUltIEoQ9w8+ZpFPoWJMpX8D7IA1nVAfJbpiKi3XaKw==",
        {
            "dist/umd/index.js": "analytics-next.min.js",
            "dist/umd/*.bundle.*.js": "analytics-next/bundles/",
        },
    ),
)


def main() -> int:
    """Fetch, check and write every package; 0 when all stand."""
    TARGET.mkdir(parents=True, exist_ok=True)
    lines = []
    for package in PACKAGES:
        archive = fetch(package)
        for source, target in wanted(archive, package):
            script = without_source_map(archive[source])
            (TARGET / target).parent.mkdir(parents=True, exist_ok=True)
            (TARGET / target).write_bytes(script)
            digest = base64.b64encode(hashlib.sha512(script).digest()).decode()
            lines.append(f"{target}  {package.name}@{package.version}  sha512-{digest}\n")
        (TARGET / f"LICENSE-{package.short}.txt").write_bytes(licence(archive, package))
        print(f"{package.name} {package.version}", file=sys.stderr)  # noqa: T201
    (TARGET / "SOURCES.txt").write_text("".join(lines))
    return 0


def fetch(package: Package) -> dict[str, bytes]:
    """Return the files of a package's archive by name.

    Raises:
        SystemExit: Its hash is not the pinned one.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        data = next(Path(folder).glob("*.tgz")).read_bytes()
    found = base64.b64encode(hashlib.sha512(data).digest()).decode()
    if found != package.sha512:
        sys.exit(f"{package.name}: the archive's SHA-512 is {found}, pinned is {package.sha512}.")
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        return {m.name: file.read() for m in members if (file := archive.extractfile(m))}


def wanted(archive: dict[str, bytes], package: Package) -> list[tuple[str, str]]:
    """Return which files of the archive go where; a pattern's target is a folder."""
    return [
        (name, target + name.rsplit("/", 1)[1] if target.endswith("/") else target)
        for pattern, target in package.files.items()
        for name in sorted(archive)
        if fnmatchcase(name, f"package/{pattern}")
    ]


def licence(archive: dict[str, bytes], package: Package) -> bytes:
    """Return the text of a package's licence, or what its readme says of it."""
    for name, text in sorted(archive.items()):
        if re.fullmatch(r"package/licen[sc]e(\.\w+)?", name, re.IGNORECASE):
            return text
    sys.exit(f"{package.name} {package.version} has no licence file.")


def without_source_map(script: bytes) -> bytes:
    """Return a script without the pointer to a map that is not vendored."""
    return re.sub(rb"\n//# sourceMappingURL=\S+\s*$", b"\n", script)


if __name__ == "__main__":
    sys.exit(main())
