"""Which libraries bring a pool, how long each waits for a connection, and what a pool cannot do.

Who waits "for ever" cannot be awaited. So these waits run on a loop whose clock we put forward by a
day: whatever has set a timer ends then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Coroutine
from typing import TypeVar

import aiosqlite
import asyncpg
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from bench import Heartbeat, Postgres, claim
from bistro.database import prepare

T = TypeVar("T")


class PutForward(asyncio.SelectorEventLoop):
    """A loop with its clock that can be put forward by so many seconds."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


async def a_day_later(waiting: Awaitable[object]) -> str:
    """What has become of a wait when a day has passed on the loop's clock."""
    wait = asyncio.ensure_future(waiting)
    await asyncio.wait([wait], timeout=0.1)  # it waits now, and has set its timer if it has one
    asyncio.get_running_loop().ahead += 24 * 60 * 60
    await asyncio.wait([wait], timeout=0.2)
    if not wait.done():
        wait.cancel()
        await asyncio.wait([wait])
        return "still waits"
    error = wait.exception()
    return str(error).partition(" (")[0] or type(error).__name__


async def waits_of_asyncpg(dsn: str) -> dict[str, str]:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool, pool.acquire():
        return {
            "pool.acquire()": await a_day_later(pool.acquire()),
            "pool.acquire(timeout=30)": await a_day_later(pool.acquire(timeout=30)),
        }


async def wait_of_sqlalchemy(url: str) -> str:
    engine = create_async_engine(url, pool_size=1, max_overflow=0)
    async with engine.connect():
        ending = await a_day_later(engine.connect().start())
    await engine.dispose()
    return ending


def on_a_clock_put_forward(work: Coroutine[object, object, T]) -> T:
    with asyncio.Runner(loop_factory=PutForward) as runner:
        return runner.run(work)


async def beats_during_a_blocking_pool(url: str) -> int:
    """Beats of the loop while a pooled, blocking query runs on its thread."""
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text("select 1"))
    async with Heartbeat() as heart:
        began = time.perf_counter()
        with engine.connect() as connection:
            connection.execute(text("select cook(0.2)"))
        ended = time.perf_counter()
    engine.dispose()
    return heart.inside(began, ended)


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        url = pg.url("psycopg")
        pool = create_engine(url).pool
        beats = await beats_during_a_blocking_pool(url)
        waits = await asyncio.to_thread(on_a_clock_put_forward, waits_of_asyncpg(pg.dsn))
        refusal = await asyncio.to_thread(
            on_a_clock_put_forward, wait_of_sqlalchemy(pg.url("asyncpg"))
        )
    print("an empty pool, a day later:")
    for call, ending in waits.items():
        print(f"  asyncpg     {call:26} {ending}")
    print(f"  SQLAlchemy  {'engine.connect()':26} {refusal}")
    print(f"SQLAlchemy brings a {type(pool).__name__} of {pool.size()}, aiosqlite none")
    claim(
        "asyncpg-waits-for-ever-by-default",
        "asyncpg: acquire still waits after a day. SQLAlchemy gives up after 30 s.",
        list(waits.values()) == ["still waits", "TimeoutError"]
        and refusal.endswith("timeout 30.00"),
    )
    claim(
        "two-of-three-bring-a-pool",
        "asyncpg and SQLAlchemy bring a pool, aiosqlite has none.",
        [hasattr(module, "create_pool") for module in (asyncpg, aiosqlite)] == [True, False]
        and pool.size() == 5,
    )
    claim(
        "a-blocking-pool-stops-the-loop",
        "A pool does not help a blocking driver: no heartbeat during its query.",
        beats == 0,
    )


if __name__ == "__main__":
    asyncio.run(main())
