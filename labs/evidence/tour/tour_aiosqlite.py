"""The tour: aiosqlite, Python's own sqlite3 in a thread. Parameters are `?`; types are few."""

from __future__ import annotations

import asyncio
import json

import aiosqlite

import tour
from bench import claim


async def main() -> None:
    before = tour.threads()
    async with aiosqlite.connect(":memory:") as book:
        book.row_factory = aiosqlite.Row
        await book.executescript(tour.SQLITE)

        cursor = await book.execute(
            "insert into tabs (guest, total, opened, wishes) values (?, ?, ?, ?)",
            [
                tour.GUEST,
                str(tour.TOTAL),  # sqlite3 takes no Decimal
                tour.OPENED.isoformat(),
                json.dumps(tour.WISHES),
            ],
        )
        tab = cursor.lastrowid
        found = await book.execute_fetchall("select id from tabs where guest = ?", [tour.GUEST])
        await book.execute("update tabs set total = ? where id = ?", [str(tour.NEW_TOTAL), tab])
        await book.commit()  # nobody else does it
        [row] = await book.execute_fetchall("select * from tabs where id = ?", [tab])

        tour.show("aiosqlite", tour.threads() - before, row)
        added = len(tour.threads() - before)
    claim(
        "tour-aiosqlite",
        "aiosqlite: created, found, updated; one new thread; money is a number, time is text.",
        ([one["id"] for one in found], added) == ([tab], 1)
        and tuple(row)[1:] == (tour.GUEST, 20, tour.OPENED.isoformat(), json.dumps(tour.WISHES)),
    )


if __name__ == "__main__":
    asyncio.run(main())
