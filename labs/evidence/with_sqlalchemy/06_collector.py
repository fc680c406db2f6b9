"""A session that nobody closes keeps its place until Python's garbage collector comes.

Session and connection refer to each other in a circle, so they do not go with the last name. The
collector runs after so many new objects, not after so much time. Here it is switched off: fifteen
calls are answered, the sixteenth finds no place. When it comes, the connections are cut, not
given back for use, and a message says so for each.

`async for session in get_db()` around the usual dependency is another thing. After an error the
place comes back a few turns of the loop later, without the collector: a delay, not a leak.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import httpx
from fastapi import Depends, FastAPI
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelSession
from tables import Guest, desk, fill, states

from bench import Postgres, claim, until

CALLS, PLACES = 20, 15


class Heard(logging.Handler):
    """What SQLAlchemy's pool has logged, without the addresses of objects."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(re.sub(r"<.*>>", "<…>", record.getMessage()))


class Forgotten(NamedTuple):
    answers: Counter[str]
    """Of twenty calls, how many were answered and how many refused."""
    doing: dict[str, int]
    """What the backends do then."""
    out: int
    """Places out when the collector has come."""
    left: dict[str, int]
    """The backends that are left then."""
    said: list[str]


async def forgotten(pg: Postgres, session_class: type[AsyncSession]) -> Forgotten:
    engine = create_async_engine(pg.url("asyncpg"), pool_timeout=0.1)
    answers, heard = Counter[str](), Heard()

    async def call() -> None:
        session = session_class(engine)
        await session.get(Guest, 1)

    for _ in range(CALLS):
        try:
            await call()
            answers["answered"] += 1
        except PoolTimeout:
            answers["refused"] += 1
    async with desk(pg.dsn) as window:
        doing = await states(window)
        logging.getLogger("sqlalchemy.pool").addHandler(heard)
        with warnings.catch_warnings(action="ignore"):  # it says the same twice
            gc.collect()
        logging.getLogger("sqlalchemy.pool").removeHandler(heard)

        async def settled() -> bool:
            return "idle in transaction" not in await states(window)

        with suppress(TimeoutError):
            await until(settled, timeout=5)
        left = await states(window)
    out = engine.pool.checkedout()
    await engine.dispose()
    return Forgotten(answers, doing, out, left, heard.said)


async def after_errors(pg: Postgres, how: str) -> tuple[int, int]:
    """Places out after five routes have failed: at once, and when all have had their time."""
    engine = create_async_engine(pg.url("asyncpg"))

    async def get_db() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engine) as session:
            yield session

    async def around() -> AsyncIterator[AsyncSession]:
        async for session in get_db():
            yield session

    async def managed() -> AsyncIterator[AsyncSession]:
        async with asynccontextmanager(get_db)() as session:
            yield session

    ways: dict[str, Callable[[], AsyncIterator[AsyncSession]]] = {
        "async for": around,
        "async with": managed,
    }
    app = FastAPI()

    @app.get("/")
    async def fails(session: AsyncSession = Depends(ways[how])) -> None:  # noqa: B008
        await session.get(Guest, 1)
        raise ValueError("no such dish")

    door = httpx.ASGITransport(app, raise_app_exceptions=False)
    at_once = 0
    async with httpx.AsyncClient(transport=door, base_url="http://bistro") as guest:
        for _ in range(5):
            await guest.get("/")
            at_once = max(at_once, engine.pool.checkedout())
    with suppress(TimeoutError):
        await until(lambda: engine.pool.checkedout() == 0, timeout=5)
    left = engine.pool.checkedout()
    await engine.dispose()
    return at_once, left


async def main() -> None:
    gc.disable()
    async with Postgres() as pg:
        await fill(pg.dsn)
        orm = await forgotten(pg, AsyncSession)
        sqlmodel = await forgotten(pg, SQLModelSession)
        _, loop_left = await after_errors(pg, "async for")
        managed = await after_errors(pg, "async with")
    for name, seen in (("SQLAlchemy", orm), ("SQLModel", sqlmodel)):
        print(f"{name}, {CALLS} sessions that nobody closes, the collector is off:")
        print(f"  {dict(seen.answers)}, backends {dict(seen.doing)}")
        print(f"  the collector comes: {seen.out} places out, backends {dict(seen.left)}")
    print(f"it says {len(orm.said)} times:", *set(orm.said))
    print("five routes fail, no collector: places out at once, and in the end")
    print(f"  async with asynccontextmanager(get_db)()  {managed[0]}  {managed[1]}")
    print(f"  async for session in get_db()             …  {loop_left}")
    claim(
        "fifteen-forgotten-sessions-fill-the-pool",
        "Nobody closes the sessions, no collector: 15 calls are answered, 5 are refused.",
        orm.answers == {"answered": PLACES, "refused": CALLS - PLACES}
        and orm.doing == {"idle in transaction": PLACES},
    )
    claim(
        "collector-cuts-the-connections",
        "The collector brings the places back: 0 out. It cuts the connections: no backend is left.",
        (orm.out, orm.left, len(orm.said)) == (0, {}, PLACES),
    )
    claim(
        "sqlmodel-sessions-are-forgotten-alike",
        "Forgotten sessions of SQLModel keep their places in the same way.",
        sqlmodel == orm,
    )
    claim(
        "async-for-is-a-delay-not-a-leak",
        "async for around get_db(), a route fails: its place comes back without the collector.",
        loop_left == 0,
    )
    claim(
        "async-with-gives-back-at-once",
        "async with around get_db(), a route fails: its place is back with the reply.",
        managed == (0, 0),
    )


if __name__ == "__main__":
    asyncio.run(main())
