"""The planes: log, facts, state and vault, one protocol each with its adapter beside it."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.store.facts import Facts as Facts
    from onefold.store.facts import FactsWriter as FactsWriter
    from onefold.store.log import Log as Log
    from onefold.store.log_writer import GroupWriter as GroupWriter
    from onefold.store.records import LogRow as LogRow
    from onefold.store.records import NewRow as NewRow
    from onefold.store.seen import SeenIds as SeenIds
    from onefold.store.state import State as State
    from onefold.store.vault import Vault as Vault
    from onefold.store.view import View as View

    from . import opening as planes
    from . import state_tables as tables

__getattr__ = door(
    __name__,
    {
        "Facts": "facts",
        "FactsWriter": "facts",
        "GroupWriter": "log_writer",
        "Log": "log",
        "LogRow": "records",
        "NewRow": "records",
        "SeenIds": "seen",
        "State": "state",
        "Vault": "vault",
        "View": "view",
        "planes": "=opening",
        "tables": "=state_tables",
    },
)
