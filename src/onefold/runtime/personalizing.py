"""Whether personalization is allowed: for everybody by one switch, for one by their own word."""

from onefold.model.records import Asker
from onefold.store import State, tables

PERSONALIZATION = "personalization"
_SWITCH = "personalization"
_OFF, _ON = "off", "on"


def switched_off(state: State) -> frozenset[str]:
    """Return the purposes that are switched off for everybody."""
    wanted = tables.settings.c.name == _SWITCH
    rows = state.rows(tables.settings.select().where(wanted))
    return frozenset({PERSONALIZATION}) if rows and rows[0]["value"] == _OFF else frozenset()


def switch(state: State, asker: Asker, *, on: bool) -> bool:
    """Switch personalization for everybody; return whether that changed anything."""
    if on is not bool(switched_off(state)):
        return False
    settings = tables.settings
    word = _ON if on else _OFF
    with state.change(asker, f"personalization.{word}", "everybody") as change:
        change.execute(settings.delete().where(settings.c.name == _SWITCH))
        change.execute(settings.insert().values(name=_SWITCH, value=word))
    return True
