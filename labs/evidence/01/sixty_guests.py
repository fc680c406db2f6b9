"""The question of every lesson: sixty guests, 0.1 s each. What happens with a blocking driver?"""

from __future__ import annotations

import asyncio

from bench import Postgres, claim, closed_loop, makespan, serve
from bistro.database import prepare

GUESTS, SECONDS = 60, 0.1


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with serve("bistro.app:app", env={"BISTRO_DSN": pg.dsn}) as server:
            total = {}
            for path in "/def", "/async-def":
                await closed_loop(server.url, f"{path}?seconds=0", guests=GUESTS)
                order = f"{path}?seconds={SECONDS}"
                total[path] = makespan(await closed_loop(server.url, order, guests=GUESTS))
    for path, seconds in total.items():
        print(f"{path:10} last of {GUESTS} guests after {seconds:.2f} s")
    claim(
        "sixty-in-def-two-waves",
        "Sixty guests in def need at least two waves: 0.2 s.",
        total["/def"] >= 0.95 * 2 * SECONDS,
    )
    claim(
        "sixty-in-async-def-one-by-one",
        "Sixty guests with a blocking query in async def need at least 6.0 s.",
        total["/async-def"] >= 0.95 * GUESTS * SECONDS,
    )


if __name__ == "__main__":
    asyncio.run(main())
