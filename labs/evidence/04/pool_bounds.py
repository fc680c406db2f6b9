"""What a pool's size and the hold time bound: guests in use, guests each second, waves. Counted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import NamedTuple

import asyncpg

from bench import Postgres, claim
from bistro.database import prepare

HOLD, OUTSIDE = 0.02, 0.05
SIZES = 1, 2, 4, 8, 16


class Visit(NamedTuple):
    """One guest: asked for a connection, got it, gave it back. perf_counter seconds."""

    asked: float
    got: float
    gave: float


async def cook(connection: asyncpg.Connection) -> None:
    await connection.fetchval("select cook($1)", HOLD)


async def cook_and_call(connection: asyncpg.Connection) -> None:
    await cook(connection)
    await asyncio.sleep(OUTSIDE)  # another service, while the connection is held


async def burst(
    dsn: str, size: int, guests: int, work: Callable[[asyncpg.Connection], Awaitable[None]] = cook
) -> list[Visit]:
    """All guests arrive at once at a pool of `size`; their visits, in the order of `got`."""
    visits: list[Visit] = []

    async def guest() -> None:
        asked = perf_counter()
        async with pool.acquire() as connection:
            got = perf_counter()
            await work(connection)
            visits.append(Visit(asked, got, perf_counter()))

    async with asyncpg.create_pool(dsn, min_size=size, max_size=size) as pool:
        await asyncio.gather(*(guest() for _ in range(guests)))
    return sorted(visits, key=lambda visit: visit.got)


def seconds_of(visits: list[Visit]) -> float:
    return max(v.gave for v in visits) - min(v.asked for v in visits)


def most_at_once(visits: list[Visit]) -> int:
    """The most connections in use at one moment. Giving back comes first at equal times."""
    events = sorted([(v.got, 1) for v in visits] + [(v.gave, -1) for v in visits])
    in_use = most = 0
    for _, change in events:
        in_use += change
        most = max(most, in_use)
    return most


def in_its_wave(visits: list[Visit], size: int) -> bool:
    """Guest number k (from 0) got a connection after at least k // size full waves."""
    first = min(v.asked for v in visits)
    return all(v.got - first >= 0.95 * (k // size) * HOLD for k, v in enumerate(visits))


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        bursts = {size: await burst(pg.dsn, size, 4 * size) for size in SIZES}
        holding = await burst(pg.dsn, 4, 24, cook_and_call)
    print("pool   guests/s   bound")
    for size, visits in bursts.items():
        print(f"{size:4}   {len(visits) / seconds_of(visits):8.0f}   {size / HOLD:5.0f}")
    rate, bound = len(holding) / seconds_of(holding), 4 / (HOLD + OUTSIDE)
    print(f"A pool of 4 that is held across a call of {OUTSIDE} s: {rate:.0f} guests/s")
    claim(
        "pool-size-is-the-most-in-use",
        "Never more guests than the pool's size have a connection at the same moment.",
        all(most_at_once(visits) <= size for size, visits in bursts.items()),
    )
    claim(
        "every-guest-waits-for-a-wave",
        "Guest number k waits at least k // size full waves for a connection.",
        all(in_its_wave(visits, size) for size, visits in bursts.items()),
    )
    claim(
        "held-time-sets-the-rate",
        "Holding across an outside call: at most size / (query + call) guests a second.",
        rate <= 1.05 * bound,
    )


if __name__ == "__main__":
    asyncio.run(main())
