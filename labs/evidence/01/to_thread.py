"""`asyncio.to_thread` does not use FastAPI's forty helpers: it has a smaller pool of its own.

A hundred jobs are given to each pool. Every job waits for one event; we count how many wait.
"""

from __future__ import annotations

import asyncio
import os
import threading

import anyio.to_thread

from bench import claim, until

JOBS = 100
CORES = getattr(os, "process_cpu_count", os.cpu_count)() or 1
DEFAULT_EXECUTOR = min(32, CORES + 4)
"""Threads of the default executor: concurrent.futures.ThreadPoolExecutor, `max_workers`."""


class Kitchen:
    """Jobs that wait until they are let go, and the number of those that wait now."""

    def __init__(self) -> None:
        self._lock, self._open, self.inside = threading.Lock(), threading.Event(), 0

    def job(self) -> None:
        with self._lock:
            self.inside += 1
        self._open.wait()

    def open(self) -> None:
        self._open.set()


async def running_at_once(in_thread, expected: int) -> int:
    """How many of the jobs run at once when `in_thread` gives each to its pool."""
    kitchen = Kitchen()
    jobs = [asyncio.ensure_future(in_thread(kitchen.job)) for _ in range(JOBS)]
    try:
        await until(lambda: kitchen.inside >= expected, what=f"{expected} jobs to run")
        for _ in range(100):  # a hundred turns in which one more could begin
            await asyncio.sleep(0.001)
        return kitchen.inside
    finally:
        kitchen.open()
        await asyncio.gather(*jobs)


async def main() -> None:
    helpers = await running_at_once(anyio.to_thread.run_sync, 40)
    others = await running_at_once(asyncio.to_thread, DEFAULT_EXECUTOR)
    print(f"AnyIO, as FastAPI's def routes use it: {helpers} of {JOBS} jobs at once")
    print(f"asyncio.to_thread on {CORES} cores:    {others} of {JOBS} jobs at once")
    claim(
        "to-thread-is-another-pool",
        "asyncio.to_thread runs min(32, cores + 4) jobs at once, not FastAPI's 40.",
        (helpers, others) == (40, DEFAULT_EXECUTOR),
    )


if __name__ == "__main__":
    asyncio.run(main())
