"""What `onefold.toml` says: the workspace's name, its zone, its consent categories."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from onefold.consent import PURPOSES
from onefold.model.errors import BadInput, NotFound, did_you_mean
from onefold.model.facts import RECORD_TIMES
from onefold.model.limits import Limits
from onefold.model.records import ROLES
from onefold.model.single_sign_on import Provider
from onefold.model.time import zone_of
from onefold.runtime.retention_days import STANDING

FILE = "onefold.toml"
ONLY_READS = "spark://"
"""How the URL of an engine begins that asks what is exported, and holds no facts itself."""
_FACTS = re.compile(r"\s*facts\s*=")

_FIRST = """\
# A Onefold workspace. Days are of this zone; questions, pages and folds all use it.
name = {name}
zone = "UTC"

# Where log and state stand when one machine is outgrown; without, in this folder.
# log = "kafka://broker:9092/onefold"
# state = "postgresql://onefold@db/onefold"

# Where the facts stand, likewise; `onefold migrate` moves them, and goes on from the log.
# facts = "clickhouse://onefold:PASSWORD@click:8123/onefold"

# Consent categories as your banner names them, and the purpose each stands for
# (analytics, personalization, advertising, sharing). Names of purposes need no line.
[consent.categories]
# C0002 = "analytics"

# How many days events are kept for a purpose; without, for good. What no purpose may use any more
# is erased, and the facts are built anew without it, once a day.
[retention]
# analytics = 400
# advertising = 90
# tickets = 1100   # imported rows, by table and by when they were true

# When figures of a day, a week or a month are closed: so many hours after its end. What comes later
# moves no closed figure; it stands beside, with the reason.
[periods]
# close_after_hours = 72

# The facts as Parquet, for Spark and other engines: written every few minutes while a server runs.
# [facts_export]
# every_minutes = 5
# folder = "/shared/onefold"   # without, `facts_export` here

# People may sign in by your provider; `pip install 'onefold[oidc]'`.
# [oidc]
# issuer = "https://id.example.com"
# client_id = "onefold"
# secret_from = "ONEFOLD_OIDC_SECRET"   # an environment variable; without, PKCE alone
# role_claim = "groups"
# [oidc.roles]
# "onefold-admins" = "owner"

# What is taken at most; beyond, senders are asked to come back (429 and 503).
[intake]
# events_per_second = 5000     # of one write key; 0 is no limit
# keep_free_mb = 16            # room on the disk below which nothing is taken
# most_behind_seconds = 3600   # how far the facts may fall behind; 0 is for ever
# country_database = "countries.mmdb"   # for sources that read countries from addresses
"""
_KNOWN = {
    "name": str,
    "zone": str,
    "log": str,
    "state": str,
    "facts": str,
    "link": str,
    "consent": dict,
    "retention": dict,
    "periods": dict,
    "facts_export": dict,
    "intake": dict,
    "oidc": dict,
}
_OIDC = ("issuer", "client_id", "secret_from", "name_claim", "role_claim", "scopes")
_AGEING = tuple(table for table in RECORD_TIMES if table not in STANDING)
_MOST_DAYS = 36_500
CLOSE_AFTER_HOURS = 72.0
"""So long after its end a period is closed, unless the settings say otherwise."""
EXPORT_MINUTES = 5.0
"""So often the facts are exported where the settings ask for it, unless they say how often."""
_INTAKE = ("events_per_second", "keep_free_mb", "most_behind_seconds")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a workspace.

    Attributes:
        name: As pages show it.
        zone: IANA name.
        categories: Consent category as sent -> purpose.
        retention: Purpose -> days that events are kept for it; for good where it is not named.
        rows_kept: Table of imported rows -> days that its rows are kept; likewise.
        close_after_hours: How long after its end a period is closed.
        limits: What its intake takes at most.
        country_database: Tells the country of an address, a file in MaxMind's format; or None.
        log: Where the log stands, a URL; empty for the folder.
        state: Where the state stands, a URL; empty for the folder.
        facts: Where the facts stand, a URL; empty for the folder.
        link: On which Spark records are compared, a URL; empty for this machine's memory.
        export_minutes: From one export of the facts to the next; 0 where none is asked for.
        export_folder: Where it stands; None for the folder.
        provider: By whom people sign in, or None.
    """

    name: str
    zone: str = "UTC"
    categories: dict[str, str] = field(default_factory=dict)
    retention: dict[str, int] = field(default_factory=dict)
    rows_kept: dict[str, int] = field(default_factory=dict)
    close_after_hours: float = CLOSE_AFTER_HOURS
    limits: Limits = field(default_factory=Limits)
    country_database: Path | None = None
    log: str = ""
    state: str = ""
    facts: str = ""
    link: str = ""
    export_minutes: float = 0.0
    export_folder: Path | None = None
    provider: Provider | None = None

    @property
    def exports_every(self) -> float:
        """Minutes from one export of the facts to the next; 0 where nobody reads them."""
        reads = self.facts.startswith(ONLY_READS)
        return self.export_minutes or (EXPORT_MINUTES if reads else 0.0)

    @property
    def days(self) -> dict[str, int]:
        """Return purpose or table of imported rows -> days that it is kept."""
        return {**self.retention, **self.rows_kept}


def write_settings(
    folder: Path, name: str, *, log: str = "", state: str = "", facts: str = ""
) -> None:
    """Write the first settings of a workspace; a URL that may hold a password is its owner's."""
    text = _FIRST.format(name=_quoted(name))
    for plane, url in (("log", log), ("state", state), ("facts", facts)):
        line = re.compile(rf"^# {plane} = .*$", re.MULTILINE)
        if url:
            text = line.sub(f"{plane} = {_quoted(url)}".replace("\\", r"\\"), text)
    path = folder / FILE
    path.write_text(text, encoding="utf-8")
    if log or state or facts:
        path.chmod(0o600)


def with_planes(text: str, *, log: str = "", state: str = "", facts: str = "") -> str:
    """Return settings that say where the planes stand, before anything else.

    >>> print(with_planes('name = "a"', state="postgresql://b"))
    state = "postgresql://b"
    name = "a"
    """
    named = (("log", log), ("state", state), ("facts", facts))
    return "".join(f"{plane} = {_quoted(url)}\n" for plane, url in named if url) + text


def write_facts(folder: Path, url: str) -> None:
    """Write into the settings where the facts stand; nothing else of them changes."""
    path = folder / FILE
    lines = path.read_text("utf-8").splitlines(keepends=True)
    top = next((n for n, line in enumerate(lines) if line.startswith("[")), len(lines))
    kept = [line for line in lines[:top] if not _FACTS.match(line)]
    text = with_planes("".join(kept + lines[top:]), facts=url)
    aside = path.with_suffix(".next")
    aside.touch(mode=0o600)
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def read_settings(folder: Path) -> Settings:
    """Return the settings of a workspace.

    Raises:
        NotFound: The folder is no workspace.
        BadInput: The file cannot be used; with what is wrong.
    """
    path = folder / FILE
    if not path.is_file():
        message = f"{folder} is no workspace: it has no {FILE}."
        raise NotFound(message, f"Make one with `onefold init {folder}`, or name it with -w.")
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{FILE}: {error}.", "Mend the line.") from error
    for name, value in content.items():
        kind = _KNOWN.get(name)
        if kind is None:
            message = f"{FILE}: no setting `{name}`.{did_you_mean(name, _KNOWN)}"
            raise BadInput(message, f"Use {', '.join(_KNOWN)}.")
        if not isinstance(value, kind):
            raise BadInput(f"{FILE}: `{name}` is {value!r}.", f"Write a {kind.__name__}.")
    categories = content.get("consent", {}).get("categories", {})
    zone = content.get("zone", "UTC")
    zone_of(zone)
    intake = dict(content.get("intake", {}))
    database = _database(folder, intake.pop("country_database", ""))
    kept = _retention(content.get("retention", {}))
    minutes, exported = _exporting(folder, content.get("facts_export"))
    return Settings(
        name=content.get("name", folder.name),
        zone=zone,
        categories=dict(categories),
        retention={name: days for name, days in kept.items() if name in PURPOSES},
        rows_kept={name: days for name, days in kept.items() if name not in PURPOSES},
        close_after_hours=_close_after(content.get("periods", {})),
        limits=_limits(intake),
        country_database=database,
        log=content.get("log", ""),
        state=content.get("state", ""),
        facts=content.get("facts", ""),
        link=_link(content.get("link", "")),
        export_minutes=minutes,
        export_folder=exported,
        provider=_provider(content["oidc"]) if "oidc" in content else None,
    )


def _retention(given: dict[str, object]) -> dict[str, int]:
    found: dict[str, int] = {}
    known = (*PURPOSES, *_AGEING)
    for name, days in given.items():
        if name in STANDING:
            message = f"{FILE}: rows of `{name}` say what stands, and grow not old by themselves."
            fix = f"Take it out of [retention]; there are {', '.join(_AGEING)}."
            raise BadInput(message, fix)
        if name not in known:
            near = did_you_mean(name, known)
            message = f"{FILE}: no purpose and no table `{name}` of retention.{near}"
            raise BadInput(message, f"Use {', '.join(known)}.")
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= _MOST_DAYS:
            message = f"{FILE}: `{name}` of retention is {days!r}."
            raise BadInput(message, f"Write days, from 1 to {_MOST_DAYS:,}.")
        found[name] = days
    return found


def _close_after(given: dict[str, object]) -> float:
    for name in given:
        if name != "close_after_hours":
            known = ("close_after_hours",)
            message = f"{FILE}: no setting `{name}` of periods.{did_you_mean(name, known)}"
            raise BadInput(message, "Use close_after_hours.")
    hours = given.get("close_after_hours", CLOSE_AFTER_HOURS)
    most = _MOST_DAYS * 24
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 <= hours <= most:
        message = f"{FILE}: `close_after_hours` of periods is {hours!r}."
        raise BadInput(message, f"Write hours, from 0 to {most:,}.")
    return float(hours)


def _link(url: str) -> str:
    if url and not url.startswith("spark://"):
        raise BadInput(f"{FILE}: `link` is {url!r}.", "Write spark://HOST:PORT, or leave it out.")
    return url


def _exporting(folder: Path, given: dict[str, object] | None) -> tuple[float, Path | None]:
    """Return how often the facts are exported, minutes, and where to."""
    if given is None:
        return 0.0, None
    known = ("every_minutes", "folder")
    for name in given:
        if name not in known:
            message = f"{FILE}: no setting `{name}` of facts_export.{did_you_mean(name, known)}"
            raise BadInput(message, f"Use {', '.join(known)}.")
    minutes, place = given.get("every_minutes", EXPORT_MINUTES), given.get("folder", "")
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes < 1e5:
        message = f"{FILE}: `every_minutes` of facts_export is {minutes!r}."
        raise BadInput(message, "Write minutes above 0, or leave [facts_export] out.")
    if not isinstance(place, str):
        message = f"{FILE}: `folder` of facts_export is {place!r}."
        raise BadInput(message, "Write the path of a folder.")
    return float(minutes), folder / place if place else None


def _database(folder: Path, named: object) -> Path | None:
    if not isinstance(named, str):
        message = f"{FILE}: `country_database` of intake is {named!r}."
        raise BadInput(message, "Write the path of a file.")
    return folder / named if named else None


def _provider(given: dict[str, object]) -> Provider:
    roles = given.pop("roles", {})
    if not isinstance(roles, dict) or not roles:
        message = f"{FILE}: nobody gets a role by [oidc.roles]."
        raise BadInput(message, 'Write a line a group: "onefold-admins" = "owner".')
    for group, role in roles.items():
        if role not in ROLES:
            message = f"{FILE}: `{group}` of [oidc.roles] gives {role!r}."
            raise BadInput(message, f"Use one of: {', '.join(ROLES)}.")
    texts: dict[str, str] = {}
    for name, value in given.items():
        if name not in _OIDC:
            message = f"{FILE}: no setting `{name}` of oidc.{did_you_mean(name, _OIDC)}"
            raise BadInput(message, f"Use {', '.join(_OIDC)}.")
        if not isinstance(value, str) or not value:
            raise BadInput(f"{FILE}: `{name}` of oidc is {value!r}.", "Write a text.")
        texts[name] = value
    for name in ("issuer", "client_id"):
        if name not in texts:
            raise BadInput(f"{FILE}: [oidc] says no `{name}`.", "Write it as the provider does.")
    return Provider(roles=dict(roles), **texts)


def _limits(given: dict[str, object]) -> Limits:
    numbers: dict[str, float] = {}
    for name, value in given.items():
        if name not in _INTAKE:
            known = (*_INTAKE, "country_database")
            message = f"{FILE}: no setting `{name}` of intake.{did_you_mean(name, known)}"
            raise BadInput(message, f"Use {', '.join(known)}.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
            message = f"{FILE}: `{name}` of intake is {value!r}."
            raise BadInput(message, "Write a number from 0 on.")
        numbers[name] = value
    usual = Limits()
    return Limits(
        events_per_second=numbers.get("events_per_second", usual.events_per_second),
        keep_free_bytes=int(numbers.get("keep_free_mb", usual.keep_free_bytes / 1e6) * 1_000_000),
        most_behind_seconds=numbers.get("most_behind_seconds", usual.most_behind_seconds),
    )
