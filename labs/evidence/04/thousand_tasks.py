"""A thousand tasks, asyncpg's default pool: how many queries are inside the database at once?"""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Gate, Postgres, claim
from bistro.database import prepare


async def inside_with(tasks: int, enough: int, dsn: str) -> int:
    """The most queries inside the database when so many tasks ask one pool at once."""
    async with asyncpg.create_pool(dsn) as pool, Gate(dsn) as gate, asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(pool.fetchval("select cook(0)"))
        await gate.until_waiting(enough)
        most = max([await gate.waiting() for _ in range(100)])
        await gate.open()
    return most


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        inside = {n: await inside_with(n, min(n, 10), pg.dsn) for n in (1, 5, 10, 100, 1000)}
    print("tasks   inside the database")
    for tasks, most in inside.items():
        print(f"{tasks:5}   {most:19}")
    claim(
        "default-pool-ten-inside",
        "Of 1000 tasks on the default pool 10 are inside; of 1 or 5 tasks all are.",
        inside == {1: 1, 5: 5, 10: 10, 100: 10, 1000: 10},
    )


if __name__ == "__main__":
    asyncio.run(main())
