"""One matrix: a transfer fails after its first half. Four drivers, three ways to meet the error.

Each takes 50 from account 1, then inserts a row that exists already. `raise`: the error leaves the
block. `swallow`: it is caught inside, and the block ends as if all were well. `savepoint`: the
insert has a block of its own inside, and the error is caught around that.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiosqlite
import asyncpg
import psycopg
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from bench import Postgres, claim

TABLE = """
    drop table if exists accounts;
    create table accounts (id int primary key, balance int);
    insert into accounts values (1, 100);"""
TAKE = "update accounts set balance = 50 where id = 1"
AGAIN = "insert into accounts values (1, 1)"
BALANCE = "select balance from accounts where id = 1"
WAYS = "raise", "swallow", "savepoint"
POSTGRES = "asyncpg", "psycopg", "sqlalchemy"
DUPLICATE = (
    asyncpg.UniqueViolationError,
    psycopg.errors.UniqueViolation,
    IntegrityError,  # SQLAlchemy's
    sqlite3.IntegrityError,
)


async def transfer(run: Callable[[str], Awaitable], block: Callable, inner: Callable, way: str):
    """The transfer with the methods of one driver; returns the error that left the block."""
    try:
        async with block():
            await run(TAKE)
            if way == "raise":
                await run(AGAIN)
            try:
                if way == "swallow":
                    await run(AGAIN)
                if way == "savepoint":
                    async with inner():
                        await run(AGAIN)
            except DUPLICATE:
                pass
    except DUPLICATE:
        return "told"
    return "not told"


async def by_asyncpg(pg: Postgres, way: str) -> str:
    window = await asyncpg.connect(pg.dsn)
    try:
        return await transfer(window.execute, window.transaction, window.transaction, way)
    finally:
        await window.close()


async def by_psycopg(pg: Postgres, way: str) -> str:
    async with await psycopg.AsyncConnection.connect(pg.dsn, autocommit=True) as window:
        return await transfer(window.execute, window.transaction, window.transaction, way)


async def by_sqlalchemy(pg: Postgres, way: str) -> str:
    engine = create_async_engine(pg.url("asyncpg"))
    async with engine.connect() as window:
        end = await transfer(
            lambda sql: window.execute(text(sql)), window.begin, window.begin_nested, way
        )
    await engine.dispose()
    return end


async def by_aiosqlite(way: str) -> tuple[str, int]:
    async with aiosqlite.connect(":memory:", isolation_level=None) as window:
        await window.executescript(TABLE)

        @asynccontextmanager
        async def block(name: str = "outer") -> AsyncIterator[None]:
            """What the others bring along: commit at the end, roll back when an error leaves."""
            await window.execute(f"savepoint {name}")
            try:
                yield
            except BaseException:
                await window.execute(f"rollback to {name}")
                raise
            finally:
                await window.execute(f"release {name}")

        end = await transfer(window.execute, block, lambda: block("inner"), way)
        [(balance,)] = await window.execute_fetchall(BALANCE)
        return end, balance


async def tag_of_commit(desk: asyncpg.Connection) -> str:
    """What PostgreSQL answers to COMMIT after an error in the transaction."""
    await desk.execute("begin")
    try:
        await desk.execute(AGAIN)
    except asyncpg.UniqueViolationError:
        return await desk.execute("commit")


async def main() -> None:
    ends: dict[str, dict] = {}
    async with Postgres() as pg:
        desk = await asyncpg.connect(pg.dsn)
        for by in by_asyncpg, by_psycopg, by_sqlalchemy:
            ends[by.__name__[3:]] = row = {}
            for way in WAYS:
                await desk.execute(TABLE)
                row[way] = await by(pg, way), await desk.fetchval(BALANCE)
        ends["aiosqlite"] = {way: await by_aiosqlite(way) for way in WAYS}
        tag = await tag_of_commit(desk)
        await desk.close()
    print(" " * 12, *(f"{way:>15}" for way in WAYS))
    for name, row in ends.items():
        print(f"{name:12}", *(f"{told:>10}, {balance:3}" for told, balance in row.values()))
    print("PostgreSQL's answer to COMMIT after an error:", tag)
    claim(
        "an-error-that-leaves-undoes-all",
        "raise: all four drivers undo the first half, and the caller gets the error.",
        [row["raise"] for row in ends.values()] == [("told", 100)] * 4,
    )
    claim(
        "three-drivers-hide-the-rollback",
        "swallow: on PostgreSQL three drivers report success, and the first half is gone.",
        [ends[name]["swallow"] for name in POSTGRES] == [("not told", 100)] * 3,
    )
    claim(
        "sqlite-keeps-the-first-half",
        "swallow: SQLite keeps the first half. Tests on SQLite do not show what PostgreSQL does.",
        ends["aiosqlite"]["swallow"] == ("not told", 50),
    )
    claim(
        "a-savepoint-keeps-the-first-half",
        "savepoint: all four drivers keep the first half.",
        [row["savepoint"] for row in ends.values()] == [("not told", 50)] * 4,
    )
    claim(
        "commit-answers-rollback",
        "PostgreSQL answers COMMIT with ROLLBACK; whoever reads the answer knows.",
        tag == "ROLLBACK",
    )


if __name__ == "__main__":
    asyncio.run(main())
