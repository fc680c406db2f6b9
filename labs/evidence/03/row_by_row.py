"""Row by row or all at once: with aiosqlite, each call is a hand-over to another thread and back.

The hand-overs are counted at the queue between the two threads. A thousand rows, three ways.
"""

from __future__ import annotations

import asyncio
import time

import aiosqlite

from bench import claim

ROWS = 1000
NUMBERS = f"""
    with recursive n(i) as (select 1 union all select i + 1 from n limit {ROWS})
    select i from n"""


async def one_by_one(book: aiosqlite.Connection) -> int:
    rows = 0
    async with book.execute(NUMBERS) as cursor:
        while await cursor.fetchone():
            rows += 1
    return rows


async def async_for(book: aiosqlite.Connection) -> int:
    rows = 0
    async with book.execute(NUMBERS) as cursor:
        async for _ in cursor:
            rows += 1
    return rows


async def all_at_once(book: aiosqlite.Connection) -> int:
    return len(await book.execute_fetchall(NUMBERS))


class Counted:
    """aiosqlite's queue to its thread, with a count of what is put in."""

    def __init__(self, queue) -> None:
        self._queue, self.jobs = queue, 0

    def put_nowait(self, job) -> None:
        self.jobs += 1
        self._queue.put_nowait(job)


async def hand_overs(read) -> tuple[int, int, float]:
    """(rows, hand-overs, seconds) of one way to read."""
    async with aiosqlite.connect(":memory:") as book:
        book._tx = queue = Counted(book._tx)
        began = time.perf_counter()
        rows = await read(book)
        return rows, queue.jobs, time.perf_counter() - began


async def main() -> None:
    counts = {}
    print(f"{ROWS} rows          hand-overs   seconds")
    for read in one_by_one, async_for, all_at_once:
        rows, counts[read], took = await hand_overs(read)
        print(f"{read.__name__:18} {counts[read]:10} {took:9.3f}")
        assert rows == ROWS
    claim(
        "fetchone-hands-over-each-row",
        "Reading row by row hands over more than a thousand times.",
        counts[one_by_one] > ROWS,
    )
    claim(
        "fetchall-hands-over-once",
        "Reading all rows at once hands over once.",
        counts[all_at_once] == 1,
    )


if __name__ == "__main__":
    asyncio.run(main())
