"""The question of every lesson: sixty guests, 0.1 s each. Today all of them change the same row.

Each order locks the row of its dish, cooks for 0.1 s, and takes one portion. Every query is
awaited, and every guest has a connection: no pool makes anybody wait here.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

import asyncpg

from bench import Postgres, claim
from bistro.database import prepare

GUESTS, SECONDS = 60, 0.1
LOCK = "select portions_left from dishes where id = 1 for update"
TAKE = "update dishes set portions_left = portions_left - 1 where id = 1"


async def order(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as window, window.transaction():
        await window.fetchval(LOCK)
        await window.execute("select cook($1)", SECONDS)
        await window.execute(TAKE)


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with asyncpg.create_pool(pg.dsn, min_size=GUESTS, max_size=GUESTS) as pool:
            await pool.execute("update dishes set portions_left = 100 where id = 1")
            began = perf_counter()
            await asyncio.gather(*(order(pool) for _ in range(GUESTS)))
            seconds = perf_counter() - began
            left = await pool.fetchval("select portions_left from dishes where id = 1")
    print(f"last of {GUESTS} guests after {seconds:.2f} s; {100 - left} portions sold")
    claim(
        "sixty-on-one-row-one-by-one",
        "Sixty guests who lock the same row for 0.1 s need at least 6.0 s.",
        seconds >= 0.95 * GUESTS * SECONDS,
    )
    claim(
        "sixty-on-one-row-all-kept",
        "All sixty changes of the row are kept.",
        left == 100 - GUESTS,
    )


if __name__ == "__main__":
    asyncio.run(main())
