"""Record the timeline of the page beside lesson 4: twenty guests, an engine with its defaults.

    python labs/recorders/with_sqlalchemy_04.py

Each guest has an AsyncSession and one query of 0.1 s. Five places of the pool are open before, ten
more are opened when they are needed. Of five runs the shortest is kept: it is the one the machine
disturbed least. Writes `book/traces/with-sqlalchemy-04-twenty-guests.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from bench import LoopTrace, Postgres, waiting_for
from bistro.database import prepare

TRACE = Path(__file__).resolve().parents[2] / "book/traces/with-sqlalchemy-04-twenty-guests.json"
GUESTS, SECONDS, RUNS = 20, 0.1, 5
DISH = text(f"select cook({SECONDS})")


async def order(engine: AsyncEngine) -> None:
    """One guest: wait for a place, then for the dish."""
    async with AsyncSession(engine) as session:
        with waiting_for("pool"):
            await session.connection()
        with waiting_for("database"):
            await session.execute(DISH)
            await session.rollback()


async def one_run(engine: AsyncEngine) -> LoopTrace:
    async with LoopTrace() as trace, asyncio.TaskGroup() as group:
        for number in range(1, GUESTS + 1):
            group.create_task(order(engine), name=f"guest {number}")
    return trace


async def record() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        engine = create_async_engine(pg.url("asyncpg"))
        runs = [await one_run(engine) for _ in range(RUNS + 1)][1:]  # the first warms up
        async with engine.connect() as desk:
            number = (await desk.scalar(text("show server_version"))).split()[0]
        await engine.dispose()
    trace = min(runs, key=lambda run: run.duration)
    data = trace.to_json(
        title=f"{GUESTS} guests, an AsyncSession each, the engine's defaults",
        summary=f"{GUESTS} guests order at the same moment, each with a session: 15 queries run at "
        f"a time, five guests wait for a place; the last is served after {trace.duration:.2f} s.",
        lanes="guest",
        about={
            "versions": f"Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}, "
            f"asyncpg {version('asyncpg')}, PostgreSQL {number}",
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
            "command": "python labs/recorders/with_sqlalchemy_04.py",
            "runs": RUNS,
        },
    )
    TRACE.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(f"{TRACE.name}: {data['summary']}")


if __name__ == "__main__":
    asyncio.run(record())
