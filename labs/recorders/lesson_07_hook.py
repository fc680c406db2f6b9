"""Record the timeline of lesson 7's first question.

    python labs/recorders/lesson_07_hook.py

A thousand tasks start at the same moment, with asyncpg's default pool; each query takes 0.02 s.
The recording shows the first twelve tasks, and then every 250th. Of three runs the shortest is
kept: it is the one the machine disturbed least. Writes `book/traces/07-thousand-tasks.json`.
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
TASKS, SECONDS, RUNS = 1000, 0.02, 3
SHOWN = [*range(1, 13), *range(250, TASKS + 1, 250)]


async def order(pool: asyncpg.Pool) -> None:
    """One task: wait for a connection, then for the answer."""
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
        for number in range(1, TASKS + 1):
            group.create_task(order(pool), name=f"task {number}")
    return trace


async def record() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with asyncpg.create_pool(pg.dsn) as pool:
            number = (await pool.fetchval("show server_version")).split()[0]
            runs = [await one_run(pool) for _ in range(RUNS + 1)][1:]  # the first warms up
            backends = pool.get_size()
    trace = min(runs, key=lambda run: run.duration)
    data = trace.to_json(
        title=f"{len(SHOWN)} of {TASKS} tasks, asyncpg's default pool",
        summary=f"{TASKS} tasks ask at the same moment: {backends} backends work at a time, the "
        f"others wait for a connection, and the last task is done after {trace.duration:.2f} s.",
        lanes={f"task {number}": f"task {number}" for number in SHOWN},
        about={
            "versions": f"Python {platform.python_version()}, asyncpg {version('asyncpg')}, "
            f"PostgreSQL {number}",
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
            "command": "python labs/recorders/lesson_07_hook.py",
            "runs": RUNS,
        },
    )
    path = TRACES / "07-thousand-tasks.json"
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(f"{path.name}: {data['summary']}")


if __name__ == "__main__":
    asyncio.run(record())
