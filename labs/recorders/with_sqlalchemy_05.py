"""Record the timeline of the page "5 · with SQLAlchemy": what a commit costs at a distance.

    python labs/recorders/with_sqlalchemy_05.py

The database is far away: each round trip takes 0.1 s longer. A session saves a guest, commits, and
refreshes it; then the same with `expire_on_commit=False`, and in AUTOCOMMIT. Each wait for the
database is one round trip. Of five runs the shortest is kept: it is the one the machine disturbed
least. Writes `book/traces/with-sqlalchemy-05-refresh.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from bench import LoopTrace, Postgres, RoundTrips, waiting_for
from bench.instruments.steps import Span
from bench.traces.building import build_trace
from bench.units import counted

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "labs/evidence/with_sqlalchemy"))

from tables import Guest, desk, fill  # noqa: E402  (they need the folder above)

SECONDS, RUNS = 0.1, 5


async def save(engine: AsyncEngine, expire: bool) -> None:
    """One guest is saved; an expired one is asked for again. Each call says what it waits for."""
    session = AsyncSession(engine, expire_on_commit=expire)
    session.add(guest := Guest(name="Ann"))
    with waiting_for("database", "flush()"):
        await session.flush()
    with waiting_for("database", "commit()"):
        await session.commit()
    if expire:
        with waiting_for("database", "refresh()"):
            await session.refresh(guest)
    with waiting_for("database", "close()"):
        await session.close()


async def one_run(name: str, engine: AsyncEngine, expire: bool) -> LoopTrace:
    async with LoopTrace() as trace:
        await asyncio.create_task(save(engine, expire), name=name)
    return trace


def spans_of(trace: LoopTrace) -> list[Span]:
    (lane,) = trace.to_json(title="one way", summary="one way")["lanes"]
    return [(s["state"], s["from"], s["to"], s.get("label")) for s in lane["spans"]]


def told(name: str, spans: list[Span]) -> str:
    trips = sum(state == "database" and end - begin > SECONDS / 2 for state, begin, end, _ in spans)
    return f"{name} {counted(str(trips), 'round trips')} and {spans[-1][2]:.2f} s"


async def record() -> None:
    async with Postgres() as pg, RoundTrips(pg.dsn) as net:
        await fill(pg.dsn)
        async with desk(pg.dsn) as connection:
            number = (await connection.fetchval("show server_version")).split()[0]
        engine = create_async_engine(
            net.dsn.replace("postgresql:", "postgresql+asyncpg:"), pool_size=1, max_overflow=0
        )
        fast = engine.execution_options(isolation_level="AUTOCOMMIT")
        lanes = []
        for name, used, expire in (
            ("refresh", engine, True),
            ("no expiry", engine, False),
            ("AUTOCOMMIT", fast, False),
        ):
            net.delay = 0.0
            await one_run(name, used, expire)  # prepares the statements
            net.delay = SECONDS
            runs = [await one_run(name, used, expire) for _ in range(RUNS)]
            lanes.append((name, spans_of(min(runs, key=lambda run: run.duration))))
        await engine.dispose()
    trace = build_trace(
        lanes,
        duration=max(spans[-1][2] for _, spans in lanes),
        title=f"A guest is saved, {SECONDS:g} s away, in three ways",
        summary=f"{'; '.join(told(*lane) for lane in lanes)}.",
        about={
            "versions": f"Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}, "
            f"asyncpg {version('asyncpg')}, PostgreSQL {number}",
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
            "command": "python labs/recorders/with_sqlalchemy_05.py",
            "runs": RUNS,
        },
    )
    path = ROOT / "book" / "traces" / "with-sqlalchemy-05-refresh.json"
    path.write_text(json.dumps(trace.to_json(), indent=1) + "\n", encoding="utf-8")
    print(f"{path.name}: {trace.summary}")


if __name__ == "__main__":
    asyncio.run(record())
