"""Twelve tasks, a pool of four: who holds the loop, when, and who waits for what.

`LoopTrace` notes each step of each task. A step is the time between two suspensions.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import asyncpg

from bench import Gate, LoopTrace, Postgres, claim, waiting_for
from bistro.database import prepare

TASKS, SIZE = 12, 4


async def guest(pool: asyncpg.Pool) -> None:
    with waiting_for("pool"):
        window = await pool.acquire()
    try:
        with waiting_for("database"):
            await window.fetchval("select cook(0)")
    finally:
        await pool.release(window)


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with (
            asyncpg.create_pool(pg.dsn, min_size=SIZE, max_size=SIZE) as pool,
            Gate(pg.dsn) as gate,
            LoopTrace() as trace,
        ):
            names = [f"guest {number}" for number in range(1, TASKS + 1)]
            guests = [asyncio.create_task(guest(pool), name=name) for name in names]
            await gate.until_waiting(SIZE)
            await gate.open()
            await asyncio.gather(*guests)
    waits = [wait for wait in trace.waits() if wait.task in names]
    waited = {state: {w.task for w in waits if w.state == state} for state in ("pool", "database")}
    steps = Counter(step.task for step in trace.steps if step.task in names)
    print(f"steps of {TASKS} guests: {sum(steps.values())}")
    print(f"busy {trace.busy * 1000:.1f} ms of {trace.duration * 1000:.0f} ms")
    for state, who in waited.items():
        print(f"guests who waited for the {state}: {len(who)}")
    claim(
        "one-task-at-a-time",
        "No two tasks ever held the loop at the same time, in all steps that were recorded.",
        len(steps) == TASKS and trace.disjoint(),
    )
    claim(
        "the-rest-waits-for-the-pool",
        "Twelve guests, a pool of four: exactly eight waited for the pool, all for their query.",
        (len(waited["pool"]), len(waited["database"])) == (TASKS - SIZE, TASKS),
    )


if __name__ == "__main__":
    asyncio.run(main())
