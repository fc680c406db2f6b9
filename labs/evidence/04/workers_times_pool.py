"""Every worker process has a pool of its own, and during a rolling deploy there are twice as many.

First two workers of the bistro are served, and the server counts their connections. Then six
pools, as three old and three new workers have them, share 17 places.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import asyncpg

from bench import Postgres, claim, serve
from bistro.database import prepare

PLACES = 20 - 3  # max_connections minus superuser_reserved_connections
WORKERS = 3 + 3
BISTRO = "select count(*) from pg_stat_activity where application_name = 'bistro'"


async def connections_of_two_workers(dsn: str) -> int:
    env = {"BISTRO_DSN": dsn}
    async with serve("bistro.app:app", env=env), serve("bistro.app:app", env=env):
        boss = await asyncpg.connect(dsn)
        try:
            return await boss.fetchval(BISTRO)
        finally:
            await boss.close()


async def deploy(dsn: str, user: str, size: int) -> tuple[int, str]:
    """Open the six pools one after the other: how many opened, and what the last one met."""
    async with AsyncExitStack() as pools:
        for number in range(WORKERS):
            pool = asyncpg.create_pool(dsn, user=user, password="x", min_size=size, max_size=size)
            try:
                await pools.enter_async_context(pool)
            except asyncpg.TooManyConnectionsError as refusal:
                return number, refusal.sqlstate
    return WORKERS, ""


async def main() -> None:
    async with Postgres(embedded=True) as pg:
        await prepare(pg.dsn)
        two_workers = await connections_of_two_workers(pg.dsn)
        boss = await asyncpg.connect(pg.dsn)
        for size in (2, 3):  # a role each, so that one experiment cannot disturb the next
            role = f"create role app{size} login password 'x' connection limit {PLACES}"
            await boss.execute(role)
        await boss.close()
        outcome = {size: await deploy(pg.dsn, f"app{size}", size) for size in (2, 3)}
    print(f"two workers with pools of 10: {two_workers} connections")
    for size, (opened, code) in outcome.items():
        print(f"pools of {size}: {opened} of {WORKERS} workers start {code and 'then ' + code}")
    claim(
        "each-process-has-its-own-pool",
        "Two workers with pools of 10 hold 20 connections.",
        two_workers == 20,
    )
    claim(
        "deploy-of-three-is-refused",
        "Pools of 3: the sixth worker of a rolling deploy is refused with SQLSTATE 53300.",
        outcome[3] == (5, "53300"),
    )
    claim(
        "deploy-of-two-fits",
        "Pools of 2: all six workers of a rolling deploy start.",
        outcome[2] == (WORKERS, ""),
    )


if __name__ == "__main__":
    asyncio.run(main())
