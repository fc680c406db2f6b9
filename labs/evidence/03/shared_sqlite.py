"""Two tasks share one aiosqlite connection, and so they share its transaction.

Task A moves fifty from account 1 to account 2, and fails between the two halves. Task B adds an
account. Events fix the order, so nothing depends on luck.
"""

from __future__ import annotations

import asyncio

import aiosqlite

from bench import claim

TABLE = """
    create table accounts (id int primary key, balance int);
    insert into accounts values (1, 100), (2, 100);"""


async def fails_half_way(
    book: aiosqlite.Connection, taken: asyncio.Event, go: asyncio.Event
) -> None:
    """Task A: it rolls back what it did, or so it believes."""
    await book.execute("update accounts set balance = balance - 50 where id = 1")
    taken.set()
    await go.wait()
    await book.rollback()


async def b_commits_first(book: aiosqlite.Connection) -> None:
    """B's commit comes while A is half-way; A rolls back afterwards."""
    taken, go = asyncio.Event(), asyncio.Event()
    a = asyncio.create_task(fails_half_way(book, taken, go))
    await taken.wait()
    await book.execute("insert into accounts values (3, 1)")
    await book.commit()
    go.set()
    await a


async def a_rolls_back_first(book: aiosqlite.Connection) -> None:
    """A rolls back between B's insert and B's commit."""
    taken, go = asyncio.Event(), asyncio.Event()
    a = asyncio.create_task(fails_half_way(book, taken, go))
    await taken.wait()
    await book.execute("insert into accounts values (3, 1)")
    go.set()
    await a
    await book.commit()


async def balances_after(story) -> dict[int, int]:
    async with aiosqlite.connect(":memory:") as book:
        await book.executescript(TABLE)
        await story(book)
        return dict(await book.execute_fetchall("select id, balance from accounts"))


async def main() -> None:
    half, lost = await balances_after(b_commits_first), await balances_after(a_rolls_back_first)
    print(f"B commits while A is half-way: {half}")
    print(f"A rolls back before B commits: {lost}")
    claim(
        "shared-sqlite-keeps-half-a-transfer",
        "B's commit makes A's half transfer last: fifty are gone.",
        half == {1: 50, 2: 100, 3: 1},
    )
    claim(
        "shared-sqlite-loses-a-row",
        "A's rollback takes B's row with it, and B's commit reports no error.",
        lost == {1: 100, 2: 100},
    )


if __name__ == "__main__":
    asyncio.run(main())
