"""SQLAlchemy's AsyncSession: `gather` on one session, and an error that is caught in it.

A session takes its connection when it is first asked. A cold pool has to open one, and a second
question that comes meanwhile is an error. On a warm pool nobody has to wait there, so no test
fails. Nothing is gained either: all questions wait for one connection.

The session remembers an error of its own flush(), and its commit() tells of it. An error of
execute() it does not remember: then commit() returns, and nothing is saved.
"""

from __future__ import annotations

import asyncio
import warnings
from contextlib import suppress

import asyncpg
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, MissingGreenlet, PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench import Postgres, claim

ASK = text("select pg_backend_pid()")
AGAIN = text("insert into accounts values (1, 1)")
TABLE = """
    drop table if exists accounts;
    create table accounts (id int primary key, balance int);
    insert into accounts values (1, 100);"""


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    balance: Mapped[int]


async def three_at_once(url: str, warm: bool) -> tuple[list[str], int]:
    """How three questions in `gather` end ("ok" or the error's code), and how many backends."""
    engine = create_async_engine(url)
    if warm:
        async with engine.connect() as connection:
            await connection.execute(ASK)
    async with AsyncSession(engine) as session:
        questions = [session.scalar(ASK) for _ in range(3)]
        answers = await asyncio.gather(*questions, return_exceptions=True)
    await engine.dispose()
    pids = {answer for answer in answers if isinstance(answer, int)}
    return sorted(getattr(answer, "code", "ok") for answer in answers), len(pids)


async def session_each(url: str) -> int:
    """How many backends answer three tasks with a session each, on a cold pool."""
    engine, all_asked = create_async_engine(url), asyncio.Barrier(3)

    async def ask() -> int:
        async with AsyncSession(engine) as session:
            pid = await session.scalar(ASK)
            await all_asked.wait()  # nobody has given the connection back yet
            return pid

    pids = await asyncio.gather(ask(), ask(), ask())
    await engine.dispose()
    return len(set(pids))


async def change(session: AsyncSession, by_flush: bool) -> None:
    """The first half is flushed; the second fails, in a flush or in execute(), and is caught."""
    (await session.get(Account, 1)).balance = 50
    await session.flush()
    with suppress(IntegrityError):
        if by_flush:
            session.add(Account(id=1, balance=1))
            await session.flush()
        else:
            await session.execute(AGAIN)


async def caught(pg: Postgres, how: str, by_flush: bool = True) -> tuple[str, int]:
    """Whether the end of the transaction tells that it was rolled back, and the balance."""
    desk = await asyncpg.connect(pg.dsn)
    await desk.execute(TABLE)
    engine, told = create_async_engine(pg.url("asyncpg")), "not told"
    async with AsyncSession(engine) as session:
        try:
            if how == "begin":
                async with session.begin():
                    await change(session, by_flush)
            else:
                await change(session, by_flush)
                await session.commit()
        except PendingRollbackError:
            told = "told"
    await engine.dispose()
    balance = await desk.fetchval("select balance from accounts")
    await desk.close()
    return told, balance


def asked_without_await(url: str) -> str:
    """What a blocking engine says of an async driver."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of the connect() that nobody awaited
            create_engine(url).connect()
    except MissingGreenlet as error:
        return str(error).partition(";")[0]


async def main() -> None:
    async with Postgres() as pg:
        url = pg.url("asyncpg")
        cold, warm = await three_at_once(url, False), await three_at_once(url, True)
        each = await session_each(url)
        orm = {how: await caught(pg, how) for how in ("begin", "commit")}
        execute = await caught(pg, "commit", by_flush=False)
        greenlet = asked_without_await(url)
    print(f"one session, cold pool:   {cold[0]}, {cold[1]} connection")
    print(f"one session, warm pool:   {warm[0]}, {warm[1]} connection")
    print(f"a session for each task:  {each} connections")
    print("flush caught:", ", ".join(f"session.{how}() {t}, {n}" for how, (t, n) in orm.items()))
    print(f"execute caught: session.commit() {execute[0]}, {execute[1]}")
    print(f"create_engine with asyncpg: {greenlet}")
    claim(
        "one-session-fails-on-a-cold-pool",
        "Three questions in gather on one session, cold pool: two fail with the code isce.",
        cold == (["isce", "isce", "ok"], 1),
    )
    claim(
        "one-session-passes-on-a-warm-pool",
        "On a warm pool all three are answered, by one connection.",
        warm == (["ok", "ok", "ok"], 1),
    )
    claim(
        "a-session-for-each-task",
        "With a session for each task three connections answer, also on a cold pool.",
        each == 3,
    )
    claim(
        "the-orm-tells-at-commit",
        "After an error in flush(), commit() raises PendingRollbackError; begin() does not.",
        orm == {"begin": ("not told", 100), "commit": ("told", 100)},
    )
    claim(
        "an-error-of-execute-is-not-told",
        "After an error in session.execute(), commit() raises nothing, and nothing is saved.",
        execute == ("not told", 100),
    )
    claim(
        "sync-engine-on-asyncpg-is-missing-greenlet",
        "create_engine() with asyncpg says greenlet_spawn: the driver is async, the engine is not.",
        greenlet == "greenlet_spawn has not been called",
    )


if __name__ == "__main__":
    asyncio.run(main())
