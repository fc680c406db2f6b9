"""Which libraries bring a pool, how long each waits for a connection, and what a pool cannot do."""

from __future__ import annotations

import asyncio
import inspect
import time

import aiosqlite
import asyncpg
from sqlalchemy import create_engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bench import Heartbeat, Postgres, claim
from bistro.database import prepare


def default_of(function: object, name: str) -> object:
    return inspect.signature(function).parameters[name].default


def refusal(url: str) -> str:
    """What SQLAlchemy says when the pool of its engine is empty."""
    engine = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    try:
        with engine.connect():
            engine.connect()
    except PoolTimeout as error:
        return str(error).partition(" (")[0]
    finally:
        engine.dispose()
    return ""


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
        message = refusal(url)
        beats = await beats_during_a_blocking_pool(url)
    asyncpg_waits = default_of(asyncpg.Pool.acquire, "timeout")
    print(f"asyncpg     create_pool, waits {asyncpg_waits or 'for ever'}")
    print(f"SQLAlchemy  {type(pool).__name__} of {pool.size()}, waits {pool.timeout():.0f} s")
    print("aiosqlite   none")
    print(f"empty pool of SQLAlchemy: {message}")
    claim(
        "asyncpg-waits-for-ever-by-default",
        "asyncpg: acquire has no deadline by default. SQLAlchemy: 30 s, then an error.",
        asyncpg_waits is None and pool.timeout() == 30 and message.startswith("QueuePool limit"),
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
