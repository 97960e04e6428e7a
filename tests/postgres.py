"""A PostgreSQL server of the tests' own: a cluster in a folder, owned by a user without rights."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import psycopg
import pytest


def found(name: str) -> str:
    """Return a program of the server: on the path, or where Debian puts it."""
    places = [shutil.which(name), *Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    program = next((place for place in places if place), None)
    if program is None:
        pytest.skip("PostgreSQL is not installed; `scripts/setup test` does")
    return str(Path(program).resolve())


def as_user(user: pwd.struct_passwd | None) -> list[str]:
    """Return what goes before a command that another user is to run; nothing for this one.

    Python would fork for it, which a process that has mapped more than there is memory may not.
    """
    if user is None:
        return []
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@dataclass
class Postgres:
    """A running server that listens on a socket in its folder alone."""

    folder: Path
    databases: int = 0

    @classmethod
    def start(cls) -> Self:
        """Make a cluster and run it."""
        folder = Path(tempfile.mkdtemp(prefix="onefold-pg-"))
        made = cls(folder)
        if made.user is not None:
            os.chown(folder, made.user.pw_uid, made.user.pw_gid)
        made.run("initdb", "-D", str(made.data), "-U", "postgres", "-A", "trust", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        said = str(folder / "said")
        made.run("pg_ctl", "-D", str(made.data), "-w", "-l", said, "-o", options, "start")
        return made

    @cached_property
    def user(self) -> pwd.struct_passwd | None:
        """Whom the server runs as: it refuses to be root."""
        if os.geteuid():
            return None
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        return names.get("postgres") or names["nobody"]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(self, program: str, *arguments: str) -> None:
        """Run a program of the server as its user."""
        told = self.folder / f"{program}.out"
        # A file and no pipe: the server goes on writing to it after its starter has ended.
        with told.open("wb") as out:
            done = subprocess.run(
                [*as_user(self.user), found(program), *arguments],
                check=False,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=60,
            )
        assert done.returncode == 0, told.read_text()

    def url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self.folder}&user=postgres"

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        self.databases += 1
        name = f"onefold_{self.databases}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as line:
            line.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def halt(self, how: str = "immediate") -> None:
        """End the server; its cluster stays."""
        self.run("pg_ctl", "-D", str(self.data), "-m", how, "-w", "stop")

    def resume(self) -> None:
        """Start it again over the same cluster."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        said = str(self.folder / "said")
        self.run("pg_ctl", "-D", str(self.data), "-w", "-l", said, "-o", options, "start")

    def stop(self) -> None:
        """End it and remove what it leaves."""
        if (self.data / "postmaster.pid").exists():
            self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)
