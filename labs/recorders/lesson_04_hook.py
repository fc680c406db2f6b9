"""Record the timeline of lesson 4's first question.

    python labs/recorders/lesson_04_hook.py

Twenty guests order at the same moment from a pool of five connections; each query takes 0.1 s. Of
five runs the shortest is kept: it is the one the machine disturbed least. Writes
`book/traces/04-pool-of-five.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg

from bench import LoopTrace, Postgres, waiting_for
from bistro.database import prepare

TRACES = Path(__file__).resolve().parents[2] / "book" / "traces"
GUESTS, SIZE, SECONDS, RUNS = 20, 5, 0.1, 5


async def order(pool: asyncpg.Pool) -> None:
    """One guest: wait for a connection, then for the dish."""
    with waiting_for("pool"):
        connection = await pool.acquire()
    try:
        with waiting_for("database"):
            await connection.fetchval("select cook($1)", SECONDS)
    finally:
        with waiting_for("database", "reset"):
            await pool.release(connection)


async def one_run(pool: asyncpg.Pool) -> LoopTrace:
    async with LoopTrace() as trace, asyncio.TaskGroup() as group:
        for number in range(1, GUESTS + 1):
            group.create_task(order(pool), name=f"guest {number}")
    return trace


async def record() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with asyncpg.create_pool(pg.dsn, min_size=SIZE, max_size=SIZE) as pool:
            number = (await pool.fetchval("show server_version")).split()[0]
            runs = [await one_run(pool) for _ in range(RUNS + 1)][1:]  # the first warms up
    trace = min(runs, key=lambda run: run.duration)
    data = trace.to_json(
        title=f"{GUESTS} guests, a pool of {SIZE} connections",
        summary=f"{GUESTS} guests order at the same moment: {SIZE} queries run at a time, the "
        f"others wait for a connection, and the last guest is served after {trace.duration:.2f} s.",
        lanes="guest",
        about={
            "versions": f"Python {platform.python_version()}, asyncpg {version('asyncpg')}, "
            f"PostgreSQL {number}",
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
            "command": "python labs/recorders/lesson_04_hook.py",
            "runs": RUNS,
        },
    )
    path = TRACES / "04-pool-of-five.json"
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(f"{path.name}: {data['summary']}")


if __name__ == "__main__":
    asyncio.run(record())
