"""A migration runs while the app is running. What do the statements say that were prepared before?

A prepared statement remembers the columns it returns. `select *` has other columns after the
migration, so the server refuses the old plan. Outside a transaction asyncpg prepares again by
itself. Inside, the transaction has ended with the error: nobody but you can repeat it.
"""

from __future__ import annotations

import asyncio

import asyncpg
from asyncpg.exceptions import InvalidCachedStatementError

from bench import Postgres, claim

TABLE = "create table menu as select 1 as id, 'soup' as name"
STAR = "select * from menu where id = $1"
NAMED = "select id, name from menu where id = $1"
WIDER = "alter table menu add column price int"
LONGER = "alter table menu alter column name type varchar(80)"


async def ask(window: asyncpg.Connection, sql: str, inside: bool) -> str:
    """The columns that `sql` returns, or the SQLSTATE of its refusal."""
    try:
        if not inside:
            return " ".join((await window.fetchrow(sql, 1)).keys())
        async with window.transaction():
            return " ".join((await window.fetchrow(sql, 1)).keys())
    except InvalidCachedStatementError as error:
        return error.sqlstate


async def after(dsn: str, sql: str, migration: str, inside: bool) -> list[str]:
    """Two answers to a prepared `sql` after the migration, from one connection."""
    window, migrator = [await asyncpg.connect(dsn) for _ in range(2)]
    await migrator.execute(f"drop table if exists menu; {TABLE}")
    await window.fetchrow(sql, 1)  # prepared, and kept on the connection
    await migrator.execute(migration)
    answers = [await ask(window, sql, inside) for _ in range(2)]
    for one in window, migrator:
        await one.close()
    return answers


async def both_of_a_pool(dsn: str) -> list[str]:
    """The answers of two connections of one pool that had both prepared the statement."""
    async with asyncpg.create_pool(dsn, min_size=2, max_size=2) as pool:
        await pool.execute(f"drop table if exists menu; {TABLE}")
        async with pool.acquire() as one, pool.acquire() as other:
            for window in one, other:
                await window.fetchrow(STAR, 1)
            await one.execute(WIDER)
            return [await ask(window, STAR, inside=True) for window in (one, other)]


async def main() -> None:
    async with Postgres() as pg:
        outside = await after(pg.dsn, STAR, WIDER, inside=False)
        inside = await after(pg.dsn, STAR, WIDER, inside=True)
        named = await after(pg.dsn, NAMED, WIDER, inside=True)
        other_type = await after(pg.dsn, NAMED, LONGER, inside=True)
        pool = await both_of_a_pool(pg.dsn)
    print(f"select *, no transaction       {outside}")
    print(f"select *, in a transaction     {inside}")
    print(f"named columns, a new column    {named}")
    print(f"named columns, another type    {other_type}")
    print(f"select *, two of a pool        {pool}")
    claim(
        "outside-the-statement-heals",
        "Outside a transaction asyncpg prepares the statement again by itself.",
        outside == ["id name price"] * 2,
    )
    claim(
        "inside-the-transaction-must-repeat",
        "Inside a transaction the first answer is SQLSTATE 0A000; repeated, it is accepted.",
        inside == ["0A000", "id name price"],
    )
    claim(
        "named-columns-survive-a-new-one",
        "A statement that names its columns survives a new column.",
        named == ["id name"] * 2,
    )
    claim(
        "another-type-breaks-named-columns",
        "It does not survive another type of a column that it names.",
        other_type == ["0A000", "id name"],
    )
    claim(
        "one-refusal-for-a-pool",
        "After one refusal the other connection of the pool has dropped its statements as well.",
        pool == ["0A000", "id name price"],
    )


if __name__ == "__main__":
    asyncio.run(main())
