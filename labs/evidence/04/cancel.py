"""What a cancelled query costs: asyncpg opens one more connection for each, to say "stop".

PostgreSQL takes a cancel request on a connection of its own. A proxy counts the connections.
Afterwards the pool is as healthy as before, also after a storm of two hundred.
"""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Postgres, RoundTrips, claim, until

TIMEOUTS, STORM, SIZE = 5, 200, 3
RUNNING = """
    select count(*) from pg_stat_activity
    where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()"""
ASLEEP = f"{RUNNING} and wait_event = 'PgSleep'"  # a cancel that comes while it is parsed is lost


async def connections_for_timeouts(dsn: str) -> tuple[int, int]:
    """How many of the queries time out, and how many connections that opens.

    Each deadline is long at first and passes when its query runs: on a slow machine a short one
    could pass while asyncpg still waits for the cancel before, and then it would send none.
    """
    timed_out, desk = 0, await asyncpg.connect(dsn)

    async def asleep(number: int) -> bool:
        return await desk.fetchval(ASLEEP) == number

    async with RoundTrips(dsn) as net:
        connection = await asyncpg.connect(net.dsn)
        net.reset()
        for _ in range(TIMEOUTS):
            try:
                async with asyncio.timeout(60) as limit:
                    query = asyncio.create_task(connection.fetchval("select pg_sleep(60)"))
                    await until(lambda: asleep(1), what="the query to run")
                    limit.reschedule(0)
                    await query
            except TimeoutError:
                timed_out += 1
            await until(lambda: asleep(0), what="the query to end")
        await connection.fetchval("select 1")  # waits for the last cancel request
        opened = net.connections
        await connection.close()
    await desk.close()
    return timed_out, opened


async def after_a_storm(dsn: str) -> tuple[int, int, int]:
    """Size, idle connections and running queries when 200 tasks were cancelled at any moment."""
    async with (
        asyncpg.create_pool(dsn, min_size=SIZE, max_size=SIZE) as pool,
        asyncpg.create_pool(dsn, min_size=1, max_size=1) as desk,
    ):
        tasks = [asyncio.create_task(pool.fetchval("select pg_sleep(60)")) for _ in range(STORM)]
        for task in tasks:
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await until(lambda: pool.get_idle_size() == pool.get_size() > 0, what="an idle pool")
        answers = await asyncio.gather(*(pool.fetchval("select 1") for _ in range(10)))
        return len(answers), pool.get_size(), await desk.fetchval(RUNNING)


async def main() -> None:
    async with Postgres() as pg:
        timed_out, opened = await connections_for_timeouts(pg.dsn)
        answers, size, running = await after_a_storm(pg.dsn)
    print(f"{timed_out} queries time out: {opened} new connections")
    print(f"{STORM} cancelled tasks: {size} connections, {running} queries run on")
    claim(
        "five-timeouts-five-connections",
        "Five queries that time out open five new connections.",
        (timed_out, opened) == (5, 5),
    )
    claim(
        "pool-healthy-after-cancels",
        "After 200 cancelled tasks no query runs on, and the pool answers ten of ten.",
        (answers, running) == (10, 0),
    )


if __name__ == "__main__":
    asyncio.run(main())
