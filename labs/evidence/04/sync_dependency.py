"""A `def` dependency, a small pool, threads: how they wait for one another (fastapi issue 3205).

The dependency lends a connection with `yield`. FastAPI runs its start in a thread, and the route in
a thread too. If all threads wait for a connection, the guest who has one gets no thread to use it.
Here: four threads, a pool of one connection, ten guests who begin at the same moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI, Response
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bench import Postgres, claim, until

THREADS, GUESTS = 4, 10


class Together:
    """An async dependency that lets all guests go on in the same turn of the loop."""

    def __init__(self) -> None:
        self.here, self.all_here = 0, asyncio.Event()

    async def __call__(self) -> None:
        self.here += 1
        if self.here == GUESTS:
            self.all_here.set()
        await self.all_here.wait()


def app_with(borrow: Callable[[], AbstractContextManager[Connection]]) -> FastAPI:
    """Three routes with the same query. They differ in who limits the waiting."""
    app, together = FastAPI(), Together()

    def lend() -> Iterator[Connection]:
        with borrow() as connection:
            yield connection

    first = [Depends(together)]

    @app.get("/dependency", dependencies=first)
    def dependency(connection: Connection = Depends(lend)) -> int:  # noqa: B008
        return connection.scalar(text("select 1"))

    @app.get("/limited", dependencies=first)
    def limited(connection: Connection = Depends(lend, max_concurrency=1)) -> int:  # noqa: B008
        return connection.scalar(text("select 1"))

    @app.get("/in-the-route", dependencies=first)
    def in_the_route() -> int:
        with borrow() as connection:
            return connection.scalar(text("select 1"))

    return app


async def served(dsn: str, path: str, patience: float) -> int:
    """How many of ten guests get 200 when a guest waits `patience` seconds for a connection."""
    engine = create_engine(dsn, pool_size=1, max_overflow=0, pool_timeout=patience)
    app = app_with(engine.connect)
    app.add_exception_handler(PoolTimeout, lambda request, error: Response(status_code=503))
    door = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=door, base_url="http://bistro", timeout=None) as guest:
        replies = await asyncio.gather(*(guest.get(path) for _ in range(GUESTS)))
    engine.dispose()
    return [reply.status_code for reply in replies].count(200)


async def most_inside(limit: int) -> int:
    """The most guests inside a dependency with `max_concurrency=limit` when ten come at once."""
    app, inside, most, everybody = FastAPI(), 0, 0, asyncio.Event()

    async def room():
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        yield
        inside -= 1

    @app.get("/", dependencies=[Depends(room, max_concurrency=limit)])
    async def route() -> None:
        await everybody.wait()

    door = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=door, base_url="http://bistro", timeout=None) as guest:
        visits = [asyncio.create_task(guest.get("/")) for _ in range(GUESTS)]
        await until(lambda: inside == limit, what="the room to be full")
        for _ in range(50):  # turns in which one more could enter
            await asyncio.sleep(0)
        everybody.set()
        await asyncio.gather(*visits)
    return most


async def main() -> None:
    current_default_thread_limiter().total_tokens = THREADS
    async with Postgres() as pg:
        dsn = pg.url("psycopg")
        dependency = await served(dsn, "/dependency", patience=0.3)
        limited = await served(dsn, "/limited", patience=60)
        in_the_route = await served(dsn, "/in-the-route", patience=60)
    room = await most_inside(3)
    print(f"{THREADS} threads, a pool of 1, {GUESTS} guests at once: how many get 200?")
    print(f"  def dependency                     {dependency}")
    print(f"  the same, max_concurrency=1        {limited}")
    print(f"  the connection taken in the route  {in_the_route}")
    claim(
        "sync-dependency-deadlock",
        "A def dependency, four threads, a pool of one: not all of ten guests are served.",
        dependency <= GUESTS - THREADS,
    )
    claim(
        "max-concurrency-serves-all",
        "With Depends(…, max_concurrency=1) all ten are served.",
        limited == GUESTS,
    )
    claim(
        "pool-in-a-def-route-serves-all",
        "A def route that takes its connection itself serves all ten.",
        in_the_route == GUESTS,
    )
    claim(
        "max-concurrency-is-a-limit",
        "max_concurrency=3 lets three of ten guests into the dependency, never four.",
        room == 3,
    )


if __name__ == "__main__":
    asyncio.run(main())
