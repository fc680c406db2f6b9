"""A connection for each query, or a pool: how many server processes are started, and the time.

Each connection is a process of the server. The counts are the same on every machine; the times
are those of one run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

import asyncpg
import psutil

from bench import Postgres, claim

QUERIES, SIZE = 40, 4
PID = "select pg_backend_pid()"


async def ask_alone(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(PID)
    finally:
        await connection.close()


async def timed(ask: Callable[[], Awaitable[int]]) -> tuple[int, float]:
    """How many server processes answered, and milliseconds per query."""
    began = perf_counter()
    processes = {await ask() for _ in range(QUERIES)}
    return len(processes), (perf_counter() - began) / QUERIES * 1000


async def main() -> None:
    async with Postgres(embedded=True) as pg:
        alone, alone_ms = await timed(lambda: ask_alone(pg.dsn))
        async with asyncpg.create_pool(pg.dsn, min_size=SIZE, max_size=SIZE) as pool:
            pooled, pooled_ms = await timed(lambda: pool.fetchval(PID))
            async with pool.acquire() as connection:
                _, held_ms = await timed(lambda: connection.fetchval(PID))
            held = [await pool.acquire() for _ in range(SIZE)]
            pids = {await connection.fetchval(PID) for connection in held}
            alive = [psutil.Process(pid).is_running() for pid in pids]
            for connection in held:
                await pool.release(connection)
    print(f"{QUERIES} queries            processes   ms each")
    print(f"a connection for each   {alone:9}   {alone_ms:7.2f}")
    print(f"a pool of {SIZE}             {pooled:9}   {pooled_ms:7.2f}")
    print(f"one connection, held    {1:9}   {held_ms:7.2f}")
    claim(
        "connection-per-query-is-a-process-each",
        "Forty queries with a connection each start 40 server processes; the pool needs at most 4.",
        alone == QUERIES and pooled <= SIZE,
    )
    claim(
        "every-connection-is-a-process",
        "Four connections are four processes of the operating system.",
        len(pids) == SIZE and all(alive),
    )


if __name__ == "__main__":
    asyncio.run(main())
