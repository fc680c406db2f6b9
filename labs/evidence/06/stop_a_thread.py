"""How to stop what a deadline has left behind in a thread, and what it leaves besides.

psycopg and SQLite can be told to stop, from another thread, and PostgreSQL can be told by any other
session of the same role. If nobody tells them, more threads are
at work than the limit allows: the deadline gives the place back, and the thread stays.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

import aiosqlite
import psycopg
from anyio.to_thread import current_default_thread_limiter
from starlette.concurrency import run_in_threadpool

from bench import Gate, Postgres, claim, until
from bistro.database import prepare

ORDER = "insert into looks (looked_at) select now() from cook(0)"
COUNT = "select count(*) from looks"
ENDLESS = """
    with recursive n(i) as (select begun() union all select i + 1 from n) select max(i) from n"""
LIMIT, GUESTS = 3, 5


async def times_out(work: Callable[[], object], begun: Callable[[], object]) -> None:
    """Run `work` in a thread of the pool; the deadline passes as soon as it has begun."""
    with suppress(TimeoutError):
        async with asyncio.timeout(3600) as limit:
            task = asyncio.create_task(run_in_threadpool(work))
            await until(begun, what="the thread to begin")
            limit.reschedule(0)
            await task


async def after_the_deadline(dsn: str, tell: Callable) -> tuple[list[str], int]:
    """How the thread ends when `tell` has spoken after its deadline; the rows written."""
    ended: list[str] = []
    with psycopg.connect(dsn, autocommit=True) as window:

        def order() -> None:
            try:
                window.execute(ORDER)
                ended.append("00000")
            except psycopg.Error as error:
                ended.append(error.sqlstate)

        async with Gate(dsn) as gate:
            await times_out(order, gate.waiting)
            await tell(window, gate)
            await until(lambda: ended, what="the thread to end")
        return ended, window.execute(COUNT).fetchone()[0]


async def by_the_driver(window: psycopg.Connection, gate: Gate) -> None:
    await asyncio.to_thread(window.cancel_safe)


async def by_another_session(window: psycopg.Connection, gate: Gate) -> None:
    info = window.info
    with psycopg.connect(info.dsn, password=info.password) as desk:
        desk.execute("select pg_cancel_backend(%s)", [info.backend_pid])


async def tell_sqlite() -> tuple[str, int]:
    """How an endless query of SQLite ends when it is interrupted; what the connection says next."""
    begun = threading.Event()
    async with aiosqlite.connect(":memory:") as book:
        await book.create_function("begun", 0, lambda: begun.set() or 1)
        query = asyncio.create_task(book.execute_fetchall(ENDLESS))
        await until(begun.is_set, what="the query to begin")
        await book.interrupt()
        [error] = await asyncio.gather(query, return_exceptions=True)
        rows = await book.execute_fetchall("select 42")
    return str(error), rows[0][0]


async def tell_nobody() -> tuple[int, int]:
    """Threads at work after five deadlines with a thread limit of three; places that are taken."""
    limiter, bell, at_work = current_default_thread_limiter(), threading.Event(), []
    limiter.total_tokens = LIMIT

    def wait() -> None:
        at_work.append(threading.get_ident())
        bell.wait(60)

    for number in range(1, GUESTS + 1):
        await times_out(wait, lambda number=number: len(at_work) == number)
    threads, places = len(set(at_work)), limiter.borrowed_tokens
    bell.set()
    return threads, places


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        driver = await after_the_deadline(pg.dsn, by_the_driver)
        session = await after_the_deadline(pg.dsn, by_another_session)
    said, answer = await tell_sqlite()
    threads, places = await tell_nobody()
    for how, ((ended,), rows) in {"cancel_safe": driver, "pg_cancel_backend": session}.items():
        print(f"{how}: the thread ends with {ended}, rows written: {rows}")
    print(f"SQLite's interrupt: {said}; the connection's next answer is {answer}")
    print(f"nobody is told, thread limit {LIMIT}: {threads} threads at work, {places} places taken")
    claim(
        "cancel-safe-stops-the-thread",
        "After the deadline, cancel_safe ends psycopg's query with 57014; no order is written.",
        driver == (["57014"], 0),
    )
    claim(
        "another-session-stops-the-thread",
        "After the deadline, pg_cancel_backend from another session does the same.",
        session == (["57014"], 0),
    )
    claim(
        "interrupt-stops-sqlite",
        "interrupt() ends an endless query of SQLite, and its connection goes on.",
        (said, answer) == ("interrupted", 42),
    )
    claim(
        "deadline-gives-the-place-back",
        "Five deadlines, a thread limit of three: five threads at work, and no place is taken.",
        (threads, places) == (GUESTS, 0),
    )


if __name__ == "__main__":
    asyncio.run(main())
