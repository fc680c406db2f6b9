"""Where threads win: they are interrupted, and the same driver does less in Python for a query."""

from __future__ import annotations

import asyncio
import threading

import psycopg

from bench import Postgres, claim
from bench.instruments.work_counts import python_calls


async def beside_a_computing_thread() -> int:
    """Turns of a loop beside a thread that computes until it is told to stop."""
    told, turns = threading.Event(), 0

    def compute() -> None:
        while not told.is_set():
            pass

    thread = threading.Thread(target=compute)
    thread.start()
    while turns < 20:
        await asyncio.sleep(0)
        turns += 1
    told.set()
    thread.join()
    return turns


async def cost_of_one_driver(dsn: str) -> tuple[float, float]:
    """Calls for a query of psycopg, blocking and awaited."""
    connect = psycopg.AsyncConnection.connect
    with psycopg.connect(dsn, autocommit=True) as sync:
        async with await connect(dsn, autocommit=True) as awaited:

            async def block() -> None:
                sync.execute("select 1").fetchone()

            async def wait() -> None:
                await (await awaited.execute("select 1")).fetchone()

            return await python_calls(block), await python_calls(wait)


async def main() -> None:
    turns = await beside_a_computing_thread()
    async with Postgres() as pg:
        blocking, awaited = await cost_of_one_driver(pg.dsn)
    print(f"turns of the loop beside a thread that computes without end: {turns}")
    print(
        f"Python functions for a query of psycopg: {blocking:.0f} blocking, {awaited:.0f} awaited"
    )
    claim(
        "a-computing-thread-is-interrupted",
        "A thread that computes without end is interrupted: the loop takes turns beside it.",
        turns == 20,
    )
    claim(
        "awaiting-is-not-cheaper-for-a-query",
        "The same driver calls more Python functions for an awaited query than for a blocking one.",
        awaited > blocking,
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())
