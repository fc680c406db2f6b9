"""What f-strings do to the statement cache, even when every value is a harmless number.

asyncpg prepares each text once and keeps the last hundred. An f-string makes every text a new one.
"""

from __future__ import annotations

import asyncio
import time

import asyncpg

from bench import Postgres, RoundTrips, claim
from bistro.database import prepare

LOOKUPS = 300
KEPT = "select count(*) from pg_prepared_statements"  # of this connection, with this question


async def by_f_string(window: asyncpg.Connection) -> None:
    for number in range(LOOKUPS):
        await window.fetch(f"select name from dishes where id = {number}")


async def by_parameter(window: asyncpg.Connection) -> None:
    for number in range(LOOKUPS):
        await window.fetch("select name from dishes where id = $1", number)


async def main() -> None:
    kept, trips = {}, {}
    async with Postgres() as pg, RoundTrips(pg.dsn) as net:
        await prepare(pg.dsn)
        print(f"{LOOKUPS} look-ups        round trips   statements kept   seconds")
        for look_up in by_f_string, by_parameter:
            window = await asyncpg.connect(net.dsn)
            net.reset()
            began = time.perf_counter()
            await look_up(window)
            took = time.perf_counter() - began
            name, trips[look_up] = look_up.__name__, net.trips
            kept[look_up] = await window.fetchval(KEPT)
            print(f"{name:18} {trips[look_up]:11} {kept[look_up]:17} {took:9.2f}")
            await window.close()
    claim(
        "f-strings-fill-the-statement-cache",
        "300 numbers in f-strings: the server keeps 100 prepared statements, the cache is full.",
        kept[by_f_string] == 100,
    )
    claim(
        "parameters-keep-one-statement",
        "300 numbers as parameters: the server keeps the look-up and the question that counts.",
        kept[by_parameter] == 2,
    )
    claim(
        "f-strings-cost-round-trips",
        "300 f-string look-ups are 800 round trips: prepare, run, and soon forget an old one.",
        trips[by_f_string] == 2 * 100 + 3 * 200,
    )
    claim(
        "parameters-cost-one-trip-each",
        "300 look-ups with a parameter are 301 round trips: one prepares, each runs.",
        trips[by_parameter] == LOOKUPS + 1,
    )


if __name__ == "__main__":
    asyncio.run(main())
