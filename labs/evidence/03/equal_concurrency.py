"""Threads and tasks at equal concurrency: twenty queries at once with psycopg, and with asyncpg.

First the gate counts how many queries are inside the database. Then both do the same 200 queries of
20 ms, five times. The ranges of their times are drawn and not claimed: they differ from run to run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import psycopg

from bench import Gate, Postgres, claim
from bistro.database import prepare

AT_ONCE, QUERIES, SECONDS, RUNS = 20, 200, 0.02, 5
Work = Callable[[int, float], Awaitable[None]]
"""Make so many queries of so many seconds, AT_ONCE at a time, over connections that are open."""


def draw(rows: dict[str, list[float]]) -> None:
    """One line each: from the shortest run to the longest, `o` at the median; 60 columns wide."""
    most = max(max(row) for row in rows.values())
    for name, row in rows.items():
        low, middle, high = (
            round(59 * s / most) for s in (min(row), sorted(row)[len(row) // 2], max(row))
        )
        line = [" "] * 60
        line[low : high + 1] = "-" * (high + 1 - low)
        line[low], line[high], line[middle] = "|", "|", "o"
        print(f"{name:19} {''.join(line)} {min(row):.2f} to {max(row):.2f} s")


async def inside(dsn: str, work: Work) -> int:
    """How many of the queries wait at the gate at once."""
    async with Gate(dsn) as gate:
        running = asyncio.create_task(work(2 * AT_ONCE, 0))
        await gate.until_waiting(AT_ONCE)
        most = max([await gate.waiting() for _ in range(100)])
        await gate.open()
        await running
    return most


async def seconds_of(work: Work, queries: int, each: float) -> float:
    began = time.perf_counter()
    await work(queries, each)
    return time.perf_counter() - began


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        sync = [psycopg.connect(pg.dsn, autocommit=True) for _ in range(AT_ONCE)]
        tasks = [await asyncpg.connect(pg.dsn) for _ in range(AT_ONCE)]
        with ThreadPoolExecutor(AT_ONCE) as helpers:

            def wait_in_thread(window: psycopg.Connection, times: int, each: float) -> None:
                for _ in range(times):
                    window.execute("select cook(%s)", [each])

            async def with_threads(queries: int, each: float) -> None:
                loop, share = asyncio.get_running_loop(), queries // AT_ONCE
                await asyncio.gather(
                    *(loop.run_in_executor(helpers, wait_in_thread, w, share, each) for w in sync)
                )

            async def wait_in_task(window: asyncpg.Connection, times: int, each: float) -> None:
                for _ in range(times):
                    await window.fetchval("select cook($1)", each)

            async def with_tasks(queries: int, each: float) -> None:
                share = queries // AT_ONCE
                await asyncio.gather(*(wait_in_task(w, share, each) for w in tasks))

            kinds: dict[str, Work] = {
                "psycopg, 20 threads": with_threads,
                "asyncpg, 20 tasks": with_tasks,
            }
            at_once = {name: await inside(pg.dsn, work) for name, work in kinds.items()}
            single = await seconds_of(lambda n, s: wait_in_task(tasks[0], n, s), 1, 0.1)
            took = {name: [] for name in kinds}
            for _ in range(RUNS):  # in turn, so that both meet the same neighbours
                for name, work in kinds.items():
                    took[name].append(await seconds_of(work, QUERIES, SECONDS))
        for window in sync:
            window.close()
        for window in tasks:
            await window.close()

    bound = QUERIES / AT_ONCE * SECONDS
    print(
        f"{QUERIES} queries of {SECONDS} s, {AT_ONCE} at a time; no run can be below {bound:.2f} s"
    )
    draw(took)
    claim(
        "equal-concurrency-same-number-inside",
        "Twenty threads and twenty tasks both have twenty queries inside the database.",
        list(at_once.values()) == [AT_ONCE, AT_ONCE],
    )
    claim(
        "equal-concurrency-same-bound",
        "Both need ten waves: no run, with threads or with tasks, is shorter than 0.2 s.",
        min(min(row) for row in took.values()) >= 0.95 * bound,
    )
    claim(
        "one-query-takes-its-time",
        "One query of 0.1 s takes 0.1 s with an async driver, too.",
        single >= 0.95 * 0.1,
    )


if __name__ == "__main__":
    asyncio.run(main())
