"""A thousand rows into a table: round trips and transactions of eight ways, from `insert` to COPY.

Every row carries the number of the transaction that wrote it (`xmin`). Each transaction is one
commit, and on a server that keeps its promises each commit waits for the disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import asyncpg
import psycopg

from bench import Postgres, RoundTrips, claim

ROWS = [(number, f"guest {number}") for number in range(1000)]
INSERT = "insert into visits values ($1, $2)"
UNNEST = "insert into visits select * from unnest($1::int[], $2::text[])"
PSYCOPG = "insert into visits values (%s, %s)"
FEW_TRIPS = "executemany", "unnest", "copy", "psycopg: executemany", "psycopg: pipeline"
Rows = list[tuple[int, str]]


async def ways(dsn: str, open_: AsyncExitStack) -> dict[str, Callable[[Rows], Awaitable[object]]]:
    """Each way as a function of the rows, on connections that `open_` keeps open."""
    window = await asyncpg.connect(dsn)
    open_.push_async_callback(window.close)
    await window.execute("create table visits (guest int, name text)")
    pool = await open_.enter_async_context(asyncpg.create_pool(dsn, min_size=10, max_size=10))
    awaited = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
    await open_.enter_async_context(awaited)

    async def one_by_one(rows: Rows) -> None:
        for row in rows:
            await window.execute(INSERT, *row)

    async def in_a_transaction(rows: Rows) -> None:
        async with window.transaction():
            await one_by_one(rows)

    async def together(rows: Rows) -> None:
        await asyncio.gather(*(pool.execute(INSERT, *row) for row in rows))

    async def piped(rows: Rows) -> None:
        async with awaited.pipeline(), awaited.transaction():
            for row in rows:
                await awaited.execute(PSYCOPG, row)

    async def many_of_psycopg(rows: Rows) -> None:
        async with awaited.cursor() as cursor:
            await cursor.executemany(PSYCOPG, rows)

    return {
        "one by one": one_by_one,
        "gather on a pool": together,
        "one transaction": in_a_transaction,
        "psycopg: executemany": many_of_psycopg,
        "psycopg: pipeline": piped,
        "executemany": lambda rows: window.executemany(INSERT, rows),
        "unnest": lambda rows: window.execute(UNNEST, *map(list, zip(*rows, strict=True))),
        "copy": lambda rows: window.copy_records_to_table("visits", records=rows),
    }


async def half_bad(window: asyncpg.Connection) -> int:
    """Rows in the table after an executemany whose last row is refused."""
    await window.execute("truncate visits; alter table visits add check (guest >= 0)")
    with suppress(asyncpg.CheckViolationError):
        await window.executemany(INSERT, [*ROWS, (-1, "nobody")])
    return await window.fetchval("select count(*) from visits")


async def main() -> None:
    trips, seconds, written, commits = {}, {}, {}, {}
    async with Postgres() as pg, RoundTrips(pg.dsn) as net, AsyncExitStack() as open_:
        found = await ways(net.dsn, open_)
        boss = await asyncpg.connect(pg.dsn)
        for name, way in found.items():
            await way(ROWS[:20])  # prepares the statement, on every connection of the pool
            await boss.execute("truncate visits")
            net.reset()
            began = time.perf_counter()
            await way(ROWS)
            seconds[name], trips[name] = time.perf_counter() - began, net.trips
            counts = "select count(*), count(distinct xmin::text) from visits"
            written[name], commits[name] = await boss.fetchrow(counts)
        left = await half_bad(boss)
        await boss.close()
    print(f"{len(ROWS)} rows             round trips   transactions     seconds")
    for name in found:
        print(f"{name:22}{trips[name]:10}{commits[name]:15}{seconds[name]:12.3f}")
    print(f"rows left after an executemany whose last row is refused: {left}")
    claim(
        "one-by-one-a-trip-and-a-commit-each",
        "A thousand inserts one by one: a thousand round trips, a thousand transactions.",
        (trips["one by one"], commits["one by one"]) == (1000, 1000),
    )
    claim(
        "gather-makes-inserts-dearer",
        "The same inserts in gather on a pool: two thousand round trips, as many transactions.",
        (trips["gather on a pool"], commits["gather on a pool"]) == (2000, 1000),
    )
    claim(
        "one-transaction-saves-commits-not-trips",
        "In one transaction: one commit, and still more than a thousand round trips.",
        (trips["one transaction"], commits["one transaction"]) == (1002, 1),
    )
    claim(
        "bulk-ways-need-few-trips",
        "executemany, unnest, COPY and a pipeline: at most ten round trips, one transaction.",
        max(trips[name] for name in FEW_TRIPS) <= 10
        and {commits[name] for name in FEW_TRIPS} == {1}
        and set(written.values()) == {1000},
    )
    claim(
        "executemany-is-all-or-nothing",
        "asyncpg's executemany is one transaction: if the last row is refused, none is kept.",
        left == 0,
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())
