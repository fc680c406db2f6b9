"""Record the timeline of lesson 7's first question.

    python labs/evidence/record_07_hook.py

A thousand tasks start at the same moment, with asyncpg's default pool; each query takes 0.02 s.
The recording shows the first 0.2 s: a lane for each backend of PostgreSQL, and the task that was
started last. Of three runs the shortest is kept: it is the one the machine disturbed least. Writes
`book/traces/07-thousand-tasks.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from collections import defaultdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg

from bench import Postgres
from bench.recording import build_trace
from bistro.database import prepare

TRACES = Path(__file__).resolve().parents[2] / "book" / "traces"
TASKS, SECONDS, SHOWN, RUNS = 1000, 0.02, 0.2, 3


async def one_run(pool: asyncpg.Pool) -> tuple[float, dict[int, list[tuple[int, float, float]]]]:
    """Seconds until the last task is done; for each backend its queries: (task, from, to)."""
    served: dict[int, list[tuple[int, float, float]]] = defaultdict(list)

    async def order(number: int) -> None:
        async with pool.acquire() as connection:
            begin = time.perf_counter() - start
            await connection.fetchval("select cook($1)", SECONDS)
            end = time.perf_counter() - start
            served[connection.get_server_pid()].append((number, begin, end))

    start = time.perf_counter()
    await asyncio.gather(*(order(number) for number in range(1, TASKS + 1)))
    return time.perf_counter() - start, served


async def record() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with asyncpg.create_pool(pg.dsn) as pool:
            number = (await pool.fetchval("show server_version")).split()[0]
            await one_run(pool)  # the first warms up
            runs = [await one_run(pool) for _ in range(RUNS)]
    total, served = min(runs, key=lambda run: run[0])
    queries = sorted(served.values(), key=lambda of_one: of_one[0][0])
    lanes = [
        (
            f"backend {row}",
            [
                ("database", begin, min(end, SHOWN), f"task {task}")
                for task, begin, end in of_one
                if begin < SHOWN
            ],
        )
        for row, of_one in enumerate(queries, 1)
    ]
    lanes.append((f"task {TASKS}", [("pool", 0.0, SHOWN, None)]))
    data = build_trace(
        lanes,
        duration=SHOWN,
        title=f"{TASKS} tasks, asyncpg's default pool: the first {SHOWN} s",
        summary=f"{TASKS} tasks ask at the same moment: {len(queries)} backends work, all others "
        f"wait for a connection, and the last task is done after {total:.2f} s.",
        about={
            "versions": f"Python {platform.python_version()}, asyncpg {version('asyncpg')}, "
            f"PostgreSQL {number}",
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
            "command": "python labs/evidence/record_07_hook.py",
            "runs": RUNS,
        },
    )
    path = TRACES / "07-thousand-tasks.json"
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(f"{path.name}: {data['summary']}")


if __name__ == "__main__":
    asyncio.run(record())
