"""More round trips, counted: a query's first use, one lease for two queries, many rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import asyncpg
import psycopg

from bench import Postgres, RoundTrips, claim

ASK = "select $1::int"
ROWS = [(number,) for number in range(1000)]


async def main() -> None:
    trips: dict[str, int] = {}
    async with Postgres() as pg, RoundTrips(pg.dsn) as net:

        async def count(name: str, work: Awaitable) -> None:
            net.reset()
            await work
            trips[name] = net.trips

        async def one_lease() -> None:
            async with pool.acquire() as connection:
                await connection.fetchval(ASK, 1)
                await connection.fetchval(ASK, 2)

        async def two_leases() -> None:
            await pool.fetchval(ASK, 1)
            await pool.fetchval(ASK, 2)

        async def pipeline() -> None:
            async with alone.pipeline():
                for _ in range(10):
                    await alone.execute("select 1")

        pool = asyncpg.create_pool(net.dsn, min_size=4, max_size=4)
        await count("open a pool of 4", pool)
        connection = await pool.acquire()
        await count("a query, first time", connection.fetchval(ASK, 1))
        await count("a query, again", connection.fetchval(ASK, 1))
        await connection.execute("create table numbers (n int)")
        insert = "insert into numbers values ($1)"
        await connection.executemany(insert, ROWS)
        await count("executemany, 1000 rows", connection.executemany(insert, ROWS))
        await pool.release(connection)
        await count("one lease, two queries", one_lease())
        await count("two calls of the pool", two_leases())
        await pool.close()
        without = await asyncpg.connect(net.dsn, statement_cache_size=0)
        await without.fetchval(ASK, 1)
        await count("a query, no statement cache", without.fetchval(ASK, 1))
        await without.close()
        alone = await psycopg.AsyncConnection.connect(net.dsn, autocommit=True)
        await count("psycopg, a pipeline of 10", pipeline())
        await alone.close()
    for name, number in trips.items():
        print(f"{name:30}{number:3}")
    claim(
        "opening-a-pool-of-four",
        "A pool of four opens with sixteen round trips, four for each connection.",
        trips["open a pool of 4"] == 16,
    )
    claim(
        "first-use-two-trips",
        "A query is two round trips the first time on a connection, then one.",
        (trips["a query, first time"], trips["a query, again"]) == (2, 1),
    )
    claim(
        "no-statement-cache-two-trips",
        "With statement_cache_size=0 a query is two round trips each time.",
        trips["a query, no statement cache"] == 2,
    )
    claim(
        "one-lease-three-trips",
        "Two queries with one lease are three round trips, as two calls of the pool four.",
        (trips["one lease, two queries"], trips["two calls of the pool"]) == (3, 4),
    )
    claim(
        "pipeline-is-one-trip",
        "Ten queries in psycopg's pipeline are one round trip; 1000 rows need at most two.",
        trips["psycopg, a pipeline of 10"] == 1 and trips["executemany, 1000 rows"] <= 2,
    )


if __name__ == "__main__":
    asyncio.run(main())
