"""Twelve guests, five places: refused without a pool, served with one.

PostgreSQL refuses a connection with SQLSTATE 53300. The limit here belongs to a role
(`connection limit 5`), so nothing else on the server changes.
"""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Postgres, claim, until

GUESTS, PLACES = 12, 5
NOBODY_LEFT = "select not exists (select from pg_stat_activity where usename = 'app')"


async def main() -> None:
    async with Postgres(embedded=True) as pg:
        app = {"dsn": pg.dsn, "user": "app", "password": "x"}
        boss = await asyncpg.connect(pg.dsn)
        await boss.execute(f"create role app login password 'x' connection limit {PLACES}")
        inside, refused = [], []
        for _ in range(GUESTS):  # one by one: the server counts those on their way in, too
            try:
                inside.append(await asyncpg.connect(**app))
            except asyncpg.TooManyConnectionsError as refusal:
                refused.append(refusal)
        for connection in inside:
            await connection.close()
        await until(lambda: boss.fetchval(NOBODY_LEFT), what="the last connection to be gone")
        async with asyncpg.create_pool(min_size=0, max_size=PLACES, **app) as pool:
            served = await asyncio.gather(*(pool.fetchval("select 1") for _ in range(GUESTS)))
        await boss.close()
    print(f"without a pool: {len(inside)} of {GUESTS} are in, {len(refused)} are refused:")
    print(f"  {refused[0].sqlstate} {refused[0]}")
    print(f"with a pool of {PLACES}: {sum(served)} of {GUESTS} are served")
    claim(
        "limit-five-in-seven-refused",
        "Five places, twelve connections: five are in, seven refused with SQLSTATE 53300.",
        (len(inside), [e.sqlstate for e in refused]) == (5, ["53300"] * 7),
    )
    claim(
        "pool-of-five-serves-twelve",
        "The same twelve guests through a pool of five are all served.",
        served == [1] * GUESTS,
    )


if __name__ == "__main__":
    asyncio.run(main())
