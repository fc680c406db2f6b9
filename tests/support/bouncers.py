"""A private PgBouncer in transaction mode, for tests that ask through one.

PgBouncer 1.21 and newer can follow prepared statements; here that is switched off, so that the
tests say the same with every version.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from bench import until


def program() -> str:
    """Where PgBouncer is. Fails with advice when it is not installed."""
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    assert found, "PgBouncer is not installed: apt-get install pgbouncer (macOS: brew)."
    return found


def version() -> tuple[int, int]:
    said = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"PgBouncer (\d+)\.(\d+)", said.stdout)
    assert found, f"PgBouncer did not say its version: {said.stdout!r}"
    return int(found[1]), int(found[2])


def settings(dsn: str, port: int, size: int, more: str) -> str:
    server = urlsplit(dsn)
    return f"""
        [databases]
        kitchen = host={server.hostname} port={server.port} dbname={server.path[1:]} \
user={server.username} password={server.password} pool_size={size}
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = any
        pool_mode = transaction
        {"max_prepared_statements = 0" if version() >= (1, 21) else ""}
        {more}
    """.replace("        ", "")


@contextmanager
def running(dsn: str, size: int, more: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """A PgBouncer with `size` server connections; yields its address, and why it ended."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        Path(folder).chmod(0o755)
        config = Path(folder) / "pgbouncer.ini"
        config.write_text(settings(dsn, port, size, more), encoding="utf-8")
        someone = {"user": "nobody"} if os.geteuid() == 0 else {}  # it refuses to run as root
        process = subprocess.Popen([program(), config], stdout=log, stderr=log, **someone)

        def end() -> str:
            return "" if process.poll() is None else Path(log.name).read_text()[-800:]

        try:
            yield f"postgresql://guest@127.0.0.1:{port}/kitchen", end
        finally:
            process.terminate()
            process.wait()


@asynccontextmanager
async def bouncer(dsn: str, size: int, more: str = "") -> AsyncIterator[str]:
    """The address of a PgBouncer that answers; `more` are further lines of its configuration."""
    with running(dsn, size, more) as (address, end):

        async def answers() -> bool:
            assert not end(), f"PgBouncer ended: {end()}"
            try:
                await (await asyncpg.connect(address, statement_cache_size=0)).close()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                return False
            return True

        await until(answers, what="PgBouncer to answer")
        yield address
