"""A whole workspace in open formats, consistent at one offset; and a workspace from it again."""

import base64
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from hashlib import file_digest
from pathlib import Path
from typing import Any

import msgspec

from onefold import __version__
from onefold.collect import imports
from onefold.governance import keys, people
from onefold.model.errors import BadInput, Conflict, MachineFailed
from onefold.model.facts import VERSION
from onefold.model.ids import new_secret
from onefold.model.records import OWNER, Answer, Column, Progress
from onefold.model.time import Clock, format_time, now
from onefold.model.words import plural
from onefold.runtime.holding import waiting_in
from onefold.runtime.kept_away import keep_erased, later_erased
from onefold.runtime.rebuilding import checksum
from onefold.runtime.settings import FILE, with_planes
from onefold.runtime.workspace import Workspace
from onefold.store import Log, LogRow, NewRow, State, Vault, planes, tables

MANIFEST = "manifest.json"
FORMAT = 1
"""Grows when an older Onefold could not read an export."""
MAPPINGS = imports.FOLDER
_PASSWORD = re.compile(rb"://[^/\s:@]*:[^/\s@]+@")
_PLACE = re.compile(r"\s*(log|state|facts)\s*=")
_LOG_BYTES = 64_000_000
_ROWS_A_STATEMENT = 100
_SECRET_TABLES = frozenset({"web_sessions", "sign_in_links", "api_keys"})
_SECRET_COLUMNS = {"users": "password", "sources": "write_key"}
_KINDS = {str(int): "int64", str(str): "string", str(bytes): "binary"}


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an export holds.

    Attributes:
        format: Of the export.
        onefold: The version that wrote it.
        facts_version: Of the folds that made the facts; others may make other facts.
        name: Of the workspace.
        made_time: When, RFC 3339.
        offset: The last log offset in it; the facts are those of this offset.
        secrets: Whether keys and sign-ins are in it.
        held_without_keys: Events in its log that wait for a yes, sealed: their keys are never in
            it, so they come in as nobody's where it is restored. Absent in older exports.
        checksums: Table, rows and hash of the facts.
        files: Path -> its SHA-256 in hex.
    """

    format: int
    onefold: str
    facts_version: int
    name: str
    made_time: str
    offset: int
    secrets: bool
    held_without_keys: int = 0
    checksums: list[tuple[str, int, str]]
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of an export.

    Attributes:
        answer: The checksums, against those of the export.
        equal: Whether the facts have the checksums of the export.
        keys: Source -> its new write key, where the export held none.
        api_key: A new one, likewise; empty where the export held them.
        sign_in_path: Signs the first owner in once, likewise.
    """

    answer: Answer
    equal: bool
    keys: dict[str, str]
    api_key: str = ""
    sign_in_path: str = ""


def export(
    workspace: Workspace, folder: Path, *, with_secrets: bool = False, progress: Progress
) -> Answer:
    """Write the whole workspace into a folder, and return what stands in it.

    The log and the facts as Parquet, the state as JSON lines, definitions and settings as they
    are, a manifest with a hash of each file. The folds stand still meanwhile; intake goes on.

    Args:
        workspace: What to write.
        folder: New or empty.
        with_secrets: Take keys and sign-ins along.
        progress: Told how far it is.

    Raises:
        Conflict: There is something in the folder.
        MachineFailed: The folder cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is not empty.", "Name a new or an empty folder.")
    workspace.catch_up()
    try:
        with workspace.standing_still():
            manifest = _write_all(workspace, folder, with_secrets=with_secrets, progress=progress)
        text = msgspec.json.format(msgspec.json.encode(manifest))
        (folder / MANIFEST).write_bytes(text)
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror or error}."
        raise MachineFailed(message, "Make room, or name another folder.") from error
    return _told(manifest, folder)


def _write_all(
    workspace: Workspace, folder: Path, *, with_secrets: bool, progress: Progress
) -> Manifest:
    for part in ("log", "facts", "state"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    end = workspace.facts_offset
    _write_log(workspace, folder / "log", end, progress)
    progress("Writing the facts", end, end)
    workspace.folds.generation.facts.write_parquet(folder / "facts")
    _write_state(workspace.state, folder / "state", with_secrets=with_secrets)
    (folder / FILE).write_text(_movable((workspace.folder / FILE).read_text("utf-8")), "utf-8")
    for path in sorted(workspace.definitions.rglob("*.yaml")):
        place = folder / path.relative_to(workspace.folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    _write_mappings(workspace.folder, folder, with_secrets=with_secrets)
    return Manifest(
        format=FORMAT,
        onefold=__version__,
        facts_version=VERSION,
        name=workspace.settings.name,
        made_time=format_time(workspace.clock()),
        offset=end,
        secrets=with_secrets,
        held_without_keys=waiting_in(workspace.folds.generation.facts),
        checksums=[(str(t), int(rows), str(h)) for t, rows, h in checksum(workspace).rows],  # type: ignore[call-overload]
        files={path.relative_to(folder).as_posix(): _hash(path) for path in _files(folder)},
    )


def _write_mappings(workspace: Path, folder: Path, *, with_secrets: bool) -> None:
    """Take the mappings of imports along; without secrets none that holds a password."""
    for path in sorted((workspace / MAPPINGS).glob("*.y*ml")):
        if with_secrets or not _PASSWORD.search(path.read_bytes()):
            (folder / MAPPINGS).mkdir(exist_ok=True)
            shutil.copyfile(path, folder / MAPPINGS / path.name)


def _movable(settings: str) -> str:
    """Return settings without what binds them to a place: a URL may hold a password, too."""
    top, bracket, rest = settings.partition("\n[")
    kept = [line for line in top.splitlines() if not _PLACE.match(line)]
    return "\n".join(kept) + bracket + rest + ("" if bracket else "\n")


def _write_log(workspace: Workspace, folder: Path, end: int, progress: Progress) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(f.name, getattr(pa, _KINDS[str(f.type)])()) for f in fields(LogRow)])
    after, part = 0, 0
    while after < end:
        rows = [r for r in workspace.log.read(after, most_bytes=_LOG_BYTES) if r.offset <= end]
        if not rows:
            break
        columns = [[getattr(row, name) for row in rows] for name in schema.names]
        part += 1
        table = pa.table(columns, schema=schema)
        parquet.write_table(table, folder / f"{part:06d}.parquet", compression="zstd")
        after = rows[-1].offset
        progress("Writing the log", after, end)


def _write_state(state: State, folder: Path, *, with_secrets: bool) -> None:
    with state.read() as connection:
        for table in tables.metadata.sorted_tables:
            if table.name in _SECRET_TABLES and not with_secrets:
                continue
            rows = connection.execute(table.select()).mappings()
            with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as file:
                for row in rows:
                    said = {name: _plain(value) for name, value in row.items()}
                    if not with_secrets and table.name in _SECRET_COLUMNS:
                        said[_SECRET_COLUMNS[table.name]] = None
                    file.write(json.dumps(said, ensure_ascii=False) + "\n")


def _plain(value: object) -> object:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _told(manifest: Manifest, folder: Path) -> Answer:
    notes = [f"Written to {folder}, consistent at log offset {manifest.offset}."]
    notes.append(
        "Keys, passwords and sign-ins are in it: keep it as you keep the workspace."
        if manifest.secrets
        else "Keys, passwords and sign-ins are left out; `--with-secrets` takes them along."
    )
    notes.append(
        "The log holds events as they came, names and e-mails among them, and the identity key "
        "stands in state/settings.jsonl: whoever has the export can tell who is who."
    )
    if manifest.held_without_keys:
        notes.append(
            f"{_held(manifest)} in the log without the keys, which end and are in no export: where "
            "it is restored they come in as nobody's. They wait on here."
        )
    return Answer(
        columns=(Column("table", "text"), Column("rows", "integer"), Column("hash", "text")),
        rows=tuple(manifest.checksums),
        definition="Checksums of the facts in the export; `onefold restore` gives the same.",
        notes=tuple(notes),
    )


def restore(
    source: Path,
    folder: Path,
    *,
    log: str = "",
    state: str = "",
    erased: Path | None = None,
    progress: Progress,
    clock: Clock = now,
) -> Restored:
    """Make a workspace from an export, and return whether its facts are equal.

    Args:
        source: The folder of an export.
        folder: New or empty, or a workspace that holds no events: it is replaced.
        log: Where the log is to stand, `kafka://...` with a new topic; in the folder when empty.
        state: Where the state is to stand, `postgresql://...`, an empty database; likewise.
        erased: A later export of the same workspace: whoever was erased by then stays so.
        progress: Told how far it is.
        clock: Tells the time.

    Raises:
        BadInput: It is no whole export, or the later one is of another workspace; nothing was made.
        Conflict: There is something in the folder, the topic or the database.
    """
    manifest = _read_manifest(source)
    gone = later_erased(source, erased) if erased is not None else frozenset[int]()
    _make_room(folder)
    _prove_empty(log, state, folder, clock)
    (folder / "run").mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in ("events", "metrics", "experiments"):
        (folder / "definitions" / part).mkdir(parents=True, exist_ok=True)
    for name in manifest.files:
        if name.startswith(("definitions/", f"{MAPPINGS}/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, folder / name)
    with closing(planes.open_state(state, folder, clock)) as opened:
        keys = _read_state(opened, source / "state")
        api_key, link = ("", "") if manifest.secrets else _new_keys(opened, clock)
    with closing(planes.open_log(log, folder)) as opened_log:
        _read_log(opened_log, source, manifest, progress)
    Vault(folder / "vault.sqlite").close()
    # The settings come last: a folder without them is no workspace.
    text = (source / FILE).read_text("utf-8")
    (folder / FILE).write_text(with_planes(text, log=log, state=state), "utf-8")
    if log or state:
        (folder / FILE).chmod(0o600)
    workspace = Workspace(folder, clock)
    try:
        workspace.catch_up(progress)
        found = [tuple(row) for row in checksum(workspace).rows]
        if gone:
            keep_erased(workspace, gone)
    finally:
        workspace.close()
    answer = _compared(manifest, found, told=_of_the_erased(manifest, erased, len(gone)))
    return Restored(answer, found == manifest.checksums, keys, api_key, link)


def _of_the_erased(manifest: Manifest, erased: Path | None, keys: int) -> str:
    if erased is None:
        return (
            f"Who was erased after {manifest.made_time} is in it again: name a later export with "
            "`--erased`, or erase them anew."
        )
    return f"Who was erased by the later export was erased again: {keys:,} identifiers."


def _new_keys(state: State, clock: Clock) -> tuple[str, str]:
    """Return a new API key and a link that signs the first owner in."""
    moment = clock()
    key = keys.add_api_key(state, f"restored-{moment}", ("admin",), asker=OWNER, now=moment)
    owner = next((user.name for user in people.users(state) if user.role == "owner"), "")
    return key, people.sign_in_link(state, owner, asker=OWNER, now=moment) if owner else ""


def _compared(manifest: Manifest, found: list[tuple[Any, ...]], *, told: str) -> Answer:
    before = {table: (rows, hashed) for table, rows, hashed in manifest.checksums}
    rows = tuple(
        (table, count, hashed, before.get(table) == (count, hashed))
        for table, count, hashed in found
    )
    notes = [told]
    if manifest.held_without_keys:
        notes.append(f"{_held(manifest)} in it without their keys: they come in as nobody's.")
    if not manifest.secrets:
        notes.append("Users sign in by a link and choose a password anew.")
    if manifest.facts_version != VERSION:
        notes.append(f"Its facts were made by Onefold {manifest.onefold}, whose folds differ.")
    return Answer(
        columns=(
            Column("table", "text"),
            Column("rows", "integer"),
            Column("hash", "text"),
            Column("equal", "boolean"),
        ),
        rows=rows,
        definition="Checksums of the facts made anew from the log, against those of the export.",
        notes=tuple(notes),
    )


def _held(manifest: Manifest) -> str:
    return f"{plural(manifest.held_without_keys, 'event')} held for a yes stand sealed"


def _read_manifest(source: Path) -> Manifest:
    """Return the manifest of an export whose every file is as it says."""
    path = source / MANIFEST
    if not path.is_file():
        raise BadInput(f"{source} is no export: it has no {MANIFEST}.", "Name an export's folder.")
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise BadInput(f"{path} cannot be read: {error}.", "Export anew.") from error
    if manifest.format > FORMAT:
        message = f"The export is of format {manifest.format}; this Onefold reads {FORMAT}."
        raise BadInput(message, f"Take Onefold {manifest.onefold} or later.")
    for name, hashed in manifest.files.items():
        place = source / name
        if not place.resolve().is_relative_to(source.resolve()):
            raise BadInput(f"The manifest names {name!r}, outside the export.", "Export anew.")
        if not place.is_file() or _hash(place) != hashed:
            message = f"{name} is not what the manifest says."
            raise BadInput(message, "Copy the export again, or export anew.")
    missing = {FILE, "state/settings.jsonl"} - set(manifest.files)
    if missing:
        raise BadInput(f"The export lacks {min(missing)}.", "Export anew.")
    return manifest


def _make_room(folder: Path) -> None:
    """Take a workspace without events out of the way; refuse anything else."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / FILE).is_file():
        raise Conflict(f"{folder} is not empty.", "Name a new or an empty folder.")
    workspace = Workspace(folder)
    try:
        events = workspace.log.events()
    finally:
        workspace.close()
    if events:
        message = f"The workspace {folder} holds {plural(events, 'event')}."
        raise Conflict(message, "Name a new folder, or a workspace without events.")
    # The settings go first: what is left after a crash is no workspace, and says so.
    (folder / FILE).unlink()
    for pattern in ("log.sqlite*", "state.sqlite*", "vault.sqlite*"):
        for path in folder.glob(pattern):
            path.unlink()
    for part in ("facts", "definitions", "run"):
        shutil.rmtree(folder / part, ignore_errors=True)


def _prove_empty(log: str, state: str, folder: Path, clock: Clock) -> None:
    """Refuse a topic or a database that holds anything: offsets and rows must come as they were."""
    if log:
        with closing(planes.open_log(log, folder)) as opened:
            rows = opened.last_offset()
        if rows:
            raise Conflict(f"The topic holds {rows:,} rows already.", "Name a new topic.")
    if state:
        with closing(planes.open_state(state, folder, clock)) as database:
            held = database.rows(tables.settings.select())
        if held:
            message = "The state holds a workspace already."
            raise Conflict(message, "Name an empty database.")


def _read_state(state: State, folder: Path) -> dict[str, str]:
    """Bring rows into an empty state; return source -> the write key that was made for it."""
    keys: dict[str, str] = {}
    for table in tables.metadata.sorted_tables:
        path = folder / f"{table.name}.jsonl"
        if not path.is_file():
            continue
        known = set(table.columns.keys())
        rows = [
            {name: _value(value) for name, value in row.items() if name in known}
            for row in (json.loads(line) for line in path.read_text("utf-8").splitlines())
        ]
        for row in rows:
            if table.name == "sources" and row["write_key"] is None:
                row["write_key"] = keys[row["name"]] = new_secret("wk_")
        for start in range(0, len(rows), _ROWS_A_STATEMENT):
            state.touch(table.insert().values(rows[start : start + _ROWS_A_STATEMENT]))
    return keys


def _value(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, Mapping) else value


def _read_log(log: Log, source: Path, manifest: Manifest, progress: Progress) -> None:
    names = {field.name for field in fields(NewRow)}
    for name in sorted(name for name in manifest.files if name.startswith("log/")):
        for part in _log_rows(source / name):
            kept = [{k: v for k, v in row.items() if k in names} for row in part]
            offsets = log.append([NewRow(**row) for row in kept])
            if offsets[-1] != part[-1]["offset"]:
                message = f"{name} leaves offsets out: {part[-1]['offset']} came to stand "
                raise BadInput(f"{message}at {offsets[-1]}.", "Export anew.")
            progress("Reading the log", offsets[-1], manifest.offset)


def _log_rows(path: Path) -> Iterator[list[dict[str, Any]]]:
    from pyarrow import parquet

    for batch in parquet.ParquetFile(path).iter_batches(batch_size=1000):
        yield batch.to_pylist()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
