"""What asyncpg, psycopg, its pool and databases say, each provoked once, with class and SQLSTATE.

The server is a private one: its file pg_hba.conf is written anew, so that one role is refused.
"""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from unittest import mock

import anyio
import asyncpg
import databases
import psycopg
import psycopg_pool

from bench import Postgres, claim, until

TABLE = """
    create table dishes (id int primary key, name text not null, printed timestamp);
    create table orders (dish int references dishes);
    create role waiter login password 'x'"""
MANY = """
import os
try:
    import resource
except ImportError:  # Windows, whose own limit is 8192
    pass
else:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, most))
try:
    while True:
        os.dup(1)
except OSError as error:
    print(error.strerror)
"""
PLACE = re.compile(r"(port |Errno |127\.0\.0\.1', )\d+")  # what is another one on each machine
connect_psycopg = psycopg.AsyncConnection.connect


async def message(call: Callable[..., Awaitable[object]], *args: object, **more: object) -> str:
    """Class, SQLSTATE and the first line of what a call raises."""
    try:
        await call(*args, **more)
    except Exception as error:
        name, state = type(error).__name__, getattr(error, "sqlstate", None)
        text = PLACE.sub(r"\g<1>…", str(error).splitlines()[0])
        return f"{name} {state or '-'} {text}"
    return "nothing -"


def show(family: str, said: dict[str, str]) -> None:
    print(f"-- {family}")
    for what, text in said.items():
        print(f"{what:18} {text}")


async def at_the_door(dsn: str, boss: asyncpg.Connection) -> dict[str, str]:
    said = {}
    elsewhere = dsn.rpartition("/")[0] + "/bistor"
    said["no database"] = await message(asyncpg.connect, elsewhere)
    said["… psycopg"] = await message(connect_psycopg, elsewhere)
    said["wrong password"] = await message(asyncpg.connect, dsn, password="no")
    said["no such role"] = await message(asyncpg.connect, dsn, user="nobody")
    said["SQLAlchemy's URL"] = await message(asyncpg.connect, dsn.replace(":", "+asyncpg:", 1))
    rule = "host all postgres 127.0.0.1/32 scram-sha-256"
    place = (await boss.fetchval("show hba_file")).replace("'", "''")
    await boss.execute(f"copy (select '{rule}') to '{place}'")
    await boss.execute("select pg_reload_conf()")

    async def waiter_is_refused() -> bool:
        said["no rule"] = await message(asyncpg.connect, dsn, user="waiter", password="x")
        return "pg_hba" in said["no rule"]

    await until(waiter_is_refused, what="the new rules")
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        address = f"postgresql://waiter@127.0.0.1:{port}/x?sslmode=disable"
        said["hangs up"] = await message(asyncpg.connect, address)
        said["… before TLS"] = await message(asyncpg.connect, address.partition("?")[0])
        said["… psycopg, too"] = await message(connect_psycopg, address)
    said["nobody there"] = await message(asyncpg.connect, address)
    said["no such host"] = await message(asyncpg.connect, "postgresql://waiter@db.invalid/x")
    said["… psycopg's"] = await message(connect_psycopg, "postgresql://waiter@db.invalid/x")
    return said


async def of_statements(boss: asyncpg.Connection) -> dict[str, str]:
    statements = {
        "no table": "select * from dihses",
        "no column": "select nmae from dishes",
        "twice": "insert into dishes values (1, 'soup'), (1, 'soup')",
        "null": "insert into dishes (id) values (2)",
        "no such dish": "insert into orders values (9)",
    }
    return {name: await message(boss.execute, sql) for name, sql in statements.items()}


async def of_arguments(boss: asyncpg.Connection, dsn: str) -> dict[str, str]:
    zoned = datetime(2026, 7, 1, tzinfo=UTC)
    said = {
        "one too many": await message(boss.fetch, "select $1::int", 1, 2),
        "two statements": await message(boss.fetch, "select 1; select $1::int", 1),
        "zoned, timestamp": await message(
            boss.execute, "insert into dishes values (3, 'pie', $1)", zoned
        ),
        "%s for asyncpg": await message(boss.fetch, "select %s", 1),
    }
    async with await connect_psycopg(dsn, autocommit=True) as window:
        said["$1 for psycopg"] = await message(window.execute, "select $1", [1])
        said["a dict"] = await message(window.execute, "select %s", [{}])
    return said


async def of_closed(boss: asyncpg.Connection, dsn: str) -> dict[str, str]:
    """What is said on a connection that the server has ended, and by pools that are not open."""
    end, said = "select pg_terminate_backend($1)", {}
    asked = "select exists (select from pg_stat_activity where pid = $1 and state = 'active')"
    window = await asyncpg.connect(dsn)
    statement = await window.prepare("select 1")
    query = asyncio.create_task(message(window.execute, "select pg_sleep(60)"))
    pid = window.get_server_pid()
    await until(lambda: boss.fetchval(asked, pid), what="the query")
    await boss.execute(end, pid)  # asyncpg's
    said["during a query"] = await query
    said["the next query"] = await message(window.execute, "select 1")

    async def fetch() -> object:
        return await statement.fetch()

    said["… prepared"] = await message(fetch)
    other = await connect_psycopg(dsn, autocommit=True)
    query = asyncio.create_task(message(other.execute, "select pg_sleep(60)"))
    pid = other.info.backend_pid
    await until(lambda: boss.fetchval(asked, pid), what="psycopg's query")
    await boss.execute(end, pid)
    said["psycopg's query"] = await query
    said["… the next query"] = await message(other.execute, "select 1")
    pool = asyncpg.create_pool(dsn, min_size=1, max_size=1)

    async def early() -> object:
        return await pool.fetchval("select 1")

    said["pool, not awaited"] = await message(early)
    await pool
    await pool.close()
    said["pool, closed"] = await message(early)
    return said


async def of_psycopgs_pool(dsn: str) -> dict[str, str]:
    said = {}
    pool = psycopg_pool.AsyncConnectionPool(
        dsn, open=False, min_size=1, max_size=1, timeout=0.1, max_waiting=1, name="bar"
    )
    said["not opened"] = await message(pool.getconn)
    async with pool, pool.connection():
        said["nobody gives back"] = await message(pool.getconn)
        first = asyncio.create_task(pool.getconn(timeout=60))
        await until(lambda: pool.get_stats().get("requests_waiting") == 1, what="one in the queue")
        said["the queue is full"] = await message(pool.getconn)
        first.cancel()
        await asyncio.wait([first])
    said["closed"] = await message(pool.getconn)
    return said


async def on_windows(dsn: str) -> str:
    """psycopg's check of the loop, told that this is Windows and this loop is its usual one."""
    loop = type(asyncio.get_running_loop())
    with (
        mock.patch.object(sys, "platform", "win32"),
        mock.patch.object(asyncio, "ProactorEventLoop", loop, create=True),
    ):
        return await message(connect_psycopg, dsn)


async def cancelled_twice(dsn: str) -> str:
    """What psycopg logs when AnyIO cancels its query, and cancels the tidying up as well."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logging.getLogger("psycopg").addHandler(handler)
    window = await connect_psycopg(dsn, autocommit=True)
    with anyio.move_on_after(0.1):
        await window.execute("select pg_sleep(60)")
    logging.getLogger("psycopg").removeHandler(handler)
    return next((line for line in lines if "interrupted" in line), "nothing")


def out_of_files() -> str:
    """What a process hears when it has opened as many files and sockets as it may."""
    done = subprocess.run([sys.executable, "-I", "-c", MANY], capture_output=True, text=True)
    return done.stdout.strip()


async def main() -> None:
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    async with Postgres(embedded=True) as pg:
        boss = await asyncpg.connect(pg.dsn)
        await boss.execute(TABLE)
        statements = await of_statements(boss)
        arguments = await of_arguments(boss, pg.dsn)
        closed = await of_closed(boss, pg.dsn)
        pool = await of_psycopgs_pool(pg.dsn)
        twice = await cancelled_twice(pg.dsn)
        windows = await on_windows(pg.dsn)
        database = databases.Database(pg.dsn)
        backend = await message(database.fetch_all, "select 1")
        door = await at_the_door(pg.dsn, boss)
        await boss.close()
    show("connecting", door)
    show("statements", statements)
    show("arguments", arguments)
    show("closed", closed)
    show("psycopg_pool", pool)
    files = await asyncio.to_thread(out_of_files)
    rest = {"databases": backend, "psycopg, Windows": windows, "psycopg, AnyIO": twice}
    show("others", rest | {"64 files": files})
    claim(
        "refused-at-the-door",
        "Who may not connect: 28P01 password or role, 28000 pg_hba.conf, 3D000 database.",
        [
            door[what].split()[1]
            for what in ("wrong password", "no such role", "no rule", "no database")
        ]
        == ["28P01", "28P01", "28000", "3D000"]
        and "no pg_hba.conf entry for host" in door["no rule"],
    )
    claim(
        "an-address-with-nobody-behind",
        "Nobody listens: refused. Somebody hangs up: server closed. SQLAlchemy's: invalid DSN.",
        door["nobody there"].startswith("ConnectionRefusedError")
        and "server closed the connection unexpectedly" in door["… psycopg, too"]
        and "invalid DSN: scheme is expected to be" in door["SQLAlchemy's URL"],
    )
    claim(
        "a-host-without-an-address",
        "A host that nobody knows: gaierror from asyncpg, failed to resolve host from psycopg.",
        door["no such host"].startswith("gaierror ")
        and "failed to resolve host 'db.invalid'" in door["… psycopg's"],
    )
    claim(
        "a-statement-that-does-not-fit-the-tables",
        "42P01 no table, 42703 no column, 23505 twice, 23502 null, 23503 no such row.",
        [text.split()[1] for text in statements.values()]
        == ["42P01", "42703", "23505", "23502", "23503"],
    )
    claim(
        "arguments-that-do-not-fit",
        "asyncpg counts arguments, takes one statement, refuses a zone for a timestamp and %s.",
        "the server expects 1 argument for this query, 2 were passed" in arguments["one too many"]
        and "cannot insert multiple commands" in arguments["two statements"]
        and "offset-naive and offset-aware" in arguments["zoned, timestamp"]
        and arguments["%s for asyncpg"].split()[1] == "42601",
    )
    claim(
        "psycopg-counts-its-own-placeholders",
        "psycopg knows no $1: the query has 0 placeholders. It adapts no dict.",
        "the query has 0 placeholders but 1 parameters" in arguments["$1 for psycopg"]
        and "cannot adapt type 'dict'" in arguments["a dict"],
    )
    claim(
        "a-connection-that-has-ended",
        "Ended in a query: closed in the middle of operation. After it: connection is closed.",
        "connection was closed in the middle of operation" in closed["during a query"]
        and closed["the next query"].endswith(" connection is closed")
        and closed["… prepared"].endswith("the underlying connection is closed"),
    )
    claim(
        "psycopg-tells-why-it-was-ended",
        "psycopg tells that an administrator ended its query, 57P01; then: connection is closed.",
        closed["psycopg's query"].split()[1] == "57P01"
        and closed["… the next query"].endswith("the connection is closed"),
    )
    claim(
        "a-pool-that-is-not-open",
        "asyncpg: pool is not initialized, pool is closed. psycopg_pool: not open, closed.",
        [closed["pool, not awaited"][-23:], closed["pool, closed"][-14:]]
        == ["pool is not initialized", "pool is closed"]
        and "is not open yet" in pool["not opened"]
        and "is already closed" in pool["closed"],
    )
    claim(
        "psycopgs-pool-gives-up",
        "psycopg_pool: PoolTimeout after its timeout; TooManyRequests when max_waiting wait.",
        pool["nobody gives back"] == "PoolTimeout - couldn't get a connection after 0.10 sec"
        and pool["the queue is full"].startswith("TooManyRequests"),
    )
    claim(
        "psycopg-refuses-the-proactor",
        "psycopg on Windows refuses the ProactorEventLoop before it connects.",
        "cannot use the 'ProactorEventLoop'" in windows,
    )
    claim(
        "anyio-interrupts-the-tidying",
        "AnyIO cancels a query of psycopg, and its tidying up: query cancellation interrupted.",
        "query cancellation interrupted" in twice,
    )
    claim(
        "a-process-may-open-so-many-files",
        "A process that has as many files and sockets open as it may: Too many open files.",
        files == "Too many open files",
    )
    claim(
        "databases-was-not-connected",
        "databases without connect(): DatabaseBackend is not running.",
        backend == "AssertionError - DatabaseBackend is not running",
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())
