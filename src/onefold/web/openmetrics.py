"""OpenMetrics text: families of samples.

Source: OpenMetrics 1.0.0.
"""

from collections.abc import Mapping, Sequence

MEDIA_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
END = "# EOF\n"

Labels = Mapping[str, str]


def gauge(name: str, about: str, value: float, *, unit: str = "") -> list[str]:
    """Return a family with one value that goes up and down."""
    return [*_head(name, "gauge", about, unit), f"{name} {_number(value)}"]


def gauges(
    name: str, about: str, values: Sequence[tuple[Labels, float]], *, unit: str = ""
) -> list[str]:
    """Return a family with a value for each set of labels."""
    lines = [f"{name}{_labels(labels)} {_number(value)}" for labels, value in values]
    return [*_head(name, "gauge", about, unit), *lines]


def counters(
    name: str, about: str, values: Sequence[tuple[Labels, float]], *, unit: str = ""
) -> list[str]:
    """Return a family of counts that only grow; `name` goes without `_total`."""
    lines = [f"{name}_total{_labels(labels)} {_number(value)}" for labels, value in values]
    return [*_head(name, "counter", about, unit), *lines]


def histogram(
    name: str, about: str, bounds: Sequence[float], counts: Sequence[int], total: float
) -> list[str]:
    """Return a family of a distribution in seconds.

    Args:
        name: Ends in `_seconds`.
        about: What it is of.
        bounds: Upper bounds of the buckets but the last, which has none.
        counts: How many fell into each, one more than bounds.
        total: The sum of all.
    """
    lines, so_far = [], 0
    for bound, count in zip([*(str(float(one)) for one in bounds), "+Inf"], counts, strict=True):
        so_far += count
        lines.append(f'{name}_bucket{{le="{bound}"}} {so_far}')
    ends = [f"{name}_count {so_far}", f"{name}_sum {_number(total)}"]
    return [*_head(name, "histogram", about, "seconds"), *lines, *ends]


def _head(name: str, kind: str, about: str, unit: str) -> list[str]:
    units = [f"# UNIT {name} {unit}"] if unit else []
    return [f"# TYPE {name} {kind}", *units, f"# HELP {name} {about}"]


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return f"{value:.15g}"
