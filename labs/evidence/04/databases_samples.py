"""Two samples of the document this course began with, run: `connect()` and `connection()`.

Both belong to the library `databases` (0.9.0, March 2024, the last release so far). The one sample
uses what `connect()` returns as a connection; the other borrows with `connection()`.
"""

from __future__ import annotations

import asyncio

from databases import Database

from bench import Postgres, claim


async def sample(database: Database) -> str:
    """The sample called wrong, as it stands: what happens on its second line?"""
    connection = await database.connect()
    try:
        return str(await connection.fetch_one("select 1"))
    except AttributeError as error:
        return f"AttributeError: {error}"


async def same_task(database: Database) -> bool:
    """Whether a task that borrows twice gets the same connection twice."""
    async with database.connection() as first, database.connection() as second:
        return first is second


async def two_tasks(database: Database) -> bool:
    """Whether two tasks that borrow at the same time get the same connection."""
    both_here = asyncio.Barrier(2)

    async def borrow() -> object:
        async with database.connection() as connection:
            await both_here.wait()
            return connection

    first, second = await asyncio.gather(borrow(), borrow())
    return first is second


async def main() -> None:
    async with Postgres() as pg:
        database = Database(pg.dsn, min_size=2, max_size=2)
        try:
            outcome = await sample(database)
            one, two = await same_task(database), await two_tasks(database)
        finally:
            await database.disconnect()
    print(f"the sample: {outcome}")
    print(f"the same connection: nested in one task {one}, in two tasks {two}")
    claim(
        "databases-connect-returns-none",
        "databases: connect() opens the pool and returns None; the sample's next line fails.",
        outcome.startswith("AttributeError: 'NoneType'"),
    )
    claim(
        "databases-one-connection-per-task",
        "databases: nested connection() in one task is the same connection; two tasks have two.",
        (one, two) == (True, False),
    )


if __name__ == "__main__":
    asyncio.run(main())
