"""Two transactions keep a rule, each for itself, and break it together. Nobody writes the same row.

The rule: at least one of two cooks stays. Each reads that two are here, and leaves. Then a table
for one party: each of two guests sees that it is free, and reserves it. A barrier lets both read
before the first one writes.
"""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Postgres, claim, until

TABLES = """
    drop table if exists cooks, reserved, tables;
    create table cooks (name text primary key, here bool not null);
    insert into cooks values ('Ann', true), ('Ben', true);
    create table tables (seat int primary key);
    insert into tables values (7);
    create table reserved (seat int not null, party text not null);"""
WAITING = "select exists (select from pg_locks where not granted)"
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


async def reserve_by_table(window: asyncpg.Connection, name: str, *_: object) -> None:
    """Lock the one row that all of them pass: the table itself. Then look, then decide.

    Whoever has looked goes on when the other one has looked too, or waits for the lock.
    """
    async with window.transaction():
        await window.execute("select from tables where seat = 7 for update")
        taken = await window.fetch("select party from reserved where seat = 7")
        looked.append(name)

        async def other_is_here() -> bool:
            return len(looked) == 2 or await window.fetchval(WAITING)

        await until(other_is_here)
        if not taken:
            await window.execute("insert into reserved values (7, $1)", name)


looked: list[str] = []


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
        parent = await both(pg.dsn, reserve_by_table)
        constraint = await both(pg.dsn, reserve, extra=unique)
    print(f"REPEATABLE READ         {repeatable[0]} cooks stay, errors {repeatable[2]}")
    print(f"SERIALIZABLE            {serializable[0]} cook stays, errors {serializable[2]}")
    print(f"FOR UPDATE of all cooks {locked[0]} cook stays, errors {locked[2]}")
    print(f"FOR UPDATE of nothing   {nothing_to_lock[1]} parties at one table")
    print(f"FOR UPDATE of the table {parent[1]} party at one table, errors {parent[2]}")
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
        "a-lock-on-the-row-all-pass",
        "FOR UPDATE of one row that both must pass: one party, and nobody gets an error.",
        parent == (2, 1, []),
    )
    claim(
        "a-constraint-refuses-the-second",
        "A unique index refuses the second party with SQLSTATE 23505.",
        constraint == (2, 1, ["23505"]),
    )


if __name__ == "__main__":
    asyncio.run(main())
