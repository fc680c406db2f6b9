"""One session in `gather` takes turns: five queries, one of them in the database.

A session has one connection, and SQLAlchemy lets one query at a time onto it. So `gather` gains
nothing, even when it works. When the pool is cold it fails, and if the block of the session is left
meanwhile, a place of the pool is lost until the garbage collector comes.

`async_scoped_session` gives each task a session. Whoever forgets `remove()` keeps all of them.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import warnings
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import SAWarning
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
    create_async_engine,
)
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelSession

from bench import Gate, Postgres, claim, until

TASKS = 5
ONE = text("select 1")
HELD = text("select pg_advisory_xact_lock_shared(7)")


class Seen(NamedTuple):
    inside: int
    """Queries in the database while the gate is closed."""
    out: int
    """Places of the pool that are out at that moment."""


async def by_one_session(dsn: str, engine: AsyncEngine, session_of: type[AsyncSession]) -> Seen:
    async with Gate(dsn) as gate, session_of(engine) as session:
        await session.scalar(ONE)  # it has its connection now
        tasks = [asyncio.create_task(session.scalar(HELD)) for _ in range(TASKS)]
        await gate.until_waiting(1)
        seen = Seen(await gate.waiting(), engine.pool.checkedout())
        await gate.open()
        await asyncio.gather(*tasks)
    return seen


async def by_a_session_each(dsn: str, engine: AsyncEngine) -> Seen:
    async def ask() -> None:
        async with AsyncSession(engine) as session:
            await session.scalar(HELD)

    async with Gate(dsn) as gate:
        tasks = [asyncio.create_task(ask()) for _ in range(TASKS)]
        await gate.until_waiting(TASKS)
        seen = Seen(await gate.waiting(), engine.pool.checkedout())
        await gate.open()
        await asyncio.gather(*tasks)
    return seen


class Left(NamedTuple):
    error: str
    """What the block of the session raises."""
    words: str
    first: str
    """The error that it raises this one instead of."""
    out: int
    """Places that are out when both queries have ended."""
    collected: int
    """Places that are out when the garbage collector has been there."""


async def left_early(url: str) -> Left:
    """Two queries in `gather` on a cold pool; the first error leaves the block of the session."""
    engine = create_async_engine(url)
    tasks: list[asyncio.Task[int]] = []
    name = words = first = ""
    try:
        async with AsyncSession(engine) as session:
            tasks = [asyncio.create_task(session.scalar(ONE)) for _ in range(2)]
            await asyncio.gather(*tasks)
    except Exception as error:
        name, words = type(error).__name__, str(error).partition(" (")[0]
        first = type(error.__context__).__name__
    await asyncio.wait(tasks)
    out = engine.pool.checkedout()
    tasks.clear()
    del session

    def collected() -> bool:
        gc.collect()
        return engine.pool.checkedout() == 0

    with warnings.catch_warnings(action="ignore", category=SAWarning):
        await until(collected, what="the garbage collector to bring the place back")
    left = Left(name, words, first, out, engine.pool.checkedout())
    await engine.dispose()
    return left


async def scoped(engine: AsyncEngine, remove: bool) -> tuple[int, int]:
    """Places out, and sessions in the registry, when three tasks have ended."""
    sessions = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)

    async def ask() -> None:
        await sessions.scalar(ONE)
        if remove:
            await sessions.remove()

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(ask())
    kept = list(sessions.registry.registry.values())
    out = engine.pool.checkedout()
    for session in kept:
        await session.close()
    return out, len(kept)


async def main() -> None:
    logging.getLogger("sqlalchemy.pool").addHandler(logging.NullHandler())
    async with Postgres() as pg:
        engine = create_async_engine(pg.url("asyncpg"))
        one = await by_one_session(pg.dsn, engine, AsyncSession)
        sqlmodel = await by_one_session(pg.dsn, engine, SQLModelSession)
        each = await by_a_session_each(pg.dsn, engine)
        forgotten, removed = await scoped(engine, remove=False), await scoped(engine, remove=True)
        await engine.dispose()
        left = await left_early(pg.url("asyncpg"))
    print(f"{TASKS} queries in gather          in the database  places out")
    for name, seen in (("one session", one), ("one of SQLModel", sqlmodel), ("one each", each)):
        print(f"  {name:24}{seen.inside:13}{seen.out:12}")
    print("async_scoped_session, 3 tasks: places out, sessions in the registry")
    print(f"  without remove()        {forgotten}\n  with remove()           {removed}")
    print(f"the block is left while a query runs: {left.error}, in place of {left.first}:")
    print(f"  {left.words}")
    print(f"  places out: {left.out}; after the garbage collector: {left.collected}")
    claim(
        "one-session-takes-turns",
        "Five queries in gather on one session: 1 in the database, with 1 place of the pool.",
        one == sqlmodel == (1, 1),
    )
    claim(
        "a-session-each-five-inside",
        "With a session each, 5 of the five queries are in the database, with 5 places.",
        each == (TASKS, TASKS),
    )
    claim(
        "scoped-sessions-are-kept",
        "async_scoped_session keeps a session and a place for each of 3 tasks, without remove().",
        (forgotten, removed) == ((3, 3), (0, 0)),
    )
    claim(
        "a-block-left-early-loses-a-place",
        "A session's block is left while gather runs on: IllegalStateChangeError, 1 place lost.",
        (left.error, left.first) == ("IllegalStateChangeError", "InvalidRequestError")
        and (left.out, left.collected) == (1, 0),
    )


if __name__ == "__main__":
    asyncio.run(main())
