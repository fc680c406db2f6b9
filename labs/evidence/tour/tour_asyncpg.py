"""The tour: asyncpg, a driver for PostgreSQL with an interface of its own. Parameters are `$1`."""

from __future__ import annotations

import asyncio
import json

import asyncpg

import tour
from bench import Postgres, claim


async def main() -> None:
    async with Postgres() as pg:
        before = tour.threads()
        window = await asyncpg.connect(pg.dsn)
        await window.execute(tour.POSTGRESQL)

        tab = await window.fetchval(
            "insert into tabs (guest, total, opened, wishes) values ($1, $2, $3, $4) returning id",
            tour.GUEST,
            tour.TOTAL,
            tour.OPENED,
            json.dumps(tour.WISHES),
        )
        found = await window.fetch("select id from tabs where guest = $1", tour.GUEST)
        await window.execute("update tabs set total = $1 where id = $2", tour.NEW_TOTAL, tab)
        row = await window.fetchrow("select * from tabs where id = $1", tab)

        tour.show("asyncpg", tour.threads() - before, row)
        added = len(tour.threads() - before)
        await window.close()
    claim(
        "tour-asyncpg",
        "asyncpg: created, found, updated; no new thread; jsonb as text, the rest as it was.",
        ([one["id"] for one in found], added) == ([tab], 0)
        and tuple(row)[1:] == (tour.GUEST, tour.NEW_TOTAL, tour.OPENED, json.dumps(tour.WISHES)),
    )


if __name__ == "__main__":
    asyncio.run(main())
