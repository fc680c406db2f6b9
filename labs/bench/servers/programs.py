"""PostgreSQL's own programs: one that runs to its end, and the server until it is stopped.

Needs the standard library alone, and all of it at once: see `bench.servers.supervisor`.
"""

from __future__ import annotations

import contextlib
import ctypes
import encodings.idna  # noqa: F401  `socket` would load it later, when we may not read it any more
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.servers.server_files import WINDOWS

START_SECONDS = 180  # a virus scanner can turn one second into a minute


class NotStarted(RuntimeError):
    """PostgreSQL ended during its start; the text is its log."""


class Server:
    """The server whose files are in `home`; `stop()` may come at any time."""

    def __init__(self, bindir: Path, home: Path) -> None:
        self.bindir, self.home, self.data = bindir, home, home / "data"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """Start and wait until connections are accepted. A port stolen meanwhile is replaced."""
        for _ in range(4):
            port = free_port()
            log = self.home / "log"
            log.unlink(missing_ok=True)
            if self.launch(port, log):
                return port
            self.stop()
            problem = log.read_text(errors="replace").strip()
            if "TCP/IP socket" not in problem:
                break
        raise NotStarted(problem[-1200:] or f"not ready after {START_SECONDS} s")

    def launch(self, port: int, log: Path) -> bool:
        """Whether one attempt to start has succeeded; `log` tells why not."""
        if WINDOWS:  # pg_ctl drops an administrator's rights, with which the server would refuse
            how = ["-D", self.data, "-l", log, "-o", f"-p {port}", "-w", "-t", START_SECONDS]
            try:
                run(self.bindir / "pg_ctl", "start", *how)
            except RuntimeError as problem:
                with open(log, "a", encoding="utf-8") as out:
                    out.write(f"\n{problem}\n")
                return False
            return True
        command: list[str | Path] = [self.bindir / "postgres", "-D", self.data, "-p", str(port)]
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=clean_environment(),
                preexec_fn=end_with_its_parent if sys.platform == "linux" else None,
            )
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            if self.ready():
                return True
            time.sleep(0.01)
        return False

    def ready(self) -> bool:
        """True when the server says so in the eighth line of its pid file."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        ours = self.process is not None and lines[:1] == [str(self.process.pid)]
        return ours and len(lines) > 7 and lines[7].strip() == "ready"

    def stop(self) -> None:
        """Stop at once: the data is thrown away. No process id from a file is ever trusted.

        The server is our own child, so its id cannot have passed on to another program. On Windows
        pg_ctl speaks to it through a named pipe which no other program has.
        """
        if WINDOWS:
            with contextlib.suppress(RuntimeError):
                run(self.bindir / "pg_ctl", "stop", "-D", self.data, "-m", "immediate", "-t", 30)
        elif self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def end_with_its_parent() -> None:
    """In the server, before it begins: Linux stops it when the process that started it is killed.

    Elsewhere it notices within two minutes that its files are gone, or at the next start.
    """
    of_parents_death = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None).prctl(of_parents_death, signal.SIGQUIT)


def free_port() -> int:
    """A port of 127.0.0.1 that is free now; nobody keeps it for us."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """Without the reader's PGHOST, PGDATA …; messages in English, which `Server.start` reads."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return ours | {"LC_ALL": "C"}


def run(*command: object) -> str:
    """Run a program and return what it printed; raise RuntimeError with that text if it fails."""
    # Into a file: a server started by pg_ctl keeps the output open, and a pipe would never end.
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=clean_environment(),
            check=False,
        )
        out.seek(0)
        text = out.read().decode(errors="replace").strip()
    if done.returncode:
        raise RuntimeError(f"{Path(str(command[0])).name} failed: {text[-1200:]}")
    return text
