"""Record the timeline of the page "3 · with SQLAlchemy": how relations are loaded at a distance.

    python labs/recorders/with_sqlalchemy_03.py

The database is far away: each round trip takes 0.1 s longer. A session reads fifty guests and the
two orders of each: guest by guest, with `selectinload`, and with `joinedload`. Each wait for the
database is one round trip. Of three runs the shortest is kept: it is the one the machine disturbed
least. Writes `book/traces/with-sqlalchemy-03-loading.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from bench import LoopTrace, Postgres, RoundTrips, waiting_for
from bench.instruments.steps import Span
from bench.traces.building import build_trace
from bench.units import counted

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "labs/evidence/with_sqlalchemy"))

from tables import Guest, desk, fill  # noqa: E402  (they need the folder above)

SECONDS, RUNS = 0.1, 3


async def read(engine: AsyncEngine, options: Sequence[ORMOption]) -> None:
    """All guests with their orders. Each call says what it waits for."""
    session, query = AsyncSession(engine), select(Guest).options(*options)
    with waiting_for("database", "scalars()"):
        guests = (await session.scalars(query)).unique().all()
    if not options:
        with waiting_for("database", "awaitable_attrs"):
            for guest in guests:
                await guest.awaitable_attrs.orders
    with waiting_for("database", "close()"):
        await session.close()


async def one_run(name: str, engine: AsyncEngine, options: Sequence[ORMOption]) -> LoopTrace:
    async with LoopTrace() as trace:
        await asyncio.create_task(read(engine, options), name=name)
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
        lanes = []
        for name, options in (
            ("one by one", ()),
            ("selectinload", (selectinload(Guest.orders),)),
            ("joinedload", (joinedload(Guest.orders),)),
        ):
            net.delay = 0.0
            await one_run(name, engine, options)  # prepares the statements
            net.delay = SECONDS
            runs = [await one_run(name, engine, options) for _ in range(RUNS)]
            lanes.append((name, spans_of(min(runs, key=lambda run: run.duration))))
        await engine.dispose()
    trace = build_trace(
        lanes,
        duration=max(spans[-1][2] for _, spans in lanes),
        title=f"Fifty guests and their orders, {SECONDS:g} s away, in three ways",
        summary=f"{'; '.join(told(*lane) for lane in lanes)}.",
        about={
            "versions": f"Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}, "
            f"asyncpg {version('asyncpg')}, PostgreSQL {number}",
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
            "command": "python labs/recorders/with_sqlalchemy_03.py",
            "runs": RUNS,
        },
    )
    path = ROOT / "book" / "traces" / "with-sqlalchemy-03-loading.json"
    path.write_text(json.dumps(trace.to_json(), indent=1) + "\n", encoding="utf-8")
    print(f"{path.name}: {trace.summary}")


if __name__ == "__main__":
    asyncio.run(record())
