"""A lock or a pool belongs to one event loop. On another loop it fails, and not always clearly.

This is why a pool is opened in the lifespan and not at import, and why tests that make a loop for
each test cannot share one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from bench import Postgres, claim


def raised(runner: asyncio.Runner, work: Callable[[], Awaitable[object]]) -> Exception | None:
    """What this work raises on this loop."""
    try:
        runner.run(work())
    except Exception as error:
        return error
    return None


def a_lock_on_another_loop() -> Exception | None:
    """Two tasks on a second loop want a lock that was waited for on the first one."""
    lock = asyncio.Lock()

    async def use() -> None:
        async with lock:
            await asyncio.sleep(0)

    async def two_users() -> None:
        await asyncio.gather(use(), use())

    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(two_users())
        return raised(second, two_users)


def a_pool_on_another_loop(dsn: str) -> Exception | None:
    """A query on a second loop, through a pool that the first loop opened."""

    async def opened() -> asyncpg.Pool:
        return await asyncpg.create_pool(dsn, min_size=1, max_size=1)

    with asyncio.Runner() as first, asyncio.Runner() as second:
        pool = first.run(opened())

        async def query() -> int:
            return await pool.fetchval("select 42")

        error = raised(second, query)
        # The connection waits for ever for the query that failed, so it is cut off.
        first.get_loop().set_exception_handler(lambda *_: None)
        pool.terminate()
    return error


def text(error: BaseException | None) -> str:
    """Type and text, without what differs from run to run."""
    words = str(error).partition("<")[0]
    end = str(error).rpartition("> ")[2]
    return f"{type(error).__name__}: {words}" + (f"… {end}" if end != str(error) else "")


def main() -> None:
    lock = a_lock_on_another_loop()
    with asyncio.Runner() as runner:
        pg = runner.run(Postgres().start())
        pool = a_pool_on_another_loop(pg.dsn)
        runner.run(pg.stop())
    print("the lock:         ", text(lock))
    print("the pool:         ", text(pool))
    print("its hidden cause: ", text(pool.__context__))
    claim(
        "a-lock-belongs-to-its-loop",
        "A lock that was waited for on one loop raises RuntimeError on another.",
        isinstance(lock, RuntimeError),
    )
    claim(
        "a-pool-belongs-to-its-loop",
        "A pool of another loop raises InterfaceError, which does not name the cause.",
        isinstance(pool, asyncpg.InterfaceError) and "loop" not in str(pool),
    )


if __name__ == "__main__":
    main()
