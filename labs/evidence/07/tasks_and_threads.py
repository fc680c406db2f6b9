"""Why tasks: what a waiting thread costs, and what a waiting task costs."""

from __future__ import annotations

import asyncio
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import psutil
import psycopg

from bench import Gate, Postgres, claim
from bistro.database import prepare

TURNS, TASKS, ORDERS = 2000, 500, 40


def switches() -> int:
    """How often this thread has given the processor back because it had to wait."""
    return psutil.Process().num_ctx_switches().voluntary


def play_with_threads() -> None:
    """Two threads take turns: each waits until the other has moved."""
    mine, yours = threading.Semaphore(0), threading.Semaphore(0)

    def other() -> None:
        for _ in range(TURNS):
            yours.acquire()
            mine.release()

    thread = threading.Thread(target=other)
    thread.start()
    for _ in range(TURNS):
        yours.release()
        mine.acquire()
    thread.join()


async def play_with_tasks() -> None:
    """Two tasks take turns in the same way."""
    mine, yours = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def other() -> None:
        for _ in range(TURNS):
            await yours.acquire()
            mine.release()

    task = asyncio.create_task(other())
    for _ in range(TURNS):
        yours.release()
        await mine.acquire()
    await task


async def bytes_for_a_task(depth: int) -> float:
    """Memory of a task that waits in a call of this depth."""
    door = asyncio.Event()

    async def wait(below: int) -> None:
        await (wait(below - 1) if below > 1 else door.wait())

    tracemalloc.start()
    tasks = [asyncio.create_task(wait(depth)) for _ in range(TASKS)]
    await asyncio.sleep(0)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    door.set()
    await asyncio.gather(*tasks)
    return size / TASKS


async def threads_for_waits(dsn: str) -> dict[str, int]:
    """More threads than before, while forty queries of a driver are inside the database."""
    more = {}
    for name in "asyncpg", "psycopg":
        before = threading.active_count()
        async with Gate(dsn) as gate:
            with ThreadPoolExecutor(ORDERS) as threads:
                if name == "asyncpg":
                    ask = [one_awaited(dsn) for _ in range(ORDERS)]
                else:
                    loop = asyncio.get_running_loop()
                    ask = [loop.run_in_executor(threads, one_blocking, dsn) for _ in range(ORDERS)]
                orders = asyncio.gather(*ask)
                await gate.until_waiting(ORDERS)
                more[name] = threading.active_count() - before
                await gate.open()
                await orders
    return more


async def one_awaited(dsn: str) -> None:
    window = await asyncpg.connect(dsn)
    await window.execute("select cook(0)")
    await window.close()


def one_blocking(dsn: str) -> None:
    with psycopg.connect(dsn) as window:
        window.execute("select cook(0)")


async def main() -> None:
    began, before = time.perf_counter(), switches()
    play_with_threads()
    between, middle = time.perf_counter(), switches()
    await play_with_tasks()
    end, after = time.perf_counter(), switches()
    flat, deep = await bytes_for_a_task(1), await bytes_for_a_task(8)
    async with Postgres(embedded=True) as pg:
        await prepare(pg.dsn)
        more = await threads_for_waits(pg.dsn)
    print(f"{TURNS} turns of two threads: {middle - before} waits in the operating system,")
    print(f"   {(between - began) / TURNS * 1e6:.1f} µs for a turn")
    print(f"{TURNS} turns of two tasks:   {after - middle} waits in the operating system,")
    print(f"   {(end - between) / TURNS * 1e6:.1f} µs for a turn")
    print(f"a waiting task: {flat:.0f} bytes; eight calls deep: {deep:.0f} bytes")
    print(f"threads for {ORDERS} queries inside the database: {more}")
    claim(
        "threads-switch-in-the-system",
        "Two threads that take turns wait in the system hundreds of times; two tasks do not.",
        middle - before > TURNS / 10 > after - middle,
    )
    claim(
        "a-task-pays-for-its-depth",
        "A task that waits eight calls deep keeps more memory than one that waits at the top.",
        deep > flat,
    )
    claim(
        "blocking-waits-need-threads",
        "Forty blocking queries hold forty threads more, and forty awaited ones none.",
        more == {"asyncpg": 0, "psycopg": ORDERS},
    )


if __name__ == "__main__":
    asyncio.run(main())
