"""All rows at once, or a few at a time: memory, the first row, and what a cursor asks for."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable

import asyncpg

from bench import Postgres, RoundTrips, claim

COUNT = 20_000
ALL = f"select number, repeat('x', 100) as text from generate_series(1, {COUNT}) as number"
SOME = "select number from generate_series(1, 500) as number"


async def fetched(window: asyncpg.Connection) -> AsyncIterator[asyncpg.Record]:
    for row in await window.fetch(ALL):
        yield row


async def with_cursor(window: asyncpg.Connection) -> AsyncIterator[asyncpg.Record]:
    async with window.transaction():
        async for row in window.cursor(ALL, prefetch=500):
            yield row


Way = Callable[[asyncpg.Connection], AsyncIterator[asyncpg.Record]]


async def peak(window: asyncpg.Connection, way: Way) -> int:
    """The most memory that Python had taken at one time while somebody read all rows."""
    tracemalloc.start()
    rows = 0
    async for _ in way(window):
        rows += 1
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == COUNT
    return most


async def decoded_before_the_first(window: asyncpg.Connection, way: Way) -> int:
    """How many rows the driver has decoded when the program sees the first one."""
    decoded = []
    codec = {"schema": "pg_catalog", "encoder": str, "decoder": lambda text: decoded.append(text)}
    await window.set_type_codec("int4", **codec)
    rows = way(window)
    await anext(rows)
    count = len(decoded)
    await rows.aclose()
    await window.reset_type_codec("int4", schema="pg_catalog")
    return count


async def trips_for(window: asyncpg.Connection, net: RoundTrips, prefetch: int) -> int:
    """Round trips for 500 rows through a cursor, with the transaction around it."""
    net.reset()
    async with window.transaction():
        rows = [row async for row in window.cursor(SOME, prefetch=prefetch)]
    assert len(rows) == 500
    return net.trips


async def main() -> None:
    async with Postgres() as pg, RoundTrips(pg.dsn) as net:
        window, counted = await asyncpg.connect(pg.dsn), await asyncpg.connect(net.dsn)
        ways = {"fetch": fetched, "cursor": with_cursor}
        most = {name: await peak(window, way) for name, way in ways.items()}
        first = {name: await decoded_before_the_first(window, way) for name, way in ways.items()}
        await trips_for(counted, net, 500)
        trips = {prefetch: await trips_for(counted, net, prefetch) for prefetch in (50, 500)}
        try:
            async for _ in window.cursor(SOME):
                pass
            outside = "rows"
        except asyncpg.PostgresError as error:
            outside = type(error).__name__
        await window.close()
        await counted.close()
    print(f"{COUNT} rows      peak memory   decoded before the first row is seen")
    for name in ways:
        print(f"{name:12}{most[name] / 1e6:12.2f} MB{first[name]:15}")
    for prefetch, number in trips.items():
        print(f"500 rows through a cursor, {prefetch:3} at a time: {number} round trips")
    print(f"a cursor outside a transaction: {outside}")
    claim(
        "fetch-holds-every-row",
        "fetch decodes all 20 000 rows before the program sees one; the cursor decodes 500.",
        (first["fetch"], first["cursor"]) == (COUNT, 500),
    )
    claim(
        "a-cursor-needs-less-memory",
        "At its peak, fetch has taken more than three times the memory of a cursor.",
        most["fetch"] > 3 * most["cursor"],
    )
    claim(
        "small-bites-cost-round-trips",
        "Through a cursor, 50 rows at a time need at least eight round trips more than 500.",
        trips[50] >= trips[500] + 8,
    )
    claim(
        "a-cursor-needs-a-transaction",
        "Outside a transaction PostgreSQL's cursor is refused.",
        outside == "NoActiveSQLTransactionError",
    )


if __name__ == "__main__":
    asyncio.run(main())
