"""Repeat a transaction that the database has refused: the whole of it, and not for ever.

The refusals are forced: a rival changes the row after each read, as often as the experiment says.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from bench import Postgres, claim

REFUSED = "40001", "40P01"  # a serialization failure, a deadlock: nothing of it has happened
READ = "select n from counter where id = 1"
WRITE = "update counter set n = $1 where id = 1"


async def retry(transaction: Callable[[], Awaitable], tries: int = 4, base: float = 0.005) -> None:
    """Run `transaction` until it is accepted, at most `tries` times.

    The pause after try k is a random part of base * 2**k. The last refusal is raised, and every
    other error at once.
    """
    for k in range(tries):
        try:
            return await transaction()
        except asyncpg.PostgresError as error:
            if error.sqlstate not in REFUSED or k == tries - 1:
                raise
        await asyncio.sleep(random.uniform(0, base * 2**k))


@asynccontextmanager
async def two(dsn: str) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection]]:
    """Two connections beside a fresh counter."""
    window, rival = [await asyncpg.connect(dsn) for _ in range(2)]
    await window.execute("drop table if exists counter")
    await window.execute("create table counter as select 1 as id, 0 as n")
    yield window, rival
    await window.close()
    await rival.close()


async def rivalry(dsn: str, rivals: int) -> tuple[list[int], int, int, str]:
    """Add ten while a rival adds one after each of the first `rivals` reads.

    Returns what was read, the letters sent by the function, the value at the end, the SQLSTATE.
    """
    reads, letters, state = [], 0, "00000"
    async with two(dsn) as (window, rival):

        async def add_ten() -> None:
            nonlocal letters
            async with window.transaction(isolation="repeatable_read"):
                reads.append(await window.fetchval(READ))
                letters += 1  # an effect that no database takes back
                if len(reads) <= rivals:
                    await rival.execute(WRITE, reads[-1] + 1)
                await window.execute(WRITE, reads[-1] + 10)

        try:
            await retry(add_ten)
        except asyncpg.PostgresError as error:
            state = error.sqlstate
        return reads, letters, await rival.fetchval(READ), state


async def one_statement_again(dsn: str) -> list[str]:
    """Repeat only the refused statement, inside the same transaction."""
    states = []
    async with two(dsn) as (window, rival):
        transaction = window.transaction(isolation="repeatable_read")
        await transaction.start()
        await window.fetchval(READ)
        await rival.execute(WRITE, 1)
        for _ in range(2):
            try:
                await window.execute(WRITE, 10)
            except asyncpg.PostgresError as error:
                states.append(error.sqlstate)
        await transaction.rollback()
    return states


async def duplicate(dsn: str) -> tuple[int, str]:
    """An error that every further try would meet again: how often is it tried?"""
    tries, state = 0, "00000"
    async with two(dsn) as (window, _):
        await window.execute("create unique index on counter (id)")

        async def insert() -> None:
            nonlocal tries
            tries += 1
            await window.execute("insert into counter values (1, 1)")

        try:
            await retry(insert)
        except asyncpg.PostgresError as error:
            state = error.sqlstate
    return tries, state


async def main() -> None:
    async with Postgres() as pg:
        reads, letters, n, state = await rivalry(pg.dsn, rivals=1)
        seen, _, _, end = await rivalry(pg.dsn, rivals=99)
        statement = await one_statement_again(pg.dsn)
        other = await duplicate(pg.dsn)
    print(f"a rival comes once:   read {reads}, the row says {n}, letters: {letters}")
    print(f"a rival comes always: read {seen}, the caller gets {end}")
    print(f"the statement alone, twice: {statement};  a duplicate: {other[0]} try, {other[1]}")
    claim(
        "retry-from-the-first-read",
        "The second try reads again, and both changes are kept: 0 + 1 + 10.",
        (reads, n, state) == ([0, 1], 11, "00000"),
    )
    claim(
        "effects-outside-are-repeated",
        "What the repeated function does outside the database happens twice.",
        letters == 2,
    )
    claim(
        "a-budget-ends-the-retries",
        "After four refused tries the caller gets the error, SQLSTATE 40001.",
        (seen, end) == ([0, 1, 2, 3], "40001"),
    )
    claim(
        "a-statement-alone-cannot-be-repeated",
        "The refused statement alone is refused again with 25P02: its transaction has ended.",
        statement == ["40001", "25P02"],
    )
    claim(
        "other-errors-are-not-retried",
        "A duplicate, SQLSTATE 23505, is tried once.",
        other == (1, "23505"),
    )


if __name__ == "__main__":
    asyncio.run(main())
