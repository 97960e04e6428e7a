"""What the door judges requests by: sources, catalogue and consent categories in force."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from onefold.collect import Catalogue, Source, catalogues, make_catalogue, sources, wire
from onefold.consent import Gate
from onefold.governance import approvals
from onefold.model.errors import OnefoldError
from onefold.model.time import MINUTE, SECOND, Clock

if TYPE_CHECKING:
    from onefold.store import Log, State

_LOOK_EVERY = SECOND // 5


class Policies:
    """Sources and catalogue, read again when state or log say that they changed."""

    def __init__(
        self,
        *,
        state: "State",
        log: "Log",
        clock: Clock,
        categories: Mapping[str, str],
        country_database: Path | None = None,
        vault: Path | None = None,
    ) -> None:
        self._vault = vault
        self._state = state
        self._log = log
        self._clock = clock
        self._looked = self._read = 0
        self._version = -1
        self._entry = -1
        self._by_key: dict[str, Source] = {}
        self._categories = {} if approvals.watched(state) else dict(categories)
        self._identity_key = sources.identity_key(state)
        self.gate = self._gate(None)
        """Judges consent by the rules in force."""
        self.catalogue: Catalogue = make_catalogue(())
        """The described events in force."""
        self.countries = wire.Countries(country_database)
        """Tells where requests came from."""
        self.sampling_key = sources.sampling_key(state)
        """By which sources that sample draw persons."""
        self.suppressed = sources.suppressed(state)
        """Who was erased and must not come back."""
        self.look()

    def source(self, write_key: str) -> Source | None:
        """Return the source of a write key; a key that is not known is looked up anew."""
        fresh = 0 <= self._clock() - self._looked < _LOOK_EVERY
        if not fresh or write_key not in self._by_key:
            # A full disk may keep us from reading; what was in force stays so.
            with suppress(OnefoldError, OSError):
                self.look()
        return self._by_key.get(write_key)

    def look(self) -> None:
        """Read again what may have changed."""
        self._looked = self._clock()
        version = self._state.version()
        if version != self._version or not 0 <= self._looked - self._read < MINUTE:
            self._version, self._read = version, self._looked
            self.suppressed = sources.suppressed(self._state)
            self._by_key = {one.write_key: one for one in sources.list_sources(self._state)}
        row = self._log.latest("control", "definitions")
        if row is not None and row.offset != self._entry:
            self._entry = row.offset
            told: dict[str, dict[str, str]] = msgspec.json.decode(row.body)
            files = told["files"]
            # Those of the settings hold where no definitions ever did.
            self._categories = told.get("categories", self._categories)
            self.catalogue = make_catalogue(
                item for item in files.items() if item[0].startswith("events/")
            )
            self.gate = self._gate(files.get("consent.yaml"))

    def _gate(self, text: str | None) -> Gate:
        rules = catalogues.consent_rules(text, self._categories)
        return Gate(rules, identity_key=self._identity_key, vault=self._vault)
