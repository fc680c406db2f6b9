"""The app of many tutorials, and sixty guests: fifteen places, forty threads, and all of them wait.

A `def` route has a blocking session from `Depends`, and a `response_model`. FastAPI runs the route
in a thread, and after it the check of the response in a thread again. Fifteen guests have a place
and wait for a thread. Forty threads wait for a place. The database has nothing to do.

Left alone, it lasts until QueuePool gives up after 30 s. Here we end it with more threads: then all
sixty are answered. So the database was not slow. With as many places as threads, or with an
AsyncSession, it does not begin.
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

GUESTS, THREADS, PLACES = 60, 40, 15


class GuestBase(SQLModel):
    name: str


class Guest(GuestBase, table=True):
    id: int | None = Field(default=None, primary_key=True)


class GuestPublic(GuestBase):
    id: int


class Together:
    """A dependency that lets all guests go on in the same turn of the loop."""

    def __init__(self) -> None:
        self.here, self.all_here = 0, asyncio.Event()

    async def __call__(self) -> None:
        self.here += 1
        if self.here == GUESTS:
            self.all_here.set()
        await self.all_here.wait()


def blocking_app(engine: Engine) -> FastAPI:
    """As tutorials have it: a `def` route, a blocking session, a response model."""
    app = FastAPI()

    def get_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    @app.get("/guests", response_model=list[GuestPublic], dependencies=[Depends(Together())])
    def guests(session: Session = Depends(get_session)) -> Sequence[Guest]:  # noqa: B008
        return session.exec(select(Guest).limit(1)).all()

    return app


def async_app(engine: AsyncEngine) -> FastAPI:
    """Its twin: the same model, the same query, awaited."""
    app = FastAPI()

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engine) as session:
            yield session

    @app.get("/guests", response_model=list[GuestPublic], dependencies=[Depends(Together())])
    async def guests(session: AsyncSession = Depends(get_session)) -> Sequence[Guest]:  # noqa: B008
        return (await session.exec(select(Guest).limit(1))).all()

    return app


@asynccontextmanager
async def sixty_guests(app: FastAPI) -> AsyncIterator[list[asyncio.Task[httpx.Response]]]:
    """Sixty guests on their way; in the end, all of them have their reply."""
    door = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        httpx.AsyncClient(transport=door, base_url="http://bistro", timeout=None) as guest,
        asyncio.TaskGroup() as group,
    ):
        yield [group.create_task(guest.get("/guests")) for _ in range(GUESTS)]


async def served(app: FastAPI) -> int:
    """How many of sixty guests get 200."""
    async with sixty_guests(app) as visits:
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


async def standstill(app: FastAPI, window: asyncpg.Connection) -> Standstill:
    threads = current_default_thread_limiter()
    seen: dict[str, int] = {}

    async def nothing_moves() -> bool:
        """All are served, or each of sixty guests waits: 40 for a place, 20 for a thread."""
        nonlocal seen
        seen, queue = await states(window), threads.statistics().tasks_waiting
        stuck = seen == {"idle in transaction": PLACES} and queue == GUESTS - THREADS
        return stuck or all(visit.done() for visit in visits)

    async with sixty_guests(app) as visits:
        await until(nothing_moves, what="a standstill, or sixty replies")
        waiting, busy = sum(not visit.done() for visit in visits), threads.borrowed_tokens
        threads.total_tokens = GUESTS + PLACES
    threads.total_tokens = THREADS
    return Standstill(
        waiting, busy, seen, sum(visit.result().status_code == 200 for visit in visits)
    )


async def main() -> None:
    async with Postgres() as pg, desk(pg.dsn) as window:
        await fill(pg.dsn)
        small = create_engine(pg.url("psycopg"))
        stuck = await standstill(blocking_app(small), window)
        small.dispose()
        large = create_engine(pg.url("psycopg"), pool_size=THREADS, max_overflow=0)
        enough = await served(blocking_app(large))
        large.dispose()
        awaited = create_async_engine(pg.url("asyncpg"))
        twin = await served(async_app(awaited))
        await awaited.dispose()
    backends = ", ".join(f"{number} {state}" for state, number in stuck.doing.items())
    print(f"the tutorial's app, {GUESTS} guests at once")
    print(f"  {stuck.waiting} wait, {stuck.threads} threads in use, backends: {backends}")
    print(f"  with more threads {stuck.served} are served")
    print(f"pool_size={THREADS}: {enough} served; with AsyncSession and the defaults: {twin}")
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
        "async-twin-serves-all",
        "With AsyncSession and the default pool of 15 places all sixty guests are served.",
        twin == GUESTS,
    )


if __name__ == "__main__":
    asyncio.run(main())
