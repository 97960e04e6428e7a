"""What a document shows: its fenced blocks, run in order as a reader would.

- a block with a title is a file of that name;
- `python` runs here, `console` lines that begin with `$ ` run in one shell of the document;
- a `text` block after a `python` one, and the lines after a command, are what they print
  (`...` stands for anything);
- everything else (`sh`, `js`, ...) is only read.
"""

import contextlib
import doctest
import io
import os
import re
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
LIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PATIENCE = 120.0


@dataclass
class Block:
    """One fenced block: its language, its title, its text, the line it begins on."""

    language: str
    title: str
    text: str
    line: int


def blocks(document: Path) -> list[Block]:
    """Return the fenced blocks of a document."""
    text = document.read_text()
    found = []
    for match in FENCE.finditer(text):
        title = TITLE.search(match[2])
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match[1], title[1] if title else "", match[3], line))
    return found


def like(shown: str, printed: str) -> bool:
    """Return whether what was printed is what is shown."""
    # What stands for anything stands for the spaces around it too.
    loose = re.sub(r"[ \t]*\.\.\.[ \t]*", "...", shown)
    return doctest.OutputChecker().check_output(loose, printed, LIKE)


@dataclass
class Shell:
    """One shell for a document, in a folder of its own; servers in it end with it."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] = field(init=False)
    heard: io.BufferedWriter = field(init=False)

    def __post_init__(self) -> None:
        self.heard = (self.folder / ".said").open("wb")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.heard,
            cwd=self.folder,
            env={**os.environ, "PATH": path},
        )

    def ported(self, text: str) -> str:
        """Return a text with the port that documents name replaced by a free one."""
        return text.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")

    def run(self, command: str) -> tuple[int, str]:
        """Return exit code and output of a command."""
        command = self.ported(command)
        if command.startswith("onefold serve") and command.endswith("&"):
            command = f'{command[:-1]} --port {self.port} >/dev/null & SERVERS+=" $!"'
            command += f"; {self._until_ready()}"
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\necho; echo ::end $?\n".encode())
        self.process.stdin.flush()
        return self._read()

    def _until_ready(self) -> str:
        code = (
            "import httpx, threading\n"
            f"for _ in range(600):\n"
            "    try:\n"
            f"        if httpx.get('http://127.0.0.1:{self.port}/health/ready').is_success: break\n"
            "    except httpx.TransportError: pass\n"
            "    threading.Event().wait(0.1)\n"
        )
        return f'python -c "{code}"'

    def _read(self) -> tuple[int, str]:
        assert self.process.stdout is not None
        said = b""
        until = time.monotonic() + PATIENCE
        while not (ended := re.search(rb"\n::end (\d+)\n", said)):
            assert time.monotonic() < until, f"no answer:\n{said.decode()}"
            if select.select([self.process.stdout], [], [], 1)[0]:
                piece = os.read(self.process.stdout.fileno(), 65536)
                assert piece, f"the shell ended:\n{said.decode()}"
                said += piece
        return int(ended[1]), said[: ended.start()].decode().rstrip("\n") + "\n"

    def said(self) -> str:
        """Return what went to stderr so far."""
        return (self.folder / ".said").read_text()

    def close(self) -> None:
        """End the servers, then the shell."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(b'[ -z "$SERVERS" ] || { kill $SERVERS; wait $SERVERS; }\n')
            self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        self.heard.close()


def run_document(document: Path, shell: Shell) -> list[str]:
    """Run what a document shows; return what is not as shown, one text each."""
    wrong: list[str] = []
    names: dict[str, object] = {"__name__": "document"}
    printed: str | None = None
    with contextlib.chdir(shell.folder):
        for block in blocks(document):
            place = f"{document.name}:{block.line}"
            if block.title:
                target = shell.folder / block.title
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(shell.ported(block.text))
            elif block.language == "python":
                heard = io.StringIO()
                with contextlib.redirect_stdout(heard):
                    exec(compile(shell.ported(block.text), place, "exec"), names)
                printed = heard.getvalue()
                continue
            elif block.language == "text" and printed is not None:
                if not like(block.text, printed):
                    wrong.append(f"{place} printed:\n{printed}")
            elif block.language == "console":
                wrong += run_console(block, place, shell)
            printed = None
    return wrong


def run_console(block: Block, place: str, shell: Shell) -> list[str]:
    """Run the commands of a block; return those that did not answer as shown."""
    wrong = []
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        while command.endswith("\\"):
            more, _, shown = shown.partition("\n")
            command = f"{command[:-1]} {more.strip()}"
        code, printed = shell.run(command)
        if code:
            wrong.append(f"{place} `{command}` left with {code}:\n{printed}\n{shell.said()}")
        elif shown.strip() and not like(shown, printed):
            wrong.append(f"{place} `{command}` printed:\n{printed}")
    return wrong
