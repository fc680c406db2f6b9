"""The life of a pool in asyncpg 0.32: how it opens, who is next, when a connection is replaced."""

from __future__ import annotations

import asyncio
import inspect

import asyncpg

from bench import Postgres, claim, until

PID = "select pg_backend_pid()"
END_ALL = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and backend_type = 'client backend'"""


async def backends(pool: asyncpg.Pool, calls: int) -> list[int]:
    """The server process behind each of so many calls, one after the other."""
    return [await pool.fetchval(PID) for _ in range(calls)]


async def floor_is_kept(dsn: str) -> tuple[int, int]:
    """The size at the start, and the size after all backends were ended from outside."""
    async with asyncpg.create_pool(dsn, min_size=2, init_size=4, max_size=8) as pool:
        at_start = pool.get_size()
        boss = await asyncpg.connect(dsn)
        await boss.execute(END_ALL)
        await boss.close()
        # Nobody asks the pool for anything; it opens two connections by itself.
        await until(lambda: pool.get_size() == 2, what="the pool to have its floor")
        return at_start, pool.get_size()


async def idle_ones_go(dsn: str) -> tuple[int, int]:
    """The size after four connections were in use, and some time later; the floor is one."""
    async with asyncpg.create_pool(
        dsn, min_size=1, max_size=4, max_inactive_connection_lifetime=0.2
    ) as pool:
        held = [await pool.acquire() for _ in range(4)]
        in_use = pool.get_size()
        for connection in held:
            await pool.release(connection)
        await until(lambda: pool.get_size() <= 1, what="idle connections to be closed")
        return in_use, pool.get_size()


async def mid_query(dsn: str) -> tuple[str, int]:
    """What a task sees whose backend is ended during its query; and whether the pool goes on."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        connection = await pool.acquire()
        pid = await connection.fetchval(PID)
        query = asyncio.create_task(connection.execute("select pg_sleep(60)"))
        boss = await asyncpg.connect(dsn)
        active = "select count(*) from pg_stat_activity where pid = $1 and state = 'active'"
        await until(lambda: boss.fetchval(active, pid), what="the query to run")
        await boss.execute("select pg_terminate_backend($1)", pid)
        await boss.close()
        [error] = await asyncio.gather(query, return_exceptions=True)
        await pool.release(connection)
        return type(error).__name__, await pool.fetchval("select 1")


async def main() -> None:
    defaults = inspect.signature(asyncpg.create_pool).parameters
    wanted = ["min_size", "max_size", "max_queries", "max_inactive_connection_lifetime"]
    values = {name: defaults[name].default for name in wanted}
    async with Postgres(embedded=True) as pg:
        async with asyncpg.create_pool(pg.dsn) as pool:
            opened = pool.get_size(), pool.get_max_size()
            last_first = await backends(pool, 20)
        async with asyncpg.create_pool(pg.dsn, min_size=1, max_size=1, max_queries=10) as pool:
            replaced = await backends(pool, 12)
        at_start, floor = await floor_is_kept(pg.dsn)
        in_use, later = await idle_ones_go(pg.dsn)
        error, works = await mid_query(pg.dsn)
    print("defaults:", ", ".join(f"{name}={value}" for name, value in values.items()))
    print(f"20 calls one after the other, pool of 10: {len(set(last_first))} connection is used")
    print(f"init_size=4, min_size=2: {at_start} at the start; all ended: {floor} again")
    print(f"min_size=1, idle for 0.2 s: {in_use} connections become {later}")
    print(f"backend ended during a query: the task gets {error}, the next call {works}")
    claim(
        "pool-defaults-ten-ten",
        "By default a pool opens 10 connections, replaced after 50 000 queries or 300 s idle.",
        opened == (10, 10) and tuple(values.values()) == (10, 10, 50000, 300.0),
    )
    claim(
        "pool-lends-the-last-used",
        "Twenty calls one after the other use the same one of ten connections.",
        len(set(last_first)) == 1,
    )
    claim(
        "pool-replaces-after-max-queries",
        "max_queries=10: the calls of a pool of one come from more than one backend.",
        len(set(replaced)) > 1,
    )
    claim(
        "pool-keeps-its-floor",
        "init_size=4, min_size=2: it opens 4; when all are ended it opens 2 by itself.",
        (at_start, floor) == (4, 2),
    )
    claim(
        "pool-closes-idle-connections",
        "Connections that are idle too long are closed, down to the floor.",
        in_use == 4 and later <= 1,
    )
    claim(
        "pool-survives-a-lost-backend",
        "A backend ended during its query is an error for that task, and the pool goes on.",
        (error, works) == ("ConnectionDoesNotExistError", 1),
    )


if __name__ == "__main__":
    asyncio.run(main())
