"""A task that holds a connection and asks the pool for a second one.

Five such tasks on a pool of five stop one another for ever. With four of them, one connection is
left over, and all four finish. (asyncpg's issue 5 says so since 2016.)
"""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Postgres, claim

SIZE = 5
WORKING = """
    select count(*) from pg_stat_activity
    where application_name = 'nested' and state = 'active'"""


async def finished(dsn: str, tasks: int, patience: float) -> tuple[int, int]:
    """How many of the tasks finish, and how many queries the database runs when none does."""
    everybody_has_one = asyncio.Barrier(tasks)

    async def order(pool: asyncpg.Pool) -> None:
        async with pool.acquire() as first:
            await first.execute("select 1")
            await everybody_has_one.wait()
            async with pool.acquire() as second:  # the mistake: `first` could do it
                await second.execute("select 2")

    settings = {"application_name": "nested"}
    async with (
        asyncpg.create_pool(dsn, min_size=SIZE, max_size=SIZE, server_settings=settings) as pool,
        asyncpg.create_pool(dsn, min_size=1, max_size=1) as desk,
    ):
        orders = [asyncio.create_task(order(pool)) for _ in range(tasks)]
        done, waiting = await asyncio.wait(orders, timeout=patience)
        working = await desk.fetchval(WORKING)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*orders, return_exceptions=True)
    return len(done), working


async def main() -> None:
    async with Postgres() as pg:
        four, _ = await finished(pg.dsn, 4, patience=30)
        five, working = await finished(pg.dsn, 5, patience=0.5)
    print(f"4 tasks that acquire twice, pool of 5: {four} finish")
    print(f"5 tasks that acquire twice, pool of 5: {five} finish; the database runs {working}")
    claim(
        "nested-acquire-stops-all",
        "Five tasks that each hold one of five connections and want a second: none finishes.",
        (five, working) == (0, 0),
    )
    claim(
        "one-spare-connection-is-enough",
        "Four such tasks on a pool of five: all finish.",
        four == 4,
    )


if __name__ == "__main__":
    asyncio.run(main())
