"""How the machine does, for a scraper: OpenMetrics text; nothing of the business stands in it."""

import shutil

from onefold.runtime import Workspace
from onefold.web.openmetrics import END, MEDIA_TYPE, gauge, gauges

__all__ = ["MEDIA_TYPE", "measures"]

_FILES = {
    "log": "log.sqlite*",
    "facts": "facts/**/*",
    "vault": "vault.sqlite*",
    "state": "state.sqlite*",
}


def measures(workspace: Workspace) -> str:
    """Return places in the log, lag, rates and sizes as OpenMetrics text."""
    end, folded = workspace.log.last_offset(), workspace.facts_offset
    rates = workspace.rates()
    free = shutil.disk_usage(workspace.folder).free
    lines = [
        *gauge("onefold_log_offset", "Place of the last row of the log.", end),
        *gauge("onefold_facts_offset", "Place up to which the folds have read.", folded),
        *gauge("onefold_lag_rows", "Rows of the log that wait to be folded.", end - folded),
        *gauge("onefold_rebuilding", "Whether the facts are made anew.", workspace.rebuilding),
        *gauge("onefold_stalled", "Whether the folds stand still.", bool(workspace.trouble)),
        *gauges(
            "onefold_events_per_second",
            "Events a second over the last minute.",
            [({"step": "taken"}, rates.taken), ({"step": "folded"}, rates.folded)],
        ),
        *gauge("onefold_disk_free_bytes", "Room on the disk.", free, unit="bytes"),
    ]
    if workspace.fresh_time is not None:
        about = "When the last folded row was received."
        lines += gauge("onefold_fresh_seconds", about, workspace.fresh_time / 1e6, unit="seconds")
    sizes = [({"plane": name}, _size(workspace, pattern)) for name, pattern in _FILES.items()]
    lines += gauges("onefold_size_bytes", "Bytes on the disk.", sizes, unit="bytes")
    return "\n".join(lines) + "\n" + END


def _size(workspace: Workspace, pattern: str) -> int:
    return sum(path.stat().st_size for path in workspace.folder.glob(pattern) if path.is_file())
