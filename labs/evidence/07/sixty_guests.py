"""The question of every lesson: sixty guests, 0.1 s each. What happens if one query serves them?

Each guest awaits `table.look_up(...)` as before. The table collects what is asked in one turn of
the loop and sends it as one query with `= any($1)`, on one connection, in one round trip.
"""

from __future__ import annotations

import asyncio
import time

import asyncpg

from bench import Postgres, RoundTrips, claim
from bistro.database import prepare

GUESTS, SECONDS = 60, 0.1
LOOK_UP = "select id, name from guests, cook($2) where id = any($1)"


class Table:
    """Look-ups of one turn of the loop become one query; each asker gets its own row."""

    def __init__(self, window: asyncpg.Connection) -> None:
        self._window = window
        self._asked: dict[int, asyncio.Future[str]] = {}
        self._query: asyncio.Task[None] | None = None

    def look_up(self, guest: int) -> asyncio.Future[str]:
        if not self._asked:
            self._query = asyncio.create_task(self._ask())  # begins after those who are ready now
        return self._asked.setdefault(guest, asyncio.get_running_loop().create_future())

    async def _ask(self) -> None:
        asked, self._asked = self._asked, {}
        rows = await self._window.fetch(LOOK_UP, list(asked), SECONDS)
        for row in rows:
            asked[row["id"]].set_result(row["name"])


async def main() -> None:
    async with Postgres() as pg, RoundTrips(pg.dsn) as net:
        await prepare(pg.dsn)
        window = await asyncpg.connect(net.dsn)
        await window.fetch(LOOK_UP, [0], 0)  # prepared from here on
        table = Table(window)

        async def guest(number: int) -> str:
            return await table.look_up(number)

        net.reset()
        began = time.perf_counter()
        names = await asyncio.gather(*(guest(number) for number in range(1, GUESTS + 1)))
        seconds, trips = time.perf_counter() - began, net.trips
        await window.close()
    print(f"last of {GUESTS} guests after {seconds:.2f} s, with {trips} round trip")
    claim(
        "sixty-guests-one-query",
        "Sixty guests get their own answers from one query: one connection, one round trip.",
        names == [f"Guest {number}" for number in range(1, GUESTS + 1)] and trips == 1,
    )
    claim(
        "sixty-guests-one-wait",
        "The one query still takes its 0.1 s: waiting together makes no query faster.",
        seconds >= 0.95 * SECONDS,
    )


if __name__ == "__main__":
    asyncio.run(main())
