"""Four deadlines, four ways to ask: who is told, what does the database do, is the order written?

The order is an insert that waits: in PostgreSQL at the gate, in SQLite inside a function that waits
for a bell. The deadline passes while it waits there. Then we let it go and count the rows.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiosqlite
import anyio
import asyncpg
import psycopg
from psycopg.pq import TransactionStatus
from starlette.concurrency import run_in_threadpool

from bench import Gate, Postgres, claim, until
from bistro.database import prepare

ORDER = "insert into looks (looked_at) select now() from cook(0)"
COUNT = "select count(*) from looks"
LIMIT = "set statement_timeout = '50ms'"
TOLD = TimeoutError, asyncpg.QueryCanceledError, psycopg.errors.QueryCanceled
Do = Callable[[], Awaitable[object]]


@asynccontextmanager
async def asyncio_timeout() -> AsyncIterator[Callable]:
    async with asyncio.timeout(3600) as limit:
        yield lambda: limit.reschedule(0)


@asynccontextmanager
async def anyio_fail_after() -> AsyncIterator[Callable]:
    with anyio.fail_after(3600) as limit:
        yield lambda: setattr(limit, "deadline", 0)


AROUND = {"asyncio.timeout": asyncio_timeout, "anyio.fail_after": anyio_fail_after}


class Bell:
    """A gate for SQLite: its function cook() waits in aiosqlite's thread until the bell rings."""

    def __init__(self) -> None:
        self.bell, self.cooking = threading.Event(), 0

    def cook(self) -> None:
        self.cooking = 1
        self.bell.wait(60)

    async def __aenter__(self) -> Bell:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.bell.set()

    async def waiting(self) -> int:
        return self.cooking

    async def until_waiting(self, n: int) -> None:
        await until(lambda: self.cooking == n, what="SQLite to cook")


async def nothing() -> None:
    """Nobody has told the database anything, so there is no answer to wait for."""


async def cell(
    gate: Gate | Bell, ask: Do, count: Do, finish: Do, around: Callable | None, calm: Do = nothing
) -> str:
    """One order whose deadline passes: `around` it, or its own, or the server's."""
    expire = []

    async def guest() -> None:
        async with around() as now:
            expire.append(now)
            await ask()

    before = await count()
    async with gate:
        order = asyncio.ensure_future(guest() if around else ask())
        if around:
            await gate.until_waiting(1)
            expire[0]()
            for _ in range(100):  # turns of the loop, in which an error can reach the guest
                await asyncio.sleep(0)
        else:
            await asyncio.wait([order])
        told = order.done() and isinstance(order.exception(), TOLD)
        await calm()
        still = await gate.waiting()
    await asyncio.wait([order])
    await finish()
    written = await count() - before
    return f"{'told' if told else 'not told'}, {'goes on' if still else 'stopped'}, {written}"


async def by_asyncpg(dsn: str, count: Do) -> dict[str, str]:
    window = await asyncpg.connect(dsn)

    async def ask(seconds: float | None = None) -> None:
        await window.execute(ORDER, timeout=seconds)

    async def calm() -> None:  # the next query waits until the database has confirmed the cancel
        await window.execute("select 1")

    rest = count, calm
    row = {k: await cell(Gate(dsn), ask, *rest, around, calm) for k, around in AROUND.items()}
    row["its own timeout"] = await cell(Gate(dsn), lambda: ask(0.2), *rest, None, calm)
    await window.execute(LIMIT)
    row["statement_timeout"] = await cell(Gate(dsn), ask, count, nothing, None)
    await window.close()
    return row


async def by_thread(dsn: str, in_thread: Callable, count: Do) -> dict[str, str]:
    """A blocking psycopg connection; its execute has no timeout of its own."""
    window = psycopg.connect(dsn, autocommit=True)

    async def ask() -> None:
        await in_thread(window.execute, ORDER)

    async def finish() -> None:
        idle = TransactionStatus.IDLE
        await until(lambda: window.info.transaction_status == idle, what="the thread's end")

    row = {k: await cell(Gate(dsn), ask, count, finish, around) for k, around in AROUND.items()}
    window.execute(LIMIT)
    row["statement_timeout"] = await cell(Gate(dsn), ask, count, finish, None)
    window.close()
    return row


async def by_aiosqlite(around: Callable) -> str:
    """SQLite has no statement_timeout, and aiosqlite no timeout for a call."""
    bell = Bell()
    async with aiosqlite.connect(":memory:", isolation_level=None) as book:
        await book.execute("create table looks (looked_at text)")
        await book.create_function("cook", 0, bell.cook)

        async def ask() -> None:
            await book.execute("insert into looks select cook()")

        async def count() -> int:
            return (await book.execute_fetchall(COUNT))[0][0]

        return await cell(bell, ask, count, nothing, around)


async def main() -> None:
    async with Postgres() as pg, asyncpg.create_pool(pg.dsn, min_size=1) as desk:
        await prepare(pg.dsn)

        async def count() -> int:
            return await desk.fetchval(COUNT)

        table = {
            "asyncpg": await by_asyncpg(pg.dsn, count),
            "psycopg, to_thread": await by_thread(pg.dsn, asyncio.to_thread, count),
            "psycopg, run_in_threadpool": await by_thread(pg.dsn, run_in_threadpool, count),
            "aiosqlite": {name: await by_aiosqlite(around) for name, around in AROUND.items()},
        }
    for way, row in table.items():
        print(f"{way}\n" + "\n".join(f"  {name:18} {cell}" for name, cell in row.items()))
    on_asyncpg, to_thread, threadpool, sqlite = table.values()
    lost, kept = "told, stopped, 0", "told, goes on, 1"
    claim(
        "asyncpg-stops-for-every-deadline",
        "asyncpg: all four deadlines tell the guest, stop the query and write nothing.",
        list(on_asyncpg.values()) == [lost] * 4,
    )
    claim(
        "to-thread-writes-after-the-timeout",
        "to_thread: the guest hears of a timeout, and the order is written all the same.",
        [to_thread[name] for name in AROUND] == [kept] * 2,
    )
    claim(
        "fail-after-tells-nobody",
        "run_in_threadpool in anyio.fail_after: the guest is not told, and waits to the end.",
        threadpool["anyio.fail_after"] == "not told, goes on, 1",
    )
    claim(
        "threadpool-writes-after-the-timeout",
        "run_in_threadpool in asyncio.timeout: the guest is told, and the order is written.",
        threadpool["asyncio.timeout"] == kept,
    )
    claim(
        "aiosqlite-writes-after-the-timeout",
        "aiosqlite is a thread too: the guest is told, and the order is written.",
        list(sqlite.values()) == [kept] * 2,
    )
    claim(
        "statement-timeout-stops-threads-too",
        "statement_timeout stops the query whoever asked: in PostgreSQL, not in the program.",
        [row["statement_timeout"] for row in (on_asyncpg, to_thread, threadpool)] == [lost] * 3,
    )


if __name__ == "__main__":
    asyncio.run(main())
