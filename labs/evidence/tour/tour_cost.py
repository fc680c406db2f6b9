"""The tour: what one small query costs in the program, by library. The database's part is the same.

Two measures. Processor time for each query differs from machine to machine: it is shown. The number
of Python functions called for each query is the same everywhere: a claim may use it. Compiled code,
which asyncpg and psycopg's C part are, does not count as a Python function.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import aiosqlite
import asyncpg
import psycopg
from databases import Database
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tortoise import Model, fields
from tortoise.context import TortoiseContext

from bench import Postgres, claim
from bench.instruments.work_counts import python_calls
from bistro.database import prepare

QUERIES, RUNS = 100, 5
BY_ID = "select id, name from dishes where id = {}".format
Look = Callable[[], Awaitable[object]]


class Base(DeclarativeBase):
    pass


class Dish(Base):
    __tablename__ = "dishes"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class TortoiseDish(Model):
    id = fields.IntField(primary_key=True)
    name = fields.TextField()

    class Meta:
        table = "dishes"


async def libraries(dsn: str, url: str, open_: AsyncExitStack) -> dict[str, Look]:
    """For each library a function that looks up dish 1, over what `open_` keeps open."""
    file = sqlite3.connect(":memory:")
    open_.callback(file.close)
    sync = open_.enter_context(psycopg.connect(dsn, autocommit=True))
    window = await asyncpg.connect(dsn)
    open_.push_async_callback(window.close)
    connect = psycopg.AsyncConnection.connect
    awaited = await open_.enter_async_context(await connect(dsn, autocommit=True))
    pool = await open_.enter_async_context(asyncpg.create_pool(dsn, min_size=1, max_size=1))
    book = await open_.enter_async_context(aiosqlite.connect(":memory:"))
    database = await open_.enter_async_context(Database(dsn, min_size=1, max_size=1))
    engine = create_async_engine(url, pool_size=1)
    open_.push_async_callback(engine.dispose)
    context = await open_.enter_async_context(TortoiseContext())
    await context.init(
        db_url=dsn.replace("postgresql://", "asyncpg://"), modules={"models": ["__main__"]}
    )
    for table in "create table dishes (id, name)", "insert into dishes values (1, 'Onion soup')":
        file.execute(table)
        await book.execute(table)

    async def of_sqlite3() -> object:
        return file.execute(BY_ID("?"), [1]).fetchone()

    async def of_psycopg() -> object:
        return sync.execute(BY_ID("%s"), [1]).fetchone()

    async def of_awaited() -> object:
        return await (await awaited.execute(BY_ID("%s"), [1])).fetchone()

    async def of_aiosqlite() -> object:
        return await book.execute_fetchall(BY_ID("?"), [1])

    async def of_core() -> object:
        async with engine.connect() as connection:
            return (await connection.execute(select(Dish.id, Dish.name).where(Dish.id == 1))).one()

    async def of_orm() -> object:
        async with AsyncSession(engine) as session:
            return await session.scalar(select(Dish).where(Dish.id == 1))

    return {
        "sqlite3": of_sqlite3,
        "aiosqlite": of_aiosqlite,
        "psycopg, blocking": of_psycopg,
        "psycopg, awaited": of_awaited,
        "asyncpg, connection": lambda: window.fetchrow(BY_ID("$1"), 1),
        "asyncpg, pool": lambda: pool.fetchrow(BY_ID("$1"), 1),
        "databases": lambda: database.fetch_one(BY_ID(":id"), {"id": 1}),
        "SQLAlchemy Core": of_core,
        "SQLAlchemy ORM": of_orm,
        "Tortoise ORM": lambda: TortoiseDish.get(id=1),
    }


async def microseconds(look: Look) -> float:
    """Processor time of the whole process for one query: the median of RUNS runs."""
    runs = []
    for _ in range(RUNS):
        began = time.process_time()
        for _ in range(QUERIES):
            await look()
        runs.append((time.process_time() - began) / QUERIES * 1e6)
    return statistics.median(runs)


async def main() -> None:
    async with Postgres() as pg, AsyncExitStack() as open_:
        await prepare(pg.dsn)
        cost, called = {}, {}
        for name, look in (await libraries(pg.dsn, pg.url("asyncpg"), open_)).items():
            await look()  # prepares the statement, fills the caches
            cost[name], called[name] = await microseconds(look), await python_calls(look)
    print("one look-up           processor time   Python functions called")
    for name, time_ in cost.items():
        print(f"{name:22} {time_:8.0f} µs   {called[name]:12.0f}")
    claim(
        "layers-add-work",
        "databases, SQLAlchemy and Tortoise call over three times the functions of asyncpg.",
        min(called[n] for n in ("databases", "SQLAlchemy Core", "SQLAlchemy ORM", "Tortoise ORM"))
        > 3 * called["asyncpg, connection"],
    )


if __name__ == "__main__":
    # psycopg's AsyncConnection needs this kind of loop; on Windows it is not the default
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())
