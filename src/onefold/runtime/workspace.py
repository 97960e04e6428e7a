"""A workspace: one tenant in one folder, its planes opened and wired."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    closing,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass, replace
from pathlib import Path

from onefold.collect import Catalogue, Source, catalogues, sources
from onefold.consent import BASES, Gate, rules
from onefold.governance import approvals, audits, keys, may, people, policies
from onefold.metrics import Metric, questions
from onefold.model.errors import (
    BadInput,
    Busy,
    Conflict,
    MachineFailed,
    NotAllowed,
    NotFound,
    OnefoldError,
)
from onefold.model.facts import RECORD_TIMES
from onefold.model.ids import new_secret
from onefold.model.locks import hold
from onefold.model.records import OWNER, Answer, Asker, Progress, Question
from onefold.model.spans import recording, span
from onefold.model.time import Clock, now
from onefold.runtime.anchoring import anchor
from onefold.runtime.certifying import keep_versions, metrics_of
from onefold.runtime.definitions import KIND as DEFINITIONS
from onefold.runtime.definitions import (
    Entry,
    applied,
    applied_catalogue,
    applied_gate,
    applied_retention,
    entry_of,
    same,
)
from onefold.runtime.engines import folded_into
from onefold.runtime.folds import MICRO_BATCH, Folds
from onefold.runtime.generation import (
    Generation,
    compacted,
    drop,
    make_next,
    open_current,
    put_in_force,
)
from onefold.runtime.pace import Pace, Rates
from onefold.runtime.personalizing import PERSONALIZATION, switched_off
from onefold.runtime.prefixes import begin_from, drop_kept, keep
from onefold.runtime.publishing import Reader
from onefold.runtime.relay import relay
from onefold.runtime.retention_days import horizon_of, horizons_of
from onefold.runtime.segmenting import among, segments_of
from onefold.runtime.settings import FILE, Settings, read_settings, write_settings
from onefold.runtime.sql_under_way import UnderWay
from onefold.runtime.status import status_of
from onefold.runtime.using import Uses
from onefold.runtime.views import Terms, make_view
from onefold.runtime.withdrawing import put_down
from onefold.store import Log, State, Vault, View, planes, tables

FIRST_SOURCE = "app"
FIRST_USER = "owner"
_KEY = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class NewWorkspace:
    """What is told once, when a workspace is made.

    Attributes:
        folder: Where it stands.
        write_key: Of its first source.
        api_key: Of its owner.
        sign_in_path: Opens the pages once, for its owner; to put behind the address.
    """

    folder: Path
    write_key: str
    api_key: str
    sign_in_path: str


def create_workspace(
    folder: Path,
    *,
    basis: str = "opt-in",
    identity_key: str = "",
    name: str = "",
    log: str = "",
    state: str = "",
    facts: str = "",
    clock: Clock = now,
) -> NewWorkspace:
    """Make a workspace and return its first keys.

    Args:
        folder: New or empty.
        basis: What may be kept of an event without a consent object: opt-in, notice, contract.
        identity_key: 32 bytes in hex that key every hash of an identifier; random when empty.
        name: As pages show it; the folder's name when empty.
        log: Where the log stands, `kafka://...`; in the folder when empty.
        state: Where the state stands, `postgresql://...`; in the folder when empty.
        facts: Where the facts stand, `clickhouse://...`; in the folder when empty.
        clock: Tells the time.

    Raises:
        BadInput: The basis, the key or a URL is none.
        Conflict: There is a workspace already, or other files.
        MachineFailed: The folder cannot be written.
    """
    if basis not in BASES:
        raise BadInput(f"No basis `{basis}`.", f"Use one of: {', '.join(BASES)}.")
    if identity_key and not _KEY.fullmatch(identity_key):
        raise BadInput("The identity key is not 32 bytes in hex.", "Give 64 hex digits, or none.")
    if (folder / FILE).exists():
        raise Conflict(f"{folder} is a workspace already.", "Use it, or name another folder.")
    if folder.is_dir() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty.", "Name a new or an empty folder.")
    try:
        for part in ("events", "metrics", "experiments"):
            (folder / "definitions" / part).mkdir(parents=True, exist_ok=True)
        catalogues.write_seeds(folder / "definitions")
        (folder / "run").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise MachineFailed(f"{folder} cannot be made: {error}.", "Name another folder.") from error
    planes.check_facts(facts)
    planes.open_log(log, folder).close()
    Vault(folder / "vault.sqlite").close()
    with closing(planes.open_state(state, folder, clock)) as opened:
        made = _first_keys(opened, identity_key.lower(), name or folder.name, basis)
    # The settings come last: a folder without them is no workspace.
    write_settings(folder, name or folder.resolve().name, log=log, state=state, facts=facts)
    return NewWorkspace(folder, *made)


def _first_keys(state: State, identity_key: str, name: str, basis: str) -> tuple[str, str, str]:
    """Make what a new state holds; return write key, API key and the path that signs in."""
    if state.rows(tables.settings.select()):
        message = "The state holds a workspace already."
        raise Conflict(message, "Name an empty database, or copy that workspace's folder.")
    key, now = identity_key or os.urandom(32).hex(), state.now()
    with state.change(OWNER, "workspace.make", name) as change:
        change.execute(tables.settings.insert().values(name="identity_key", value=key))
    write_key = new_secret("wk_")
    sources.add_source(state, OWNER, Source(name=FIRST_SOURCE, write_key=write_key, basis=basis))
    people.add_user(state, FIRST_USER, "owner", asker=OWNER, now=now)
    api_key = keys.add_api_key(state, "first", ("admin",), asker=OWNER, now=now)
    return write_key, api_key, people.sign_in_link(state, FIRST_USER, asker=OWNER, now=now)


class Workspace:
    """The planes of a workspace, opened by the one process that owns its facts."""

    def __init__(self, folder: Path, clock: Clock = now) -> None:
        """Open all planes; the facts are made when there are none.

        Raises:
            NotFound: The folder is no workspace.
            MachineFailed: Another process holds it, or a file does not work.
        """
        self.folder = folder
        self.clock = clock
        self.settings: Settings = read_settings(folder)
        _check_planes(folder, self.settings)
        self.rebuilding = False
        """A new generation is being built; figures are those of the old one."""
        self.rebuilt_share = 0.0
        """How much of it is done, from 0 to 1."""
        self.trouble = ""
        """Why the folds stand still, one sentence; empty while they go."""
        self.imports_lock = threading.Lock()
        self.imports_under_way: set[str] = set()
        """Names of imports that go on; to be changed under the lock."""
        self.sql_under_way = UnderWay()
        self.trail_watch = audits.Watch()
        self.uses = Uses(self.settings.zone)
        """Counts who asks what."""
        self.engine = folded_into(self.settings.facts)
        """Where the facts shall stand, a URL; empty for the folder."""
        self.reader = Reader(self.settings.facts)
        self._folding = threading.RLock()
        self._listeners: list[Callable[[int], None]] = []
        self._relayed = self._anchored = 0
        self._days: tuple[int, dict[str, int]] = (0, {})
        """Where the entry stands that says how long what is kept, and what it says."""
        with ExitStack() as opened:
            held = f"{folder} is held by another Onefold process."
            fix = "Ask through it, or end it first."
            opened.enter_context(hold(folder / "run" / "house.lock", trouble=held, fix=fix))
            log = planes.open_log(self.settings.log, folder)
            self.log: Log = opened.enter_context(closing(log))
            state = planes.open_state(self.settings.state, folder, clock)
            self.state = opened.enter_context(closing(state))
            self.vault = opened.enter_context(closing(Vault(folder / "vault.sqlite")))
            self.identity_key = read_identity_key(self.state)
            approvals.interrupted(self.state, asker=OWNER)
            relay(self.state, self.log)
            self.folds = self._folds(self._first_generation())
            opened.callback(self._close_facts)
            self._pace = Pace(self.log, clock, self.folds.offset)
            _, rules = applied(self.log)
            self.folds.take_up(rules)
            self._opened = opened.pop_all()

    @property
    def definitions(self) -> Path:
        """Where its definitions stand."""
        return self.folder / "definitions"

    @property
    def facts_offset(self) -> int:
        """The last log offset that the facts hold."""
        return self.folds.offset

    @property
    def fresh_time(self) -> int | None:
        """When the last folded row was received, microseconds; None before the first."""
        return self.folds.generation.received_time

    @property
    def last_event_time(self) -> int | None:
        """When the last event folded since the start was received; None before the first."""
        return self.folds.last_event_time

    def metrics(self) -> dict[str, Metric]:
        """Return all metrics by name: version, since when it holds, who vouches for it.

        Raises:
            BadInput: A definition cannot be used; with file, line and column.
        """
        return metrics_of(self)

    def segments(self) -> dict[str, questions.segments.Segment]:
        """Return all segments by name.

        Raises:
            BadInput: A definition cannot be used; with file, line and column.
        """
        return segments_of(self)

    def among(self, view: View, name: str, at: int) -> tuple[View, questions.segments.Segment]:
        """Return a View of the members of a segment alone as of a time, and the segment.

        Raises:
            NotFound: There is none of that name.
        """
        return among(self, view, name, at)

    def view(self, question: Question) -> View:
        """Return the facts as a question may see them.

        Raises:
            NotAllowed: The asker may not ask.
        """
        facts: planes.Readable = self.folds.generation.facts
        fresh_time = self.fresh_time
        if self.reader.on:
            facts = asked = self.reader.facts(self)
            fresh_time = asked.version.fresh_time
        return make_view(
            facts,
            question,
            now=self.clock(),
            zone=self.settings.zone,
            fresh_time=fresh_time,
            terms=self._terms(question.purpose),
            sight=self.sight(question.asker),
        )

    def _terms(self, purpose: str) -> Terms:
        generation, days = self.folds.generation, self.days_kept()
        return Terms(
            marked=generation.marked,
            sampled=generation.sampled,
            stated=generation.stated,
            linked=generation.linked,
            horizon=horizon_of(days, purpose, self.clock()),
            rows=horizons_of({one: days[one] for one in days if one in RECORD_TIMES}, self.clock()),
            consent=generation.rules.consent or rules.shipped_consent(),
            off=switched_off(self.state) if purpose == PERSONALIZATION else frozenset(),
        )

    def sight(self, asker: Asker) -> policies.Sight:
        """Return what the policies in force let an asker see."""
        return policies.sight_of(self.state, asker)

    def require_whole(self, asker: Asker) -> None:
        """Pass when an asker may see every row.

        Raises:
            NotAllowed: A policy shows some rows alone, and what is asked is of them all.
        """
        if not self.sight(asker).whole:
            message = f"{asker.name} may see some rows alone, and this tells of all."
            raise NotAllowed(message, "Ask an owner; `onefold policy list` says who sees what.")

    def vault_of(self, asker: Asker) -> Vault:
        """Return the vault as an asker may read it, by role and by policy."""
        if not may(asker, "see_personal_fields"):
            return self.vault.as_read_by(lambda _: False)
        classes = self.sight(asker).classes
        if classes is None:
            return self.vault
        return self.vault.as_read_by(lambda field: policies.class_of(field) in classes)

    def on_commit(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call a listener with the offset after each commit; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def step(self, *, most_bytes: int = MICRO_BATCH) -> int:
        """Fold the next rows of the log; return how many, 0 at its end.

        Facts that were built by other rules are built anew first, or as soon as the log says so.
        More bytes at a time cost less an event and more memory.

        Raises:
            Busy: There is no room, or a file is held; nothing was folded, and a later call may.
        """
        try:
            self._renew()
            with self._folding:
                with self._span():
                    folded = self.folds.step(most_bytes=most_bytes)
                if folded:
                    self._pace.at(self.facts_offset)
                if self.folds.heard:
                    self._put_down()
            self._renew()
        except Busy as trouble:
            self.trouble = f"The folds stand still: {trouble.message}"
            raise
        self.trouble = ""
        return folded

    def _put_down(self) -> None:
        """Put withdrawals that the facts obey now into the register; a busy one is tried again."""
        facts = self.folds.generation.facts
        with suppress(Busy):
            put_down(facts, self.state, offset=self.facts_offset, now=self.clock())
            self.folds.heard = False

    def _span(self) -> AbstractContextManager[None]:
        """Return a span where somebody asked for spans and there is something to fold."""
        if not recording() or self.log.last_offset() <= self.facts_offset:
            return nullcontext()
        return span("fold", offset=self.facts_offset)

    def _renew(self) -> None:
        if self.folds.stale and not self.rebuilding:
            from onefold.runtime.rebuilding import rebuild

            rebuild(self)

    def tell(self) -> None:
        """Tell the listeners how far the facts are."""
        for listener in list(self._listeners):
            listener(self.facts_offset)

    def relay(self) -> None:
        """Bring what waits in the outbox to the log; costs next to nothing when nothing changed."""
        version = self.state.version()
        if version != self._relayed:
            relay(self.state, self.log)
            self._relayed = self.state.version()

    def tidy(self) -> None:
        """Bring to the log what waits for it, and the head of the audit trail where it grew."""
        self.uses.write(self.state, now=self.clock())
        self.relay()
        if self._anchored != (version := self.state.version()):
            anchor(self.state, self.log)
            self._anchored = version

    def catch_up(self, progress: Progress | None = None, *, most_bytes: int = MICRO_BATCH) -> None:
        """Fold until the facts hold all that the log held at the call."""
        relay(self.state, self.log)
        end = self.log.last_offset()
        if self.folds.stale:
            self.step(most_bytes=most_bytes)
        while self.facts_offset < end:
            self.step(most_bytes=most_bytes)
            if progress is not None:
                progress("Folding", self.facts_offset, end)
        self.tell()

    def rates(self) -> Rates:
        """Return how many events a second came and were folded over the last minute."""
        return self._pace.rates(self.facts_offset)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let the facts stand at their offset meanwhile; intake goes on."""
        with self._folding:
            yield

    def catalogue(self) -> Catalogue:
        """Return the catalogue in force, as the door validates by it."""
        return applied_catalogue(self.log)

    def gate(self) -> Gate:
        """Return what judges consent by the rules in force, as the door does."""
        vault = self.folder / "vault.sqlite"
        first = {} if approvals.watched(self.state) else self.settings.categories
        return applied_gate(self.log, first, self.identity_key, vault)

    def days_kept(self) -> dict[str, int]:
        """Return purpose or table of imported rows -> days that it is kept, as applied."""
        row = self.log.latest("control", DEFINITIONS)
        at = row.offset if row else 0
        if at != self._days[0] or not at:
            first = {} if row is None and approvals.watched(self.state) else self.settings.days
            self._days = at, applied_retention(row, first)
        return self._days[1]

    def status(self) -> Answer:
        """Return counts, lag and sizes: one row a figure."""
        return status_of(self)

    def apply_first_definitions(self) -> None:
        """Bring the folder's definitions into force where none ever were; later ones wait.

        So do the first ones, where somebody laid down already that a change needs two.

        Raises:
            BadInput: A definition cannot be used.
        """
        standing, _ = applied(self.log)
        if standing is None and not approvals.watched(self.state):
            self.apply_definitions(wait=False)

    def apply_definitions(
        self, asker: Asker = OWNER, *, wait: bool = True, entry: Entry | None = None
    ) -> bool:
        """Bring the definitions of the folder into force; return whether they had changed.

        The trail names `asker`; `wait` returns only when the folds have applied them; an `entry`
        that was read from them already holds, and not what the files say by now.

        Raises:
            BadInput: A definition cannot be used; nothing was applied.
        """
        entry = entry or entry_of(self.folder, self.identity_key)
        standing, _ = applied(self.log)
        if same(standing, entry):
            keep_versions(self, asker, entry["files"])
            return False
        detail = {"files": len(entry["files"])}
        with self.state.change(
            asker, "definitions.apply", "definitions", detail=detail, entry=(DEFINITIONS, entry)
        ):
            pass
        self.relay()
        keep_versions(self, asker, entry["files"])
        if wait:
            self.catch_up()
        return True

    def take_over(self, generation: Generation) -> None:
        """Let a new generation answer, folded to the end while the old one stands still."""
        with self._folding:
            folds = self._folds(generation)
            end = max(self.log.last_offset(), self.facts_offset)
            while folds.offset < end and folds.step():
                pass
            # An entry that came while it was built stands in the log, not in what it was built by.
            _, rules = applied(self.log)
            folds.take_up(rules)
            self._answer_by(folds)

    def new_generation(self, from_offset: int = 0) -> Folds:
        """Return folds of a new generation by the rules in force.

        It is empty, or holds what stands before an offset where such facts were kept.
        """
        _, rules = applied(self.log)
        folder = self.folder / "facts"
        begun = begin_from(folder, from_offset, rules) if from_offset else None
        return self._folds(begun or make_next(folder, rules, self.engine))

    def fold_into(self, url: str) -> None:
        """Say where the facts shall stand; those that stand elsewhere are stale from now on."""
        with self._folding:
            self.settings = replace(self.settings, facts=url)
            self.reader = Reader(url)
            self.engine = folded_into(url)
            self.folds.move_to(self.engine)
            _, rules = applied(self.log)
            self.folds.take_up(rules)

    def keep_prefix(self) -> int:
        """Keep a copy of the facts as they stand; return the offset they stand at.

        A later rebuild from an offset after it begins with the copy.
        """
        with self._folding:
            return keep(self.folder / "facts", self.folds.generation)

    def compact(self) -> bool:
        """Write the facts anew without what was deleted; return whether it could be done now.

        While they are being built anew they cannot. Questions go on, the folds stand still.
        """
        with self._folding:
            if self.rebuilding:
                return False
            self._answer_by(self._folds(compacted(self.folder / "facts", self.folds.generation)))
            drop_kept(self.folder / "facts")
        return True

    def _answer_by(self, folds: Folds) -> None:
        """Let other folds with their generation answer; the former one's files go now."""
        former = self.folds
        former.close()
        put_in_force(self.folder / "facts", folds.generation)
        self.folds = folds
        # Questions that run keep the old engine alive.
        former.generation.seen.close()
        drop(former.generation)

    def close(self) -> None:
        """Let go of all files, the trail's head in the log."""
        self.sql_under_way.cancel_all()
        # A full disk, or a log that is gone, must not keep us from letting go.
        with suppress(OnefoldError):
            self.uses.write(self.state, now=self.clock(), every=0)
            anchor(self.state, self.log)
        self._opened.close()

    def _close_facts(self) -> None:
        # A rebuild may have put another generation in the place of the first.
        self.folds.close()
        self.folds.generation.close()

    def _folds(self, generation: Generation) -> Folds:
        return Folds(
            generation,
            log=self.log,
            vault=self.vault,
            identity_key=self.identity_key,
            clock=self.clock,
            engine=self.engine,
        )

    def _first_generation(self) -> Generation:
        folder = self.folder / "facts"
        found = open_current(folder)
        if found is None:
            _, rules = applied(self.log)
            found = make_next(folder, rules, self.engine)
            put_in_force(folder, found)
        return found


def open_workspace(folder: Path, clock: Clock = now) -> Workspace:
    """Return a workspace with its planes open, folded to the end of the log.

    Raises:
        NotFound: The folder is no workspace.
        MachineFailed: Another process holds it.
    """
    workspace = Workspace(folder, clock)
    workspace.apply_first_definitions()
    workspace.catch_up()
    return workspace


def _check_planes(folder: Path, settings: Settings) -> None:
    elsewhere = {"log": settings.log, "state": settings.state}
    for plane in ("log", "state", "vault"):
        if not elsewhere.get(plane) and not (folder / f"{plane}.sqlite").exists():
            message = f"{folder} has lost its {plane}.sqlite."
            raise MachineFailed(message, "Bring it back from a backup; nothing was made anew.")


def read_identity_key(state: State) -> bytes:
    """Return the key of every hash of an identifier.

    Raises:
        NotFound: The state has none.
    """
    query = tables.settings.select().where(tables.settings.c.name == "identity_key")
    for row in state.rows(query):
        return bytes.fromhex(row["value"])
    raise NotFound("The state holds no identity key.", "Restore state.sqlite from a backup.")
