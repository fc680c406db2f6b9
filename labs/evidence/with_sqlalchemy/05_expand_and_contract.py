"""A rename while two releases run: in one step it breaks the older one, in five it breaks none.

Expand: a new column that may be null. Backfill in batches what differs, when no worker writes the
old column alone, or a trigger copies it: an earlier backfill loses what such a worker writes later.
Then a constraint that is NOT VALID, which holds for whatever is written from now on, and VALIDATE,
which looks at the rest while others write. Before the backfill the constraint is a trap: an old row
cannot be changed any more. Then the old column may be null, and a release leaves it out. Contract:
drop it when no worker names it.
"""

from __future__ import annotations

import asyncio

import asyncpg
from sqlalchemy import Integer, Text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, mapped_column
from tables import desk, fill

from bench import Postgres, claim, until

RENAME = "alter table guest rename column name to full_name"
REQUIRED = "alter table guest add column full_name text not null default ''"
NO_DEFAULT = f"{REQUIRED}; alter table guest alter column full_name drop default"
EXPAND = "alter table guest add column full_name text"
BATCH = """
    update guest set full_name = name where id in (
        select id from guest where full_name is distinct from name order by id limit 20 for update)
    """
ONLY_NULL = BATCH.replace("is distinct from name", "is null")
TRIGGER = """
    create or replace function copy_name() returns trigger language plpgsql as
        'begin new.full_name := new.name; return new; end';
    create trigger copy_name before insert or update of name on guest
        for each row execute function copy_name()"""
RULE = "alter table guest add constraint named check (full_name is not null) not valid"
VALIDATE = "alter table guest validate constraint named"
REQUIRE = "alter table guest alter column full_name set not null"
NAMELESS = "insert into guest (name) values ('nobody')"
OPTIONAL = "alter table guest alter column name drop not null"
CONTRACT = "alter table guest drop column name"
CHANGE = "update guest set name = 'Ann' where id = 50"
ANN_IN_BOTH = "update guest set name = 'Ann', full_name = 'Ann' where id = 1"
ANNA_IN_THE_OLD = "update guest set name = 'Anna' where id = 1"
NAMED = "insert into guest (name, full_name) values ('Ann', 'Ann')"
WAITING = """select count(*) from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database()"""


def release(*columns: str) -> type[DeclarativeBase]:
    """The ORM class of a release whose guests have these columns."""
    base = type("Base", (DeclarativeBase,), {})
    named = {column: mapped_column(Text) for column in columns}
    of_guest = {"__tablename__": "guest", "id": mapped_column(Integer, primary_key=True)}
    return type("Guest", (base,), of_guest | named)


OLD, BOTH, NEW = release("name"), release("name", "full_name"), release("full_name")


async def worker(pg: Postgres, guest: type[DeclarativeBase]) -> list[str]:
    """Whether a worker of this release can read and write: "ok", or the SQLSTATE."""
    engine, ends = create_async_engine(pg.url("asyncpg")), []
    for writes in (False, True):
        try:
            async with AsyncSession(engine) as session:
                if writes:
                    names = guest.__table__.columns.keys()[1:]
                    session.add(guest(**dict.fromkeys(names, "Ben")))
                    await session.commit()
                else:
                    await session.get(guest, 1)
            ends.append("ok")
        except DBAPIError as error:
            ends.append(error.orig.sqlstate)
    await engine.dispose()
    return ends


async def after(pg: Postgres, migration: str) -> list[str]:
    await fill(pg.dsn)
    async with desk(pg.dsn) as migrator:
        await migrator.execute(migration)
    return await worker(pg, OLD)


async def backfill(migrator: asyncpg.Connection, batch: str) -> list[int]:
    """How many rows each batch changed, until none is left."""
    changed = []
    while rows := int((await migrator.execute(batch)).split()[1]):
        changed.append(rows)
    return changed


async def batches(dsn: str) -> tuple[list[int], str]:
    """How many rows each batch changed, and how a guest's own change went during the first."""
    async with desk(dsn) as migrator, desk(dsn) as guest:
        async with migrator.transaction():  # rows 1 to 20 are locked
            first = int((await migrator.execute(BATCH)).split()[1])
            meanwhile = await write(guest, CHANGE)
        return [first, *await backfill(migrator, BATCH)], meanwhile


async def read_at_last(dsn: str, *steps: str) -> str:
    """The full name of guest 1 after these steps and VALIDATE; whoever wrote last said Anna."""
    await fill(dsn)
    async with desk(dsn) as migrator:
        await migrator.execute(EXPAND)
        for step in steps:
            if step in (BATCH, ONLY_NULL):
                await backfill(migrator, step)
            else:
                await migrator.execute(step)
        await migrator.execute(RULE)
        await migrator.execute(VALIDATE)
        return await migrator.fetchval("select full_name from guest where id = 1")


async def step_by_step(pg: Postgres) -> dict[str, list[list[str]]]:
    """How the workers of the three releases read and write after each step of the recipe."""
    await fill(pg.dsn)
    steps, seen = {"expand": EXPAND, "rule": RULE, "optional": OPTIONAL, "contract": CONTRACT}, {}
    async with desk(pg.dsn) as migrator:
        for name, step in steps.items():
            if step == RULE:
                await backfill(migrator, BATCH)
            await migrator.execute(step)
            seen[name] = [await worker(pg, guest) for guest in (OLD, BOTH, NEW)]
            await migrator.execute("delete from guest where id > 50")
    return seen


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
        read = {
            "backfill, an old worker writes": await read_at_last(pg.dsn, BATCH, ANNA_IN_THE_OLD),
            "both release, old worker, backfill of nulls": await read_at_last(
                pg.dsn, ANN_IN_BOTH, ANNA_IN_THE_OLD, ONLY_NULL
            ),
            "both release, old worker, backfill of what differs": await read_at_last(
                pg.dsn, ANN_IN_BOTH, ANNA_IN_THE_OLD, BATCH
            ),
            "a trigger, backfill, an old worker writes": await read_at_last(
                pg.dsn, TRIGGER, BATCH, ANNA_IN_THE_OLD
            ),
        }
        steps = await step_by_step(pg)
    print("an old worker reads, writes:")
    print(f"    renamed                  {renamed}")
    print(f"    a required column        {required}")
    print(f"    a column that may be null {expanded}")
    print(f"NOT VALID: a new row without the column {ruled[0]}, with it {ruled[1]}")
    print(f"NOT VALID before the backfill: an old row is changed {ruled[2]}")
    print(f"batches: {changed}; a guest's change beside the first: {meanwhile}")
    print(f"an insert beside VALIDATE: {validated}; beside SET NOT NULL: {strict}")
    print("the last writer said Anna; VALIDATE passes; full_name is")
    for order, name in read.items():
        print(f"    {order:50} {name}")
    print("reads, writes:  the old release     the one of both     the new one")
    for step, ends in steps.items():
        columns = "  ".join(f"{' '.join(end):18}" for end in ends)
        print(f"    {step:11} {columns}".rstrip())
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
    early, nulls, differs, trigger = read.values()
    claim(
        "a-backfill-is-stale-if-old-workers-write",
        "Backfilled first, then written by an old worker: VALIDATE passes, the change is lost.",
        early == "guest 1",
    )
    claim(
        "a-backfill-of-nulls-keeps-stale-names",
        "Old workers wrote after new ones: a backfill of nulls loses that, of what differs not.",
        (nulls, differs) == ("Ann", "Anna"),
    )
    claim(
        "a-trigger-copies-what-old-workers-write",
        "With a trigger an old worker's change after the backfill is in both columns.",
        trigger == "Anna",
    )
    claim(
        "a-drop-breaks-who-names-the-column",
        "After the drop the release of both columns reads and writes with 42703, the new one goes.",
        steps["contract"][1:] == [["42703", "42703"], ["ok", "ok"]],
    )
    claim(
        "a-column-becomes-optional-before-it-is-left-out",
        "While the old column is required, the release without it inserts nothing: 23502.",
        [steps[step][2] for step in ("rule", "optional")] == [["ok", "23502"], ["ok", "ok"]],
    )
    claim(
        "each-step-serves-two-releases",
        "Each step but the last serves two releases: old and both, both, both and new.",
        [steps["expand"][:2], steps["rule"][1:2], steps["optional"][1:]]
        == [[["ok", "ok"]] * 2, [["ok", "ok"]], [["ok", "ok"]] * 2],
    )


if __name__ == "__main__":
    asyncio.run(main())
