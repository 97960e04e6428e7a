"""Measured figures against their bars: printed for a person, kept as JSON."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        name: What was measured.
        value: How much.
        unit: Of what.
        bar: What it should reach; None where there is none.
        more_is_better: Whether the bar is a floor; else it is a ceiling.
        peer: The same measured of a peer in the same run; None where there is none.
        peer_name: Who that is.
    """

    name: str
    value: float
    unit: str
    bar: float | None = None
    more_is_better: bool = False
    peer: float | None = None
    peer_name: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether it reaches its bar; None where there is none."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.more_is_better else self.value <= self.bar

    @property
    def ratio(self) -> float | None:
        """The figure as a multiple of the peer's."""
        return self.value / self.peer if self.peer else None


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(claim: str, figures: Sequence[Figure]) -> None:
    """Print the figures and keep them in `bench/out/CLAIM.json`."""
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    kept = {
        "claim": claim,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "figures": [asdict(one) | {"ratio": one.ratio, "holds": one.holds} for one in figures],
    }
    (out / f"{claim}.json").write_text(json.dumps(kept, indent=2) + "\n")
    if "--json" in sys.argv:
        print(json.dumps(kept))
        return
    print(f"\n{claim} (Python {kept['python']}, {kept['cores']} cores)")
    for one in figures:
        print(f"  {line(one)}")


def line(one: Figure) -> str:
    """Return one figure as a line of text."""
    parts = [f"{one.name:<46} {one.value:>12,.4g} {one.unit:<10}"]
    if one.bar is not None:
        sign = "at least" if one.more_is_better else "at most"
        parts.append(f"{sign} {one.bar:,.4g}: {'holds' if one.holds else 'falls short'}")
    if one.ratio is not None:
        parts.append(f"{one.ratio:.2f} x {one.peer_name}")
    return "  ".join(parts)
