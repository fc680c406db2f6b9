"""The bistro's database: where it is, what it contains, and the pool of connections to it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

HERE = Path(__file__).parent
CLOSE_TIMEOUT = 5.0
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
    Raises RuntimeError when no PostgreSQL lets us in, and TimeoutError at the end when a
    connection has not come back after 5 seconds; all are closed even then.
    """
    pool = asyncpg.create_pool(
        dsn,
        min_size=size,
        max_size=size,
        timeout=10,
        command_timeout=5,
        server_settings={
            "application_name": "bistro",
            "statement_timeout": "6s",
            "idle_in_transaction_session_timeout": "10s",
        },
    )
    try:
        await pool
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise RuntimeError(
            "The bistro cannot connect to the database in BISTRO_DSN "
            f"({type(error).__name__}: {error}). Start PostgreSQL, or correct the address."
        ) from error
    try:
        yield pool
    finally:
        async with asyncio.timeout(
            CLOSE_TIMEOUT
        ):  # or it would wait for a lost connection for ever
            await pool.close()
