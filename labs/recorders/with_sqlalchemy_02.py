"""Record the two timelines of lesson 2's page for SQLAlchemy: five queries in one `gather`.

    python labs/recorders/with_sqlalchemy_02.py

Each query takes 0.1 s. First all five tasks use one session, which has its connection; then each
has a session of its own, on a warm pool. When a query leaves and when its answer is read is seen at
the connections. Of five runs the shortest is kept: it is the one the machine disturbed least.
Writes `book/traces/with-sqlalchemy-02-one-session.json` and `with-sqlalchemy-02-session-each.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from bench import LoopTrace, Postgres, Wiretap, waiting_for
from bench.traces.building import Spans, build_trace
from bistro.database import prepare

TRACES = Path(__file__).resolve().parents[2] / "book" / "traces"
TASKS, SECONDS, RUNS = 5, 0.1, 5
COOK = text(f"select cook({SECONDS})")


async def by_one_session(engine: AsyncEngine) -> list[tuple[str, Spans]]:
    """A lane for each task: it waits for its turn, then for the database."""
    async with AsyncSession(engine) as session:
        await session.execute(COOK)
        raw = await (await session.connection()).get_raw_connection()
        async with Wiretap(raw.driver_connection) as wire:
            began = time.perf_counter()
            await asyncio.gather(*(session.execute(COOK) for _ in range(TASKS)))
    sent = [event.at - began for event in wire.events if event.what == "sent"]
    read = [event.at - began for event in wire.events if event.what == "decoded"]
    return [
        (f"task {n}", [("waiting", 0.0, asked, None), ("database", asked, answered, None)])
        for n, (asked, answered) in enumerate(zip(sent, read, strict=True), start=1)
    ]


async def by_a_session_each(engine: AsyncEngine) -> dict[str, object]:
    async def order() -> None:
        async with AsyncSession(engine) as session:
            with waiting_for("database"):
                await session.execute(COOK)

    async with LoopTrace() as trace, asyncio.TaskGroup() as group:
        for n in range(1, TASKS + 1):
            group.create_task(order(), name=f"task {n}")
    return trace.to_json(title="B", summary="B", lanes="task")


async def record() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        desk = await asyncpg.connect(pg.dsn)
        number = (await desk.fetchval("show server_version")).split()[0]
        await desk.close()
        engine = create_async_engine(pg.url("asyncpg"))
        one = [await by_one_session(engine) for _ in range(RUNS)]
        each = [await by_a_session_each(engine) for _ in range(RUNS + 1)][1:]  # the first connects
        await engine.dispose()
    lanes = min(one, key=last_end)
    own = min(each, key=lambda trace: trace["duration"])
    about = {
        "versions": f"Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}, "
        f"asyncpg {version('asyncpg')}, PostgreSQL {number}",
        "machine": f"{platform.system()}, {os.cpu_count()} cores",
        "date": datetime.now(UTC).date().isoformat(),
        "command": "python labs/recorders/with_sqlalchemy_02.py",
        "runs": RUNS,
    }
    start = f"{TASKS} tasks ask at the same moment"
    a = build_trace(
        lanes,
        duration=last_end(lanes),
        title="A. Five tasks, one session",
        summary=f"{start}, with one session: one query runs at a time, and the last task is "
        f"answered after {last_end(lanes):.2f} s.",
        about=about,
    ).to_json()
    b = own | {
        "title": "B. Five tasks, a session each",
        "summary": f"{start}, each with a session of its own: {TASKS} queries run at a time, and "
        f"the last task is done after {own['duration']:.2f} s.",
        "about": about,
    }
    for name, trace in (("one-session", a), ("session-each", b)):
        path = TRACES / f"with-sqlalchemy-02-{name}.json"
        path.write_text(json.dumps(trace, indent=1) + "\n", encoding="utf-8")
        print(f"{path.name}: {trace['summary']}")


def last_end(lanes: list[tuple[str, Spans]]) -> float:
    return max(spans[-1][2] for _, spans in lanes)


if __name__ == "__main__":
    asyncio.run(record())
