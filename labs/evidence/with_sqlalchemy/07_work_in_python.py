"""Each layer above asyncpg adds Python functions; an ORM adds some for each row as well.

The number of functions is the same on every machine, so the claims use it. Processor time is shown
for one run, as a multiple of what asyncpg's pool needs: the rounds of all layers are interleaved,
so that a busy moment of the machine hits all of them.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

import asyncpg
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelSession
from tables import Guest, fill

from bench import Postgres, claim
from bench.instruments.work_counts import python_calls

ROWS, ROUNDS, QUERIES = (1, 100), 5, 10
Read = Callable[[], Awaitable[object]]


class SQLModelGuest(SQLModel, table=True):
    __tablename__ = "guest"
    id: int = Field(primary_key=True)
    name: str


def layers(
    pool: asyncpg.Pool, engine: AsyncEngine, autocommit: AsyncEngine, rows: int
) -> dict[str, Read]:
    """How to read so many guests, from the driver upwards."""
    columns = select(Guest.id, Guest.name).where(Guest.id <= rows)
    objects = select(Guest).where(Guest.id <= rows)
    models = select(SQLModelGuest).where(SQLModelGuest.id <= rows)

    async def by_core(on: AsyncEngine) -> object:
        async with on.connect() as connection:
            return (await connection.execute(columns)).all()

    async def by_session() -> object:
        async with AsyncSession(engine) as session:
            return (await session.execute(columns)).all()

    async def by_orm() -> object:
        async with AsyncSession(engine) as session:
            return (await session.scalars(objects)).all()

    async def by_sqlmodel() -> object:
        async with SQLModelSession(engine) as session:
            return (await session.exec(models)).all()

    return {
        "asyncpg, pool": lambda: pool.fetch("select id, name from guest where id <= $1", rows),
        "Core, AUTOCOMMIT": lambda: by_core(autocommit),
        "Core": lambda: by_core(engine),
        "session, columns": by_session,
        "session, objects": by_orm,
        "SQLModel, objects": by_sqlmodel,
    }


async def processor_time(reads: dict[str, Read]) -> dict[str, float]:
    """Of the whole process, as a multiple of the first: medians of interleaved rounds."""
    spent: dict[str, list[float]] = {name: [] for name in reads}
    for _ in range(ROUNDS):
        for name, read in reads.items():
            began = time.process_time()
            for _ in range(QUERIES):
                await read()
            spent[name].append(time.process_time() - began)
    medians = {name: statistics.median(times) for name, times in spent.items()}
    first = next(iter(medians.values()))
    return {name: median / first for name, median in medians.items()}


async def main() -> None:
    called: dict[int, dict[str, float]] = {}
    ratio: dict[int, dict[str, float]] = {}
    async with Postgres() as pg:
        await fill(pg.dsn, guests=max(ROWS))
        engine = create_async_engine(pg.url("asyncpg"))
        autocommit = create_async_engine(pg.url("asyncpg"), isolation_level="AUTOCOMMIT")
        async with asyncpg.create_pool(pg.dsn, min_size=1, max_size=1) as pool:
            for rows in ROWS:
                reads = layers(pool, engine, autocommit, rows)
                for read in reads.values():
                    await read()  # prepares the statement, fills the caches
                called[rows] = {n: await python_calls(read, QUERIES) for n, read in reads.items()}
                ratio[rows] = await processor_time(reads)
        await engine.dispose()
        await autocommit.dispose()
    one, many = (called[rows] for rows in ROWS)
    print("                   functions        time")
    print("rows                 1   100     1   100")
    for name in one:
        times = "".join(f"{ratio[rows][name]:6.1f}" for rows in ROWS)
        print(f"{name:16}{one[name]:6.0f}{many[name]:6.0f}{times}")
    claim(
        "each-layer-calls-more-functions",
        "One row: a session calls more Python functions than Core, and Core more than asyncpg.",
        one["asyncpg, pool"] < one["Core"] < one["session, columns"] < one["session, objects"],
    )
    claim(
        "objects-cost-for-each-row",
        "Of 99 more rows asyncpg's pool makes no further call, objects at least 99.",
        many["asyncpg, pool"] == one["asyncpg, pool"]
        and many["session, objects"] >= one["session, objects"] + 99,
    )


if __name__ == "__main__":
    asyncio.run(main())
