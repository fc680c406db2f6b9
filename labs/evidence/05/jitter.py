"""When do tasks try again that were refused together? With a random pause, at different moments.

The moments are taken on a virtual clock, where they are exact. Then ten tasks add one to the same
row of a real database at SERIALIZABLE; how many tries each needs is different in every run.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable

import asyncpg

from bench import Postgres, claim, run_virtual

TEN, BASE = 10, 0.002


def whole(longest: float) -> float:
    """No jitter: everybody waits the whole time."""
    return longest


def jitter(longest: float) -> float:
    """Full jitter: a random part of it."""
    return random.uniform(0, longest)


async def returns(pause: Callable[[float], float]) -> list[list[float]]:
    """The moments of three further tries, for ten tasks that were refused at the same moment."""
    clock = asyncio.get_running_loop().time

    async def task() -> list[float]:
        moments = []
        for k in range(3):
            await asyncio.sleep(pause(BASE * 2**k))
            moments.append(clock())
        return moments

    return await asyncio.gather(*(task() for _ in range(TEN)))


async def tries_of_ten(dsn: str, pause: Callable[[float], float]) -> tuple[int, Counter]:
    """The row after ten tasks added one, and how many tasks needed how many tries."""

    async def add_one() -> int:
        for k in range(200):
            try:
                async with pool.acquire() as window, window.transaction(isolation="serializable"):
                    n = await window.fetchval("select n from counter")
                    await asyncio.sleep(0.001)  # something is decided here
                    await window.execute("update counter set n = $1", n + 1)
                return k + 1
            except asyncpg.SerializationError:
                await asyncio.sleep(pause(BASE * 2 ** min(k, 5)))
        raise TimeoutError("refused 200 times")

    async with asyncpg.create_pool(dsn, min_size=TEN, max_size=TEN) as pool:
        await pool.execute("drop table if exists counter; create table counter as select 0 as n")
        tries = Counter(await asyncio.gather(*(add_one() for _ in range(TEN))))
        return await pool.fetchval("select n from counter"), tries


async def main() -> None:
    moments, tries = {}, {}
    async with Postgres() as pg:
        for pause in whole, jitter:
            rows = run_virtual(returns(pause)).result
            moments[pause.__name__] = [len(set(moment)) for moment in zip(*rows, strict=True)]
            tries[pause.__name__] = await tries_of_ten(pg.dsn, pause)
    for name, (n, counts) in tries.items():
        print(f"{name:7} the row says {n}; ten tasks return at {moments[name]} moments")
        for number in sorted(counts):
            print(f"{'':9}{number:3} tries  {'#' * counts[number]}")
    claim(
        "without-jitter-they-return-together",
        "Without jitter ten refused tasks return at the same moment, three times.",
        moments["whole"] == [1, 1, 1],
    )
    claim(
        "jitter-spreads-the-retries",
        "With jitter they return at ten different moments each time.",
        moments["jitter"] == [TEN, TEN, TEN],
    )
    claim(
        "retries-lose-nothing",
        "With and without jitter, ten tasks that retry end at 10.",
        [n for n, _ in tries.values()] == [TEN, TEN],
    )


if __name__ == "__main__":
    asyncio.run(main())
