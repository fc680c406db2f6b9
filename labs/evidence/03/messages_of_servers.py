"""What an address, a mapped row, a type and the server's rights are refused with, each once.

asyncpg's words come with the class and the SQLSTATE. SQLAlchemy's come with its own class: the
driver's stands behind it, with the same words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench import Postgres, claim

TABLES = """
    create table guest (id int primary key, name text, table_id uuid);
    insert into guest values (1, 'Anna', gen_random_uuid());
    create table seats (id uuid);
    create role waiter"""
ADD = "insert into guest values (2, 'Ben') on conflict ({}) do nothing"


class Base(DeclarativeBase):
    pass


class Guest(Base):
    __tablename__ = "guest"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Seat(Base):
    __tablename__ = "seats"
    id: Mapped[str] = mapped_column(primary_key=True)  # the table has uuid


async def message(call: Callable[[], Awaitable[object]]) -> str:
    """Class, SQLSTATE and the first line of what a call raises; the driver's, if it has a say."""
    try:
        await call()
    except Exception as error:
        said = error.orig.__cause__ if isinstance(error, DBAPIError) else error
        state = getattr(said, "sqlstate", None) or "-"
        return f"{type(said).__name__} {state} {str(said).splitlines()[0]}"
    return "nothing - -"


async def of_addresses(dsn: str) -> dict[str, str]:
    async def ask(url: str) -> object:
        engine = create_async_engine(url)
        try:
            async with engine.connect() as connection:
                return await connection.execute(text("select 1"))
        finally:
            await engine.dispose()

    async def alone(dsn: str) -> None:
        await (await asyncpg.connect(dsn)).close()

    plain = dsn.partition("?")[0]
    modern = plain.replace("postgresql:", "postgresql+asyncpg:")
    return {
        "sslmode": await message(lambda: ask(f"{modern}?sslmode=disable")),
        "channel_binding": await message(lambda: ask(f"{modern}?channel_binding=prefer")),
        "sslmode, asyncpg": await message(lambda: alone(f"{plain}?sslmode=disable")),
        "ssl": await message(lambda: ask(f"{modern}?ssl=disable")),
        "postgres://": await message(lambda: ask(plain.replace("postgresql:", "postgres:"))),
        "postgres+asyncpg": await message(lambda: ask(modern.replace("postgresql", "postgres"))),
    }


async def of_rows(engine: AsyncEngine, boss: asyncpg.Connection) -> dict[str, str]:
    async with AsyncSession(engine) as session:
        anna = await session.get(Guest, 1)
        await boss.execute("delete from guest")
        anna.name = "Ann"
        gone = await message(session.commit)
    async with AsyncSession(engine) as session:
        twin = await message(lambda: session.get(Seat, "6ec0bd7f"))
    return {"a row that is gone": gone, "text for a uuid": twin}


async def of_transactions(boss: asyncpg.Connection) -> dict[str, str]:
    async def nested() -> None:
        async with boss.transaction():
            pass

    await boss.execute("begin")
    said = {"begin by hand": await message(nested)}
    await boss.execute("rollback")
    async with boss.transaction(readonly=True):
        said["read only"] = await message(lambda: boss.execute("delete from seats"))
    return said


async def of_statements(boss: asyncpg.Connection) -> dict[str, str]:
    statements = {
        "no number": "select 'two'::int",
        "no uuid": "select 'table 2'::uuid",
        "no JSON": "select '{''dish'': 1}'::json",
        "no such conflict": ADD.format("name"),
        "… the primary key": ADD.format("id"),
        "no right": "set role waiter; select * from guest",
        "… to make a table": "set role waiter; create table mine ()",
    }
    said = {
        name: await message(lambda sql=sql: boss.execute(sql)) for name, sql in statements.items()
    }
    await boss.execute("reset role")
    return said


async def of_databases(boss: asyncpg.Connection, dsn: str) -> dict[str, str]:
    """Dropping a database in which somebody has a connection, and then with force."""
    await boss.execute("create database bistro_test")
    guest = await asyncpg.connect(dsn, database="bistro_test")
    said = {
        "a guest is in it": await message(lambda: boss.execute("drop database bistro_test")),
        "… with (force)": await message(
            lambda: boss.execute("drop database bistro_test with (force)")
        ),
    }
    guest.terminate()
    return said


async def main() -> None:
    async with Postgres(embedded=True) as pg:
        boss = await asyncpg.connect(pg.dsn)
        await boss.execute(TABLES)
        engine = create_async_engine(pg.url("asyncpg"))
        said = {
            "addresses": await of_addresses(pg.dsn),
            "statements": await of_statements(boss),
            "transactions": await of_transactions(boss),
            "rows": await of_rows(engine, boss),
            "databases": await of_databases(boss, pg.dsn),
        }
        await engine.dispose()
        await boss.close()
    for family, words in said.items():
        print(f"-- {family}")
        for what, text_of_it in words.items():
            print(f"{what:18} {text_of_it}")
    addresses, statements, transactions, rows, databases = said.values()
    claim(
        "sslmode-is-not-asyncpgs-word",
        "SQLAlchemy hands sslmode to asyncpg as a keyword, which it refuses; ssl is taken.",
        addresses["sslmode"].endswith("got an unexpected keyword argument 'sslmode'")
        and addresses["channel_binding"].endswith("keyword argument 'channel_binding'")
        and addresses["ssl"] == addresses["sslmode, asyncpg"] == "nothing - -",
    )
    claim(
        "the-dialect-is-called-postgresql",
        "An address with postgres:// has no plugin: SQLAlchemy's dialect is called postgresql.",
        addresses["postgres://"].endswith("load plugin: sqlalchemy.dialects:postgres")
        and addresses["postgres+asyncpg"].endswith("sqlalchemy.dialects:postgres.asyncpg"),
    )
    claim(
        "a-row-that-is-gone-is-stale",
        "A row was deleted by another one: the session's UPDATE expected 1 row, and matched 0.",
        rows["a row that is gone"].startswith("StaleDataError")
        and "expected to update 1 row(s); 0 were matched" in rows["a row that is gone"],
    )
    claim(
        "a-model-with-text-for-a-uuid",
        "The model says str, the column is uuid: operator does not exist, 42883.",
        rows["text for a uuid"].split()[1] == "42883"
        and rows["text for a uuid"].endswith("does not exist: uuid = character varying"),
    )
    claim(
        "a-begin-by-hand-is-in-the-way",
        "After execute('begin') asyncpg's transaction() is refused: manually started.",
        transactions["begin by hand"].endswith("in a manually started transaction"),
    )
    claim(
        "what-a-role-or-a-transaction-may-not",
        "A role without the right: 42501. A write in a read-only transaction: 25006.",
        [statements[what].split()[1] for what in ("no right", "… to make a table")] == ["42501"] * 2
        and transactions["read only"].split()[1] == "25006",
    )
    claim(
        "on-conflict-needs-a-constraint",
        "ON CONFLICT (name) without a unique constraint is 42P10; on the primary key it works.",
        statements["no such conflict"].split()[1] == "42P10"
        and statements["… the primary key"] == "nothing - -",
    )
    claim(
        "a-text-that-is-not-of-its-type",
        "Text that is no number, no uuid or no JSON: invalid input syntax, 22P02.",
        [statements[what].split()[1] for what in ("no number", "no uuid", "no JSON")]
        == ["22P02"] * 3,
    )
    claim(
        "a-database-in-use-is-not-dropped",
        "DROP DATABASE while somebody is connected is 55006; with (force) it goes.",
        databases["a guest is in it"].split()[1] == "55006"
        and databases["… with (force)"] == "nothing - -",
    )


if __name__ == "__main__":
    asyncio.run(main())
