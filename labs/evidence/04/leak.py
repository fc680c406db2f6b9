"""A connection that nobody gives back: an error on the way, or a forgotten release.

First the pattern "connect, query, close": when the query raises, the close is never reached. Then a
pool of two from which two connections are taken and forgotten.
"""

from __future__ import annotations

import asyncio
import contextlib

import asyncpg

from bench import Postgres, claim, until

MINE = "select count(*) from pg_stat_activity where application_name = $1"
BAD = "select 1 / 0"


async def careless(dsn: str, kept: list[asyncpg.Connection]) -> None:
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "careless"})
    kept.append(connection)  # something in a real program refers to it: a traceback, a log
    await connection.execute(BAD)
    await connection.close()  # not reached


async def careful(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "careful"})
    try:
        await connection.execute(BAD)
    finally:
        await connection.close()


async def left_over(dsn: str) -> tuple[int, int]:
    """Connections that are still open after five failing queries: careless, careful."""
    boss, kept = await asyncpg.connect(dsn), []
    for work in (lambda: careless(dsn, kept), lambda: careful(dsn)):
        for _ in range(5):
            with contextlib.suppress(asyncpg.DivisionByZeroError):
                await work()

    async def careful_ones_are_gone() -> bool:  # the server notices a little later
        return await boss.fetchval(MINE, "careful") == 0

    await until(careful_ones_are_gone)
    counts = await boss.fetchval(MINE, "careless"), await boss.fetchval(MINE, "careful")
    for connection in [*kept, boss]:
        await connection.close()
    return counts


async def forgotten(dsn: str) -> tuple[bool, bool]:
    """Whether a third guest and the close of the pool come to an end when two never give back."""
    pool = await asyncpg.create_pool(dsn, min_size=2, max_size=2)
    lost = [await pool.acquire() for _ in range(2)]
    third = asyncio.create_task(pool.fetchval("select 1"))
    await asyncio.wait([third], timeout=0.3)
    served = third.done()
    third.cancel()
    closing = asyncio.create_task(pool.close())
    await asyncio.wait([closing], timeout=0.3)
    closed = closing.done()
    for connection in lost:
        await pool.release(connection)
    await closing
    return served, closed


async def main() -> None:
    async with Postgres() as pg:
        careless_ones, careful_ones = await left_over(pg.dsn)
        served, closed = await forgotten(pg.dsn)
    print(f"five failing queries: {careless_ones} connections left, with finally {careful_ones}")
    print(f"two forgotten of two: third guest served {served}, pool closed {closed}")
    claim(
        "an-error-leaks-the-connection",
        "Five failing queries leave five connections open; with finally they leave none.",
        (careless_ones, careful_ones) == (5, 0),
    )
    claim(
        "forgotten-release-stops-the-pool",
        "Two forgotten connections of two: nobody is served, and the pool does not close.",
        (served, closed) == (False, False),
    )


if __name__ == "__main__":
    asyncio.run(main())
