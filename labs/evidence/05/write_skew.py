"""Two transactions keep a rule, each for itself, and break it together. Nobody writes the same row.

The rule: at least one of two cooks stays. Each reads that two are here, and leaves. Then a table
for one party: each of two guests sees that it is free, and reserves it. A barrier lets both read
before the first one writes.
"""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Postgres, claim

TABLES = """
    drop table if exists cooks, reserved;
    create table cooks (name text primary key, here bool not null);
    insert into cooks values ('Ann', true), ('Ben', true);
    create table reserved (seat int not null, party text not null);"""
LOCKED = "select name from cooks where here order by name for update"


async def leave(window: asyncpg.Connection, name: str, both: asyncio.Barrier, level: str) -> None:
    async with window.transaction(isolation=level):
        here = await window.fetchval("select count(*) from cooks where here")
        await both.wait()
        if here >= 2:
            await window.execute("update cooks set here = false where name = $1", name)


async def leave_locked(window: asyncpg.Connection, name: str, *_: object) -> None:
    """Lock every row the rule is about, then decide. Whoever comes second reads again."""
    async with window.transaction():
        if len(await window.fetch(LOCKED)) >= 2:
            await window.execute("update cooks set here = false where name = $1", name)


async def reserve(window: asyncpg.Connection, name: str, both: asyncio.Barrier, _: str) -> None:
    """FOR UPDATE locks the rows that it finds, and here it finds none."""
    async with window.transaction():
        taken = await window.fetch("select party from reserved where seat = 7 for update")
        await both.wait()
        if not taken:
            await window.execute("insert into reserved values (7, $1)", name)


async def both(dsn: str, work, level: str = "", extra: str = "") -> tuple[int, int, list[str]]:
    """Cooks who are here and parties at table 7 after Ann and Ben, and the SQLSTATEs they got."""
    ann, ben = [await asyncpg.connect(dsn) for _ in range(2)]
    await ann.execute(TABLES + extra)
    barrier = asyncio.Barrier(2)
    ends = await asyncio.gather(
        work(ann, "Ann", barrier, level), work(ben, "Ben", barrier, level), return_exceptions=True
    )
    here = await ann.fetchval("select count(*) from cooks where here")
    parties = await ann.fetchval("select count(*) from reserved")
    for window in ann, ben:
        await window.close()
    return here, parties, [end.sqlstate for end in ends if end]


async def main() -> None:
    unique = "create unique index on reserved (seat);"
    async with Postgres() as pg:
        repeatable = await both(pg.dsn, leave, "repeatable_read")
        serializable = await both(pg.dsn, leave, "serializable")
        locked = await both(pg.dsn, leave_locked)
        nothing_to_lock = await both(pg.dsn, reserve)
        constraint = await both(pg.dsn, reserve, extra=unique)
    print(f"REPEATABLE READ         {repeatable[0]} cooks stay, errors {repeatable[2]}")
    print(f"SERIALIZABLE            {serializable[0]} cook stays, errors {serializable[2]}")
    print(f"FOR UPDATE of all cooks {locked[0]} cook stays, errors {locked[2]}")
    print(f"FOR UPDATE of nothing   {nothing_to_lock[1]} parties at one table")
    print(f"a unique index          {constraint[1]} party at one table, errors {constraint[2]}")
    claim(
        "repeatable-read-allows-write-skew",
        "REPEATABLE READ: both cooks leave, and nobody gets an error.",
        repeatable == (0, 0, []),
    )
    claim(
        "serializable-refuses-write-skew",
        "SERIALIZABLE: one of the two is refused with SQLSTATE 40001, and one cook stays.",
        serializable == (1, 0, ["40001"]),
    )
    claim(
        "locking-what-the-rule-reads",
        "FOR UPDATE of every row that the rule reads: one cook stays, without an error.",
        locked == (1, 0, []),
    )
    claim(
        "for-update-finds-nothing-to-lock",
        "FOR UPDATE locks no row that is not there yet: two parties get the same table.",
        nothing_to_lock == (2, 2, []),
    )
    claim(
        "a-constraint-refuses-the-second",
        "A unique index refuses the second party with SQLSTATE 23505.",
        constraint == (2, 1, ["23505"]),
    )


if __name__ == "__main__":
    asyncio.run(main())
