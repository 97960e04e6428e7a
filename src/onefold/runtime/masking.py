"""Whoever is erased leaves the rows of others too: log and vault are masked, facts built anew.

The register notes that it begins before the first row changes. Once all rows say it, an entry of
the log does, and facts that were built without that entry are built anew. So whatever dies on the
way, the next one who opens the workspace goes through the log again and tells it.
"""

from collections.abc import Iterator, Mapping

from onefold.collect import catalogues
from onefold.model.records import Asker
from onefold.runtime import people_requests as requests
from onefold.runtime.workspace import Workspace
from onefold.store import LogRow

BEGUN, DONE = "masking", "masked"
"""What the register says of a request: rows of others are being masked, and how many were."""


def masked(
    workspace: Workspace,
    asker: Asker,
    told: Mapping[str, catalogues.Entry],
    waiting: Mapping[str, requests.Request],
) -> bool:
    """Mask the identifiers of whom entries erase; return whether the facts know of it.

    A log that cannot be rewritten keeps what others told of them.

    Args:
        workspace: Whose log and vault.
        asker: Who erases.
        told: Request -> its entry, whose words the vault still has.
        waiting: Request -> what the register says of it.

    Raises:
        DiskFull: There is no room for the rows anew.
    """
    if workspace.log.file is None:
        return True
    for request, entry in told.items():
        if DONE not in waiting[request].detail:
            _mask(workspace, asker, entry, waiting[request])
    workspace.relay()
    return workspace.folds.generation.rules.masked == catalogues.masked_of(workspace.log)


def _mask(
    workspace: Workspace, asker: Asker, entry: catalogues.Entry, request: requests.Request
) -> None:
    names = list(_names(workspace, entry))
    mask = catalogues.Mask(names, workspace.identity_key)
    if not mask:
        return
    begun, events = BEGUN in request.detail, 0
    for rows in _rows(workspace):
        found = [mask.row(row) for row in rows]
        held = [one for one, hits in found if hits]
        if held and not begun:
            requests.work(workspace.state, asker, request, "person.mask", {BEGUN: True})
            begun = True
        if held:
            workspace.log.rewrite(held)
            events += sum(hits for _, hits in found)
    fields = workspace.vault.mask_fields([value for _, value in names], mask.text)
    if begun:
        detail = {DONE: events, "fields": fields}
        told = (catalogues.MASK, {"request": request.id, "events": events})
        requests.work(workspace.state, asker, request, "person.masked", detail, told)


def _names(workspace: Workspace, entry: catalogues.Entry) -> Iterator[tuple[str, str]]:
    """Yield kind and value of what somebody was known by, and nobody else is."""
    keys = set(entry.keys)
    for name in workspace.vault.names(keys).values():
        if workspace.vault.namesakes(name.value) <= keys:
            yield name.kind, name.value


def _rows(workspace: Workspace) -> Iterator[list[LogRow]]:
    """Yield the rows of the log, up to where it ends now."""
    after, end = 0, workspace.log.last_offset()
    while after < end and (rows := workspace.log.read(after)):
        yield rows
        after = rows[-1].offset
