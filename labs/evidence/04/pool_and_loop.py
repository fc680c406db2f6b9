"""A pool belongs to the event loop that opened it: open it in the lifespan, not at import.

Each `asyncio.run` makes a loop of its own. A pool opened in the first is used in the second, as it
happens to a pool that is made at import, or by the first of two tests.
"""

from __future__ import annotations

import asyncio
import contextlib

import asyncpg

from bench import Postgres, claim
from bistro.database import open_pool


async def opened(dsn: str) -> asyncpg.Pool:
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=1)
    await pool.fetchval("select 1")
    return pool


async def answer_of(pool: asyncpg.Pool) -> str:
    try:
        return f"the answer {await pool.fetchval('select 1')}"
    except (RuntimeError, asyncpg.InterfaceError) as error:
        return f"{type(error).__name__}: {error}"


async def opened_here(dsn: str) -> str:
    """As a lifespan does it: the loop that serves opens the pool, and closes it at the end."""
    async with open_pool(dsn, size=1) as pool:
        return await answer_of(pool)


def main() -> None:
    pg = asyncio.run(Postgres().start())
    try:
        pool = asyncio.run(opened(pg.dsn))
        elsewhere = asyncio.run(answer_of(pool))
        with contextlib.suppress(RuntimeError):  # its loop is closed, and so is its way to say so
            pool.terminate()
        here = asyncio.run(opened_here(pg.dsn))
    finally:
        asyncio.run(pg.stop())
    print(f"a pool of another loop: {elsewhere}")
    print(f"a pool of this loop:    {here}")
    claim(
        "pool-belongs-to-its-loop",
        "A pool of another event loop gives an error and no answer.",
        not elsewhere.startswith("the answer"),
    )
    claim(
        "pool-of-this-loop-answers",
        "A pool that the running loop opened, as in a lifespan, answers.",
        here == "the answer 1",
    )


if __name__ == "__main__":
    main()
