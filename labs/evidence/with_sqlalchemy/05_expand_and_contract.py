"""A rename while old and new workers run: in one step it breaks the old ones, in four it does not.

Expand: a new column that may be null. Backfill in batches. Then a constraint that is NOT VALID,
which holds for whatever is written from now on, and VALIDATE, which looks at the rest while others
write. Before the backfill the constraint is a trap: an old row cannot be changed any more.
Contract: drop the old column when no old worker runs.
"""

from __future__ import annotations

import asyncio

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from tables import Guest, desk, fill

from bench import Postgres, claim, until

RENAME = "alter table guest rename column name to full_name"
REQUIRED = "alter table guest add column full_name text not null default ''"
NO_DEFAULT = f"{REQUIRED}; alter table guest alter column full_name drop default"
EXPAND = "alter table guest add column full_name text"
BATCH = """
    update guest set full_name = name where id in (
        select id from guest where full_name is null order by id limit 20 for update skip locked)"""
RULE = "alter table guest add constraint named check (full_name is not null) not valid"
VALIDATE = "alter table guest validate constraint named"
REQUIRE = "alter table guest alter column full_name set not null"
NAMELESS = "insert into guest (name) values ('nobody')"
CHANGE = "update guest set name = 'Ann' where id = 50"
NAMED = "insert into guest (name, full_name) values ('Ann', 'Ann')"
WAITING = """select count(*) from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database()"""


async def old_worker(pg: Postgres) -> list[str]:
    """Whether a worker that knows only `name` can read and write: "ok", or the SQLSTATE."""
    engine, ends = create_async_engine(pg.url("asyncpg")), []
    for writes in (False, True):
        try:
            async with AsyncSession(engine) as session:
                if writes:
                    session.add(Guest(name="Ben"))
                    await session.commit()
                else:
                    await session.get(Guest, 1)
            ends.append("ok")
        except DBAPIError as error:
            ends.append(error.orig.sqlstate)
    await engine.dispose()
    return ends


async def after(pg: Postgres, migration: str) -> list[str]:
    await fill(pg.dsn)
    async with desk(pg.dsn) as migrator:
        await migrator.execute(migration)
    return await old_worker(pg)


async def batches(dsn: str) -> tuple[list[int], str]:
    """How many rows each batch changed, and how a guest's own change went during the first."""
    changed = []
    async with desk(dsn) as migrator, desk(dsn) as guest:
        async with migrator.transaction():  # rows 1 to 20 are locked
            changed.append(int((await migrator.execute(BATCH)).split()[1]))
            meanwhile = await write(guest, CHANGE)
        while rows := int((await migrator.execute(BATCH)).split()[1]):
            changed.append(rows)
    return changed, meanwhile


async def write(connection: asyncpg.Connection, statement: str) -> str:
    try:
        await connection.execute(statement)
    except asyncpg.IntegrityConstraintViolationError as error:
        return error.sqlstate
    return "ok"


async def while_open(dsn: str, change: str) -> str:
    """What becomes of a guest's insert while the transaction of `change` is open."""
    async with desk(dsn) as migrator, desk(dsn) as guest, desk(dsn) as watcher:
        async with migrator.transaction():
            await migrator.execute(change)
            writing = asyncio.create_task(write(guest, NAMED))

            async def decided() -> bool:
                return writing.done() or await watcher.fetchval(WAITING)

            await until(decided, what="the insert to be done, or to wait")
            end = await writing if writing.done() else "waits"
        await writing
    return end


async def main() -> None:
    async with Postgres() as pg:
        renamed, required = await after(pg, RENAME), await after(pg, NO_DEFAULT)
        expanded = await after(pg, EXPAND)
        await fill(pg.dsn)
        async with desk(pg.dsn) as migrator:
            await migrator.execute(EXPAND)
            await migrator.execute(RULE)
            ruled = [await write(migrator, sql) for sql in (NAMELESS, NAMED, CHANGE)]
            await fill(pg.dsn)
            await migrator.execute(EXPAND)
            changed, meanwhile = await batches(pg.dsn)
            await migrator.execute(RULE)
            validated = await while_open(pg.dsn, VALIDATE)
            strict = await while_open(pg.dsn, REQUIRE)
    print("an old worker reads, writes:")
    print(f"    renamed                  {renamed}")
    print(f"    a required column        {required}")
    print(f"    a column that may be null {expanded}")
    print(f"NOT VALID: a new row without the column {ruled[0]}, with it {ruled[1]}")
    print(f"NOT VALID before the backfill: an old row is changed {ruled[2]}")
    print(f"batches: {changed}; a guest's change beside the first: {meanwhile}")
    print(f"an insert beside VALIDATE: {validated}; beside SET NOT NULL: {strict}")
    claim(
        "a-rename-breaks-old-workers",
        "After a rename an old worker reads and writes with 42703: no such column.",
        renamed == ["42703", "42703"],
    )
    claim(
        "a-required-column-breaks-old-writers",
        "A required column without a default lets an old worker read, not insert: 23502.",
        required == ["ok", "23502"],
    )
    claim(
        "an-expanded-table-serves-old-workers",
        "A column that may be null disturbs neither.",
        expanded == ["ok", "ok"],
    )
    claim(
        "not-valid-holds-for-new-rows",
        "A constraint that is NOT VALID refuses a new row, though fifty old rows break it.",
        ruled[:2] == ["23514", "ok"],
    )
    claim(
        "not-valid-holds-for-changed-rows-too",
        "Before the backfill it refuses any change of an old row, of other columns as well.",
        ruled[2] == "23514",
    )
    claim(
        "a-batch-locks-its-own-rows",
        "Fifty rows in batches of twenty; beside the first one a guest changes another row.",
        changed == [20, 20, 10] and meanwhile == "ok",
    )
    claim(
        "validate-lets-writers-go-on",
        "An insert goes on beside VALIDATE, and waits beside SET NOT NULL.",
        (validated, strict) == ("ok", "waits"),
    )


if __name__ == "__main__":
    asyncio.run(main())
