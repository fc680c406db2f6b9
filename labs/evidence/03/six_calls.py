"""Six ways to wait for one query of 0.3 s, and the heartbeats of the loop meanwhile.

SQLite has no gate, so it gets a function `cook` of its own; for the claim this function waits
until the loop has beaten twenty times.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable

import aiosqlite
import asyncpg
import psycopg

from bench import Heartbeat, Postgres, claim, until
from bistro.database import prepare

SECONDS = 0.3


def cook(seconds: float) -> float:
    """SQLite's `cook`. It holds the thread that runs the query, as a slow disk would."""
    time.sleep(seconds)
    return seconds


async def beats_during(call: Callable[[], Awaitable[object]]) -> int:
    async with Heartbeat() as heart:
        began = time.perf_counter()
        await call()
        return heart.inside(began, time.perf_counter())


async def beats_until_opened() -> int:
    """Heartbeats during an aiosqlite query that only the loop can end, after twenty beats."""
    opened = threading.Event()
    async with aiosqlite.connect(":memory:") as book, Heartbeat() as heart:
        await book.create_function("wait_for_the_loop", 0, opened.wait)

        async def open_after_twenty_beats() -> None:
            await until(lambda: len(heart.beats) > already + 20)
            opened.set()

        began, already = time.perf_counter(), len(heart.beats)
        opener = asyncio.create_task(open_after_twenty_beats())
        await book.execute_fetchall("select wait_for_the_loop()")
        beats = heart.inside(began, time.perf_counter())
        await opener
    return beats


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        blocking = psycopg.connect(pg.dsn, autocommit=True)
        awaited = await psycopg.AsyncConnection.connect(pg.dsn, autocommit=True)
        window = await asyncpg.connect(pg.dsn)
        file, book = sqlite3.connect(":memory:"), await aiosqlite.connect(":memory:")
        file.create_function("cook", 1, cook)
        await book.create_function("cook", 1, cook)

        async def on_the_loop(execute: Callable[..., object], mark: str) -> None:
            execute(f"select cook({mark})", [SECONDS]).fetchone()

        calls = {
            "psycopg": lambda: on_the_loop(blocking.execute, "%s"),
            "sqlite3": lambda: on_the_loop(file.execute, "?"),
            "psycopg in a thread": lambda: asyncio.to_thread(
                blocking.execute, "select cook(%s)", [SECONDS]
            ),
            "psycopg AsyncConnection": lambda: awaited.execute("select cook(%s)", [SECONDS]),
            "asyncpg": lambda: window.fetchval("select cook($1)", SECONDS),
            "aiosqlite": lambda: book.execute_fetchall("select cook(?)", [SECONDS]),
        }
        beats = {name: await beats_during(call) for name, call in calls.items()}
        await window.close()
        await awaited.close()
        blocking.close()
        await book.close()
        file.close()

    print(f"heartbeats, one every 5 ms, during one query of {SECONDS} s")
    for name, count in beats.items():
        print(f"{name:24} {count:3} {'o' * count}")
    claim(
        "blocking-calls-leave-no-beat",
        "No heartbeat during a query of psycopg or sqlite3 on the loop's thread.",
        (beats["psycopg"], beats["sqlite3"]) == (0, 0),
    )
    claim(
        "aiosqlite-frees-the-loop",
        "aiosqlite: twenty heartbeats, then the answer that waited for them.",
        await beats_until_opened() >= 20,
    )


if __name__ == "__main__":
    # psycopg's AsyncConnection needs this kind of loop; on Windows it is not the default
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())
