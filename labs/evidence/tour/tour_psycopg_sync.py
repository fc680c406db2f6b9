"""The tour: psycopg 3, the blocking connection. Parameters are `%s`. It belongs in `def` routes.

The work runs in one helper thread here, as FastAPI runs a `def` route.
"""

from __future__ import annotations

import asyncio

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

import tour
from bench import Postgres, claim


def work(dsn: str) -> tuple[int, list[int], dict]:
    with psycopg.connect(dsn, row_factory=dict_row) as window:
        window.execute(tour.POSTGRESQL)

        tab = window.execute(
            "insert into tabs (guest, total, opened, wishes) values (%s, %s, %s, %s) returning id",
            [tour.GUEST, tour.TOTAL, tour.OPENED, Jsonb(tour.WISHES)],
        ).fetchone()["id"]
        found = window.execute("select id from tabs where guest = %s", [tour.GUEST]).fetchall()
        window.execute("update tabs set total = %s where id = %s", [tour.NEW_TOTAL, tab])
        row = window.execute("select * from tabs where id = %s", [tab]).fetchone()
        return tab, [one["id"] for one in found], row


async def main() -> None:
    async with Postgres() as pg:
        before = tour.threads()
        tab, found, row = await asyncio.to_thread(work, pg.dsn)
        tour.show("psycopg", tour.threads() - before, row)
    claim(
        "tour-psycopg-sync",
        "psycopg, blocking: created, found, updated; jsonb as a dict, the rest as it was.",
        found == [tab]
        and tuple(row.values())[1:] == (tour.GUEST, tour.NEW_TOTAL, tour.OPENED, tour.WISHES),
    )


if __name__ == "__main__":
    asyncio.run(main())
