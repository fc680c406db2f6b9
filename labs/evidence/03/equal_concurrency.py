"""Threads and tasks at equal concurrency: twenty queries at once with psycopg, and with asyncpg.

First the gate counts how many queries are inside the database. Then both pass ten gates, one after
the other: at each, all twenty must stand before it opens. At last both do 200 queries of 20 ms,
five times. The ranges of their times are drawn and not claimed: they differ from run to run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial

import asyncpg
import psycopg

from bench import Gate, Postgres, claim
from bistro.database import prepare

AT_ONCE, QUERIES, SECONDS, RUNS = 20, 200, 0.02, 5
COOK, PASS = "select cook({})", "select pg_advisory_xact_lock_shared({})"
GATES = range(901, 901 + QUERIES // AT_ONCE)
Work = Callable[[str, list[float]], Awaitable[None]]
"""Over each of AT_ONCE open connections: this query, with one argument after the other."""


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
        running = asyncio.create_task(work(COOK, [0, 0]))
        await gate.until_waiting(AT_ONCE)
        most = max([await gate.waiting() for _ in range(100)])
        await gate.open()
        await running
    return most


async def waves(dsn: str, work: Work) -> list[int]:
    """How many stand at each of the gates that every connection has to pass in turn."""
    async with AsyncExitStack() as closed:
        gates = [await closed.enter_async_context(Gate(dsn, key)) for key in GATES]
        running = asyncio.create_task(work(PASS, list(GATES)))
        seen = []
        for gate in gates:
            await gate.until_waiting(AT_ONCE)
            seen.append(await gate.waiting())
            await gate.open()
        await running
    return seen


async def seconds_of(work: Work, arguments: list[float]) -> float:
    began = time.perf_counter()
    await work(COOK, arguments)
    return time.perf_counter() - began


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        sync = [psycopg.connect(pg.dsn, autocommit=True) for _ in range(AT_ONCE)]
        tasks = [await asyncpg.connect(pg.dsn) for _ in range(AT_ONCE)]
        with ThreadPoolExecutor(AT_ONCE) as helpers:

            def ask_in_a_thread(window: psycopg.Connection, query: str, values: list) -> None:
                for value in values:
                    window.execute(query.format("%s"), [value])

            async def with_threads(query: str, values: list[float]) -> None:
                ask = partial(asyncio.get_running_loop().run_in_executor, helpers, ask_in_a_thread)
                await asyncio.gather(*(ask(window, query, values) for window in sync))

            async def ask_in_a_task(window: asyncpg.Connection, query: str, values: list) -> None:
                for value in values:
                    await window.fetchval(query.format("$1"), value)

            async def with_tasks(query: str, values: list[float]) -> None:
                await asyncio.gather(*(ask_in_a_task(window, query, values) for window in tasks))

            async def with_one(query: str, values: list[float]) -> None:
                await ask_in_a_task(tasks[0], query, values)

            kinds: dict[str, Work] = {
                "psycopg, 20 threads": with_threads,
                "asyncpg, 20 tasks": with_tasks,
            }
            at_once = {name: await inside(pg.dsn, work) for name, work in kinds.items()}
            at_gates = {name: await waves(pg.dsn, work) for name, work in kinds.items()}
            single = await seconds_of(with_one, [0.1])
            took = {name: [] for name in kinds}
            for _ in range(RUNS):  # in turn, so that both meet the same neighbours
                for name, work in kinds.items():
                    took[name].append(await seconds_of(work, [SECONDS] * len(GATES)))
        for window in sync:
            window.close()
        for window in tasks:
            await window.close()

    bound = QUERIES / AT_ONCE * SECONDS
    print(
        f"{QUERIES} queries of {SECONDS} s, {AT_ONCE} at a time; no run can be below {bound:.2f} s"
    )
    draw(took)
    for name, seen in at_gates.items():
        print(f"{name:19} at the {len(seen)} gates: {' '.join(map(str, seen))}")
    claim(
        "equal-concurrency-same-number-inside",
        "Twenty threads and twenty tasks both have twenty queries inside the database.",
        list(at_once.values()) == [AT_ONCE, AT_ONCE],
    )
    claim(
        "equal-concurrency-same-bound",
        "With threads and with tasks, twenty at a time pass each of ten gates: ten waves for both.",
        list(at_gates.values()) == [[AT_ONCE] * len(GATES)] * 2,
    )
    claim(
        "one-query-takes-its-time",
        "One query of 0.1 s takes 0.1 s with an async driver, too.",
        single >= 0.95 * 0.1,
    )


if __name__ == "__main__":
    asyncio.run(main())
