"""A MariaDB server of the tests' own: a data folder and a socket, and nothing on the network."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import pytest

from postgres import as_user

WAIT_SECONDS = 60


def found(*names: str) -> str:
    """Return a program of the server: on the path, or where Debian puts it."""
    for name in names:
        for place in (shutil.which(name), f"/usr/sbin/{name}"):
            if place and Path(place).exists():
                return place
    pytest.skip("MariaDB is not installed; `scripts/setup test` does")


@dataclass
class Mysql:
    """A running server that listens on a socket in its folder alone."""

    folder: Path
    server: subprocess.Popen[bytes] | None = None
    databases: int = 0

    @classmethod
    def start(cls) -> Self:
        """Make a data folder and run a server on it."""
        install, run = found("mariadb-install-db"), found("mariadbd", "mysqld")
        folder = Path(tempfile.mkdtemp(prefix="onefold-my-"))
        made = cls(folder)
        if made.user is not None:
            os.chown(folder, made.user.pw_uid, made.user.pw_gid)
        with made.said.open("wb") as out:
            subprocess.run(
                [
                    *as_user(made.user),
                    install,
                    "--no-defaults",
                    f"--datadir={made.data}",
                    f"--tmpdir={folder}",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ],
                check=True,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=WAIT_SECONDS,
            )
            made.server = subprocess.Popen(
                [
                    *as_user(made.user),
                    run,
                    "--no-defaults",
                    f"--datadir={made.data}",
                    f"--tmpdir={folder}",
                    f"--socket={made.socket}",
                    f"--pid-file={folder / 'pid'}",
                    "--skip-networking",
                    "--innodb-flush-log-at-trx-commit=0",
                ],
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        made.await_socket()
        return made

    @cached_property
    def user(self) -> pwd.struct_passwd | None:
        """Whom the server runs as: it refuses to be root."""
        if os.geteuid():
            return None
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        return names.get("mysql") or names["nobody"]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def socket(self) -> Path:
        return self.folder / "socket"

    @property
    def said(self) -> Path:
        return self.folder / "said"

    def await_socket(self) -> None:
        """Wait until the server answers."""
        until = time.monotonic() + WAIT_SECONDS
        while not self.socket.exists():
            assert self.server is not None
            assert self.server.poll() is None, self.said.read_text()
            assert time.monotonic() < until, self.said.read_text()
            # It says nothing when it is ready; a look costs little.
            self.server_wait()

    def server_wait(self) -> None:
        """Wait for a moment, or until the server has ended."""
        assert self.server is not None
        with suppress(subprocess.TimeoutExpired):
            self.server.wait(0.05)

    def new_database(self) -> tuple[str, str]:
        """Make an empty database; return its name and its URL."""
        import pymysql

        self.databases += 1
        name = f"onefold_{self.databases}"
        with pymysql.connect(unix_socket=str(self.socket), user="root") as line:
            line.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return name, f"mysql://root@localhost/{name}?unix_socket={self.socket}"

    def stop(self) -> None:
        """End it and remove what it leaves."""
        if self.server is not None:
            self.server.kill()
            self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
