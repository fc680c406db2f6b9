"""Four messages that people paste into a search box, each with what brings it about.

A backend is ended while it works, as a restart or an administrator does it. A session is closed,
and an object of it is read. A session is forgotten. A connection outlives its loop.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import warnings

import asyncpg
import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SAWarning
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench import Gate, Postgres, claim
from bistro.database import prepare

COOK, PID = "select cook(0)", "select pg_backend_pid()"


class Base(DeclarativeBase):
    pass


class Dish(Base):
    __tablename__ = "dishes"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


async def ended_by_an_administrator(dsn: str) -> tuple[str, str]:
    """SQLSTATE and message of a query whose backend is ended meanwhile."""
    boss, window = await asyncpg.connect(dsn), await psycopg.AsyncConnection.connect(dsn)
    async with Gate(dsn) as gate:
        query = asyncio.create_task(window.execute(COOK))
        await gate.until_waiting(1)
        await boss.execute("select pg_terminate_backend($1)", window.info.backend_pid)
        [error] = await asyncio.gather(query, return_exceptions=True)
    await window.close()
    await boss.close()
    return error.sqlstate, str(error).partition("\n")[0]


async def read_after_the_session(engine: AsyncEngine) -> str:
    """What is said when an object's session has committed and is closed."""
    async with AsyncSession(engine) as session:
        dish = await session.get(Dish, 1)
        await session.commit()  # from here on its attributes are to be read again
    try:
        return dish.name
    except Exception as error:
        return type(error).__name__


async def forgotten_session(engine: AsyncEngine) -> str:
    """What the garbage collector says of a session that nobody closed."""
    session = AsyncSession(engine)
    await session.execute(text(PID))
    logging.getLogger("sqlalchemy.pool").disabled = True  # it says the same in the log
    logging.getLogger("sqlalchemy.pool.impl.AsyncAdaptedQueuePool").disabled = True
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", SAWarning)
        del session
        gc.collect()
    return str(heard[-1].message).partition(" <")[0]


def after_its_loop(dsn: str) -> str:
    """What is said when a connection is let go after its loop was closed."""
    loop = asyncio.new_event_loop()
    window = loop.run_until_complete(asyncpg.connect(dsn))
    loop.close()
    try:
        window.terminate()
    except RuntimeError as error:
        return str(error)
    finally:
        window._transport._sock.close()
    return "nothing"


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        state, words = await ended_by_an_administrator(pg.dsn)
        engine = create_async_engine(pg.url("asyncpg"))
        detached = await read_after_the_session(engine)
        forgotten = await forgotten_session(engine)
        await engine.dispose()
        closed = await asyncio.to_thread(after_its_loop, pg.dsn)
    print(f"a backend is ended during a query:     {words} ({state})")
    print(f"an object is read after its session:   {detached}")
    print(f"a session was forgotten:               {forgotten} …")
    print(f"a connection outlives its loop:        {closed}")
    claim(
        "an-administrator-ends-a-query",
        "Whoever ends the backend of a query gives its client SQLSTATE 57P01.",
        (state, words) == ("57P01", "terminating connection due to administrator command"),
    )
    claim(
        "detached-after-the-session",
        "An object that has expired at the commit, read after its session: DetachedInstanceError.",
        detached == "DetachedInstanceError",
    )
    claim(
        "the-collector-finds-a-session",
        "A session that nobody closes keeps its connection, until the garbage collector complains.",
        forgotten.startswith("The garbage collector is trying to clean up non-checked-in"),
    )
    claim(
        "a-closed-loop-says-so",
        "A connection that outlives its loop says: Event loop is closed.",
        closed == "Event loop is closed",
    )


if __name__ == "__main__":
    asyncio.run(main())
