"""The app of many tutorials, and sixty guests: fifteen places, forty threads, and all of them wait.

A `def` route has a blocking session from `Depends`, and a `response_model`. FastAPI runs the route
in a thread, and after it the check of the response in a thread again. Fifteen guests have a place
and wait for a thread. Forty threads wait for a place. The database has nothing to do.

Left alone, it lasts until QueuePool gives up after 30 s. Here we end it with more threads: then all
sixty are answered. So the database was not slow. With an AsyncSession it does not begin.

As many places as threads are no cure: they serve sixty guests, and a hundred stand still again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg
import httpx
from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Field, Session, SQLModel, create_engine, select
from sqlmodel.ext.asyncio.session import AsyncSession
from tables import desk, fill, states

from bench import Postgres, claim, until

GUESTS, MANY, THREADS, PLACES = 60, 100, 40, 15


class GuestBase(SQLModel):
    name: str


class Guest(GuestBase, table=True):
    id: int | None = Field(default=None, primary_key=True)


class GuestPublic(GuestBase):
    id: int


class Together:
    """A dependency that lets so many guests go on in the same turn of the loop."""

    def __init__(self, guests: int) -> None:
        self.missing, self.all_here = guests, asyncio.Event()

    async def __call__(self) -> None:
        self.missing -= 1
        if not self.missing:
            self.all_here.set()
        await self.all_here.wait()


def blocking_app(engine: Engine, guests: int = GUESTS) -> FastAPI:
    """As tutorials have it: a `def` route, a blocking session, a response model.

    All guests have their session, and none a place yet, when they go on together.
    """
    app, together = FastAPI(), Together(guests)
    app.state.asked = []  # a mark from each route that has begun

    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    @app.get("/guests", response_model=list[GuestPublic])
    def guests(
        session: Session = Depends(get_session),  # noqa: B008
        _: None = Depends(together),
    ) -> Sequence[Guest]:
        app.state.asked.append(1)
        return session.exec(select(Guest).limit(1)).all()

    return app


def async_app(engine: AsyncEngine) -> FastAPI:
    """Its twin: the same model, the same query, awaited."""
    app, together = FastAPI(), Together(GUESTS)

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engine) as session:
            yield session

    @app.get("/guests", response_model=list[GuestPublic])
    async def guests(
        session: AsyncSession = Depends(get_session),  # noqa: B008
        _: None = Depends(together),
    ) -> Sequence[Guest]:
        return (await session.exec(select(Guest).limit(1))).all()

    return app


@asynccontextmanager
async def guests_of(
    app: FastAPI, guests: int = GUESTS
) -> AsyncIterator[list[asyncio.Task[httpx.Response]]]:
    """So many guests on their way; in the end, all of them have their reply."""
    door = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        httpx.AsyncClient(transport=door, base_url="http://bistro", timeout=None) as guest,
        asyncio.TaskGroup() as group,
    ):
        yield [group.create_task(guest.get("/guests")) for _ in range(guests)]


async def served(app: FastAPI) -> int:
    """How many of sixty guests get 200."""
    async with guests_of(app) as visits:
        pass
    return sum(visit.result().status_code == 200 for visit in visits)


class Standstill(NamedTuple):
    waiting: int
    """Guests without a reply when nothing moves any more."""
    threads: int
    """Threads in use."""
    doing: dict[str, int]
    """What the backends do."""
    served: int
    """Guests who get 200 once there are more threads."""


async def standstill(
    engine: Engine, places: int, window: asyncpg.Connection, guests: int = GUESTS
) -> Standstill:
    app, threads = blocking_app(engine, guests), current_default_thread_limiter()
    seen: dict[str, int] = {}

    async def nothing_moves() -> bool:
        """All are served, or all places are out and each thread waits for one."""
        nonlocal seen
        seen = await states(window)
        stuck = seen == {"idle in transaction": places}
        without = len(app.state.asked) - places
        return (stuck and without == THREADS) or all(visit.done() for visit in visits)

    async with guests_of(app, guests) as visits:
        await until(nothing_moves, what="a standstill, or all replies")
        waiting, busy = sum(not visit.done() for visit in visits), threads.borrowed_tokens
        threads.total_tokens = guests
    threads.total_tokens = THREADS
    return Standstill(
        waiting, busy, seen, sum(visit.result().status_code == 200 for visit in visits)
    )


async def main() -> None:
    async with Postgres() as pg, desk(pg.dsn) as window:
        await fill(pg.dsn)
        small = create_engine(pg.url("psycopg"))
        stuck = await standstill(small, PLACES, window)
        small.dispose()
        large = create_engine(pg.url("psycopg"), pool_size=THREADS, max_overflow=0)
        enough = await served(blocking_app(large))
        again = await standstill(large, THREADS, window, MANY)
        large.dispose()
        awaited = create_async_engine(pg.url("asyncpg"))
        twin = await served(async_app(awaited))
        await awaited.dispose()
    for case, guests, seen in (
        ("the tutorial's app", GUESTS, stuck),
        (f"pool_size={THREADS}", MANY, again),
    ):
        backends = ", ".join(f"{number} {state}" for state, number in seen.doing.items())
        print(f"{case}, {guests} guests at once")
        print(f"  {seen.waiting} wait, {seen.threads} threads in use, backends: {backends}")
        print(f"  with more threads {seen.served} are served")
    print(f"{GUESTS} guests: pool_size={THREADS} {enough} served; AsyncSession, defaults {twin}")
    claim(
        "tutorial-app-stands-still",
        "All sixty guests wait: 40 threads in use, 15 backends idle in transaction, none at work.",
        stuck[:3] == (GUESTS, THREADS, {"idle in transaction": PLACES}),
    )
    claim(
        "threads-end-the-standstill",
        "Given more threads, all sixty guests are served: the database was never the limit.",
        stuck.served == GUESTS,
    )
    claim(
        "a-place-for-each-thread-serves-all",
        "With pool_size=40, a place for each thread, all sixty guests are served.",
        enough == GUESTS,
    )
    claim(
        "a-place-for-each-thread-is-no-cure",
        "With pool_size=40, a hundred guests all wait: 40 have a place, 40 threads wait for one.",
        again[:3] == (MANY, THREADS, {"idle in transaction": THREADS}),
    )
    claim(
        "async-twin-serves-all",
        "With AsyncSession and the default pool of 15 places all sixty guests are served.",
        twin == GUESTS,
    )


if __name__ == "__main__":
    asyncio.run(main())
