"""Writes the certificates that ship with the statistical methods, by simulation.

Run it after a change of a method: `python bench/certificates.py [runs [METHOD ...]]`.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from onefold.stats.certificates import certify
from onefold.stats.trials import TRIALS

TARGET = Path(__file__).parents[1] / "src" / "onefold" / "stats" / "certificates.json"
SEED = 20_261_122


def main() -> None:
    """Simulate every method, or those named, and write the figures."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    anew = sys.argv[2:] or list(TRIALS)
    standing = {row["method"]: row for row in json.loads(TARGET.read_text(encoding="utf-8"))}
    rows = []
    for method in TRIALS:
        if method not in anew:
            rows.append(standing[method])
            continue
        row = certify(method, runs=runs, seed=SEED)
        print(f"{method:24} {row.sentence()}", file=sys.stderr)
        rows.append({**asdict(row), **_rounded(asdict(row))})
    TARGET.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _rounded(row: dict[str, object]) -> dict[str, object]:
    return {name: round(value, 4) for name, value in row.items() if isinstance(value, float)}


if __name__ == "__main__":
    main()
