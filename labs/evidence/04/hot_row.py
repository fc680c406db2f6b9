"""Three kinds of queries, pools of 1 to 16: they wait, they compute, they update one row.

The rates belong to this machine and this run: nothing is claimed of them. What is claimed is where
the guests stand when eight of them update the same row: one works, seven wait for its lock.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

import asyncpg

from bench import Gate, Postgres, claim, until
from bistro.database import prepare

SIZES = 1, 2, 4, 8, 16
QUERIES = {
    "wait 10 ms": "select pg_sleep(0.01)",
    "compute": "select sum(sqrt(i)) from generate_series(1, 20000) as i",
    "update one row": "update dishes set portions_left = portions_left + 1 where id = 1",
}
SOLD = "update dishes set portions_left = portions_left + 1 where id = 2 returning cook(0)"
FOR_THE_ROW = """
    select count(*) from pg_stat_activity
    where wait_event_type = 'Lock' and wait_event in ('transactionid', 'tuple')
      and datname = current_database()"""
HELD = 8


async def rate(dsn: str, size: int, query: str) -> float:
    """Queries per second with all connections of the pool busy, for a fifth of a second."""

    async def guest() -> None:
        nonlocal done
        while perf_counter() - began < 0.2:
            await pool.execute(query)
            done += 1

    done = 0
    async with asyncpg.create_pool(dsn, min_size=size, max_size=size) as pool:
        began = perf_counter()
        await asyncio.gather(*(guest() for _ in range(size)))
        return done / (perf_counter() - began)


async def at_the_row(dsn: str) -> tuple[int, int, int]:
    """Who works and who waits for the row when eight update it, and how many updates are kept."""
    async with (
        asyncpg.create_pool(dsn, min_size=HELD, max_size=HELD) as pool,
        asyncpg.create_pool(dsn, min_size=1, max_size=1) as desk,
    ):
        before = await desk.fetchval("select portions_left from dishes where id = 2")
        async with Gate(dsn) as gate, asyncio.TaskGroup() as group:
            for _ in range(HELD):
                group.create_task(pool.execute(SOLD))

            async def everybody_waits() -> bool:
                return await desk.fetchval(FOR_THE_ROW) >= HELD - 1

            await until(everybody_waits)
            for_row, working = await desk.fetchval(FOR_THE_ROW), await gate.waiting()
            await gate.open()
        after = await desk.fetchval("select portions_left from dishes where id = 2")
    return working, for_row, after - before


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        rows = {
            name: [await rate(pg.dsn, size, query) for size in SIZES]
            for name, query in QUERIES.items()
        }
        working, for_row, kept = await at_the_row(pg.dsn)
    print("queries per second, pool of " + "".join(f"{size:7}" for size in SIZES))
    for name, rates in rows.items():
        print(f"{name:28}" + "".join(f"{one:7.0f}" for one in rates))
    print(f"pool of {HELD}, one row: {working} works, {for_row} wait, {kept} updates are kept")
    claim(
        "one-row-one-at-a-time",
        "Eight connections update one row: one is at work, seven wait for its lock.",
        (working, for_row) == (1, HELD - 1),
    )
    claim(
        "no-update-is-lost-by-waiting",
        "All eight updates of the row are kept.",
        kept == HELD,
    )


if __name__ == "__main__":
    asyncio.run(main())
