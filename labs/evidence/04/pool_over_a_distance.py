"""A pool for a database that is far away: a connection is busy while its messages travel, too.

The database has two cores, and a query needs one of them for 4 ms. A pooled call is two round trips
(the query, the reset), and while they travel, the connection works at nothing. First exactly, on a
virtual clock: cores and pool are semaphores. Then with PostgreSQL, two stoves and a slow wire.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

import asyncpg

from bench import Postgres, RoundTrips, claim, run_virtual
from bistro.database import prepare

CORES, WORK, GUESTS = 2, 0.004, 240
TRIPS = 0.0, 0.001, 0.01
SIZES = 2, 3, 4, 8, 16
DELAY, DISH = 0.05, 0.02


async def crowd(size: int, trip: float) -> None:
    """Guests who all come at once, until the last one is served."""
    pool, cores = asyncio.Semaphore(size), asyncio.Semaphore(CORES)

    async def guest() -> None:
        async with pool:
            await asyncio.sleep(trip / 2)
            async with cores:
                await asyncio.sleep(WORK)
            await asyncio.sleep(trip / 2)
            await asyncio.sleep(trip)  # the reset

    await asyncio.gather(*(guest() for _ in range(GUESTS)))


def busy(size: int, trip: float) -> float:
    """How much of the time the cores work, from 0 to 1, with so many connections."""
    return GUESTS * WORK / (CORES * run_virtual(crowd(size, trip)).seconds)


async def served_each_second(dsn: str, size: int) -> float:
    async with asyncpg.create_pool(dsn, min_size=size, max_size=size) as pool:
        began = perf_counter()
        fry = "select fry($1, $2)"
        await asyncio.gather(*(pool.fetchval(fry, n % 2, DISH) for n in range(2 * size)))
        return 2 * size / (perf_counter() - began)


async def over_a_slow_wire() -> dict[int, float]:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with RoundTrips(pg.dsn) as net:
            net.delay = DELAY
            return {size: await served_each_second(net.dsn, size) for size in (2, 8)}


def main() -> None:
    worked = {trip: {size: busy(size, trip) for size in SIZES} for trip in TRIPS}
    print("two cores, a query of 4 ms: how much of the time the cores work")
    print("one round trip     pool of" + "".join(f"{size:7}" for size in SIZES))
    for trip, shares in worked.items():
        print(f"{trip * 1000:11.0f} ms" + " " * 12 + "".join(f"{s:7.0%}" for s in shares.values()))
    wire = asyncio.run(over_a_slow_wire())
    told = ", ".join(f"{rate:.0f} a second with a pool of {size}" for size, rate in wire.items())
    print(f"PostgreSQL, two stoves, dishes of {DISH} s, trips of {DELAY} s: {told}")
    claim(
        "near-the-cores-are-enough",
        "Without distance, two connections keep two cores at work for more than 99 % of the time.",
        worked[0.0][2] > 0.99,
    )
    claim(
        "far-needs-more-than-cores",
        "Trips of 10 ms: with a pool of 2, two cores are idle 80 % of the time; with 16, 5 %.",
        worked[0.01][2] < 0.2 and worked[0.01][16] > 0.95,
    )
    claim(
        "the-wire-bounds-a-small-pool",
        "PostgreSQL far away: a pool of 2 serves at most 2 / (two trips + dish) a second.",
        wire[2] <= 1.05 * 2 / (2 * DELAY + DISH),
    )


if __name__ == "__main__":
    main()
