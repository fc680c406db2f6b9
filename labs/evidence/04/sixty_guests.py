"""The question of every lesson: sixty guests, 0.1 s each. What happens with a pool of ten?"""

from __future__ import annotations

import asyncio

from bench import Postgres, claim, closed_loop, makespan, serve
from bistro.database import prepare

GUESTS, SIZE, SECONDS = 60, 10, 0.1


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with serve("bistro.app:app", env={"BISTRO_DSN": pg.dsn}) as server:
            await closed_loop(server.url, "/pooled?seconds=0", guests=GUESTS)
            served = await closed_loop(server.url, f"/pooled?seconds={SECONDS}", guests=GUESTS)
    waves = GUESTS // SIZE
    print(f"last of {GUESTS} guests after {makespan(served):.2f} s; the bound is {waves} waves")
    claim(
        "sixty-on-ten-six-waves",
        "Sixty guests on a pool of ten need at least six waves: 0.6 s.",
        makespan(served) >= 0.95 * waves * SECONDS,
    )


if __name__ == "__main__":
    asyncio.run(main())
