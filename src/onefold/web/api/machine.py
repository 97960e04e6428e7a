"""How the machine does, for a scraper: OpenMetrics text; nothing of the business stands in it."""

from onefold.runtime import Workspace

MEDIA_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_FILES = {
    "log": "log.sqlite*",
    "facts": "facts/**/*",
    "vault": "vault.sqlite*",
    "state": "state.sqlite*",
}


def measures(workspace: Workspace) -> str:
    """Return places in the log, lag and sizes as OpenMetrics text.

    Source: OpenMetrics 1.0.0.
    """
    end, folded = workspace.log.last_offset(), workspace.facts_offset
    lines = [
        *_gauge("onefold_log_offset", "Place of the last row of the log.", end),
        *_gauge("onefold_facts_offset", "Place up to which the folds have read.", folded),
        *_gauge("onefold_lag_rows", "Rows of the log that wait to be folded.", end - folded),
        *_gauge("onefold_rebuilding", "Whether the facts are made anew.", workspace.rebuilding),
    ]
    if workspace.fresh_time is not None:
        about = "When the last folded row was received."
        lines += _gauge("onefold_fresh_seconds", about, workspace.fresh_time / 1e6, unit="seconds")
    lines += _head("onefold_size_bytes", "Bytes on the disk.", unit="bytes")
    lines += [
        f'onefold_size_bytes{{plane="{plane}"}} {_size(workspace, pattern)}'
        for plane, pattern in _FILES.items()
    ]
    return "\n".join([*lines, "# EOF", ""])


def _head(name: str, about: str, unit: str) -> list[str]:
    units = [f"# UNIT {name} {unit}"] if unit else []
    return [f"# TYPE {name} gauge", *units, f"# HELP {name} {about}"]


def _gauge(name: str, about: str, value: float, *, unit: str = "") -> list[str]:
    return [*_head(name, about, unit), f"{name} {value:.15g}"]


def _size(workspace: Workspace, pattern: str) -> int:
    return sum(path.stat().st_size for path in workspace.folder.glob(pattern) if path.is_file())
