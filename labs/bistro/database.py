"""The bistro's database: where it is, what it contains, and the pool of connections to it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

HERE = Path(__file__).parent
log = logging.getLogger("bistro")
CLOSE_TIMEOUT = 5.0
NAME = {"application_name": "bistro"}
DEADLINES = {"statement_timeout": "6s", "idle_in_transaction_session_timeout": "10s"}
SOURCE = "select source from pg_settings where name = 'statement_timeout'"
PREPARING = 1  # advisory lock: two programs may prepare the same database at the same time


def dsn() -> str:
    """The database address from BISTRO_DSN. Raises RuntimeError when it is not set."""
    if address := os.environ.get("BISTRO_DSN"):
        return address
    raise RuntimeError(
        "BISTRO_DSN is not set. Set it to the address of a PostgreSQL database, "
        "for example postgresql://user:password@127.0.0.1:5432/bistro."
    )


async def prepare(dsn: str) -> None:
    """Create the schema and the seed data in the database at `dsn`, in one transaction.

    Running it again changes nothing: existing rows keep their values, missing ones are added.
    """
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(f"select pg_advisory_xact_lock({PREPARING})")
            for script in ("schema.sql", "seed.sql"):
                await connection.execute((HERE / script).read_text(encoding="utf-8"))
    finally:
        await connection.close()


@asynccontextmanager
async def open_pool(dsn: str, size: int = 10) -> AsyncIterator[asyncpg.Pool]:
    """A pool of `size` connections, all opened on entry and closed at the end.

    The client gives up a query after 5 seconds. The server gives up after 6 seconds, in case the
    client's word does not arrive, and ends a transaction that has been idle for 10 seconds.

    Behind a transaction pooler such as PgBouncer, nothing of a session may be left on a server
    connection that another client has next. There no statement is kept prepared, and the server's
    deadlines are the role's (`alter role … set statement_timeout = '6s'`); a warning says so.

    Raises RuntimeError with an advice when nobody lets us in, and TimeoutError at the end when a
    connection has not come back after 5 seconds; all are closed even then.
    """
    try:
        pool = await connected(dsn, size)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise RuntimeError(
            "The bistro cannot connect to the database in BISTRO_DSN "
            f"({type(error).__name__}: {error}). {advice(error)}"
        ) from error
    try:
        yield pool
    finally:
        async with asyncio.timeout(
            CLOSE_TIMEOUT
        ):  # or it would wait for a lost connection for ever
            await pool.close()


async def connected(dsn: str, size: int) -> asyncpg.Pool:
    """A pool whose sessions have our deadlines; behind a pooler, one that leaves nothing behind."""
    pool = asyncpg.create_pool(dsn, server_settings=NAME | DEADLINES, **limits(size))
    try:
        await pool
        if await pool.fetchval(SOURCE) == "client":
            return pool
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if not from_a_pooler(error):
            raise
    pool.terminate()  # whoever took our settings and did not pass them on is a pooler
    log.warning(
        "A pooler stands before PostgreSQL: no statement is kept prepared, and statement_timeout "
        "is what the role has."
    )
    pool = asyncpg.create_pool(dsn, server_settings=NAME, statement_cache_size=0, **limits(size))
    return await pool


def limits(size: int) -> dict[str, Any]:
    return {"min_size": size, "max_size": size, "timeout": 10, "command_timeout": 5}


def from_a_pooler(error: Exception) -> bool:
    """It refuses a startup parameter, or another client's prepared statement is in our way."""
    strangers = asyncpg.DuplicatePreparedStatementError, asyncpg.InvalidSQLStatementNameError
    return "startup parameter" in str(error) or isinstance(error, strangers)


def advice(error: Exception) -> str:
    """What to do about it, in a sentence."""
    if isinstance(error, OSError):
        return "Start PostgreSQL, or correct the address."
    if "startup parameter" in str(error):
        return "PgBouncer refuses a setting: name it in its ignore_startup_parameters."
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return "Correct the user or the password in the address."
    if isinstance(error, asyncpg.PostgresError):
        return "Something answers there and refuses us; its words are in the brackets."
    return "Correct the address."
