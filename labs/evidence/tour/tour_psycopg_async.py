"""The tour: psycopg 3, the AsyncConnection. The interface of the blocking one, with `await`."""

from __future__ import annotations

import asyncio

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

import tour
from bench import Postgres, claim


async def main() -> None:
    async with Postgres() as pg:
        before = tour.threads()
        connect = psycopg.AsyncConnection.connect
        async with await connect(pg.dsn, row_factory=dict_row) as window:
            await window.execute(tour.POSTGRESQL)

            cursor = await window.execute(
                "insert into tabs (guest, total, opened, wishes)"
                " values (%s, %s, %s, %s) returning id",
                [tour.GUEST, tour.TOTAL, tour.OPENED, Jsonb(tour.WISHES)],
            )
            tab = (await cursor.fetchone())["id"]
            cursor = await window.execute("select id from tabs where guest = %s", [tour.GUEST])
            found = await cursor.fetchall()
            await window.execute("update tabs set total = %s where id = %s", [tour.NEW_TOTAL, tab])
            cursor = await window.execute("select * from tabs where id = %s", [tab])
            row = await cursor.fetchone()

            tour.show("psycopg", tour.threads() - before, row)
            added = len(tour.threads() - before)
    claim(
        "tour-psycopg-async",
        "psycopg, awaited: created, found, updated; no new thread; jsonb as a dict.",
        ([one["id"] for one in found], added) == ([tab], 0)
        and tuple(row.values())[1:] == (tour.GUEST, tour.NEW_TOTAL, tour.OPENED, tour.WISHES),
    )


if __name__ == "__main__":
    # psycopg's AsyncConnection needs this kind of loop; on Windows it is not the default
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())
