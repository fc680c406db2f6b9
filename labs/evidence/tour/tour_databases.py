"""The tour: `databases`, a layer over several drivers. Parameters are `:name`.

What it needs is decided below it: over asyncpg no thread, over aiosqlite one for each connection.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

import aiosqlite
import asyncpg
import psycopg
from databases import Database

import tour
from bench import Postgres, claim, until


async def work(database: Database, values: dict) -> tuple[int, list[int], object]:
    """Create, find, update, read: the same code over both drivers."""
    tab = await database.fetch_val(
        "insert into tabs (guest, total, opened, wishes)"
        " values (:guest, :total, :opened, :wishes) returning id",
        values,
    )
    named = {"guest": values["guest"]}
    found = await database.fetch_all("select id from tabs where guest = :guest", named)
    new = type(values["total"])(tour.NEW_TOTAL)
    await database.execute("update tabs set total = :new where id = :tab", {"new": new, "tab": tab})
    row = await database.fetch_one("select * from tabs where id = :tab", {"tab": tab})
    return tab, [one["id"] for one in found], row


async def over_asyncpg(dsn: str) -> tuple[bool, int]:
    """(all came back as it should, new threads)."""
    window = await asyncpg.connect(dsn)
    await window.execute(tour.POSTGRESQL)
    await window.close()
    values = {
        "guest": tour.GUEST,
        "total": tour.TOTAL,
        "opened": tour.OPENED,
        "wishes": json.dumps(tour.WISHES),
    }
    before = tour.threads()
    database = Database(dsn, min_size=1, max_size=2)
    await database.connect()  # opens the pool; it returns nothing
    tab, found, row = await work(database, values)
    tour.show("databases", tour.threads() - before, row)
    added = len(tour.threads() - before)
    await database.disconnect()
    values = tuple(row._mapping.values())[1:]
    same = values == (tour.GUEST, tour.NEW_TOTAL, tour.OPENED, json.dumps(tour.WISHES))
    return found == [tab] and same, added


async def over_aiosqlite(file: Path) -> int:
    """How many threads there are, beyond those before, inside two open connections."""
    async with aiosqlite.connect(file) as book:
        await book.executescript(tour.SQLITE)
    before = tour.threads()
    async with Database(f"sqlite+aiosqlite:///{file.as_posix()}") as database:
        values = {
            "guest": tour.GUEST,
            "total": str(tour.TOTAL),
            "opened": tour.OPENED.isoformat(),
            "wishes": json.dumps(tour.WISHES),
        }
        tab, found, row = await work(database, values)
        assert found == [tab]
        # Each call above had a connection of its own; its thread may need a moment to end.
        await until(lambda: tour.threads() <= before, what="the threads of earlier calls to end")
        async with database.connection():
            added = tour.threads() - before
            tour.show("databases", added, row)
            return len(added)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with Postgres() as pg:
            print("over asyncpg:")
            same, added = await over_asyncpg(pg.dsn)
        print("over aiosqlite:")
        threads = await over_aiosqlite(Path(folder) / "book.sqlite")
    kinds = Database, asyncpg.Connection, psycopg.AsyncConnection, aiosqlite.Connection
    has_it = [hasattr(kind, "fetch_all") for kind in kinds]
    claim(
        "tour-databases",
        "databases over asyncpg: created, found, updated; jsonb as text, the rest as it was.",
        same,
    )
    claim(
        "databases-borrows-its-threads",
        "databases adds no thread over asyncpg, and one for a connection over aiosqlite.",
        (added, threads) == (0, 1),
    )
    claim(
        "fetch-all-is-of-databases",
        "fetch_all is a method of databases; asyncpg, psycopg and aiosqlite have none.",
        has_it == [True, False, False, False],
    )


if __name__ == "__main__":
    asyncio.run(main())
