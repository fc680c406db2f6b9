"""Record the timeline of the page beside lesson 6: three guests, a pool of one place.

    python labs/recorders/with_sqlalchemy_06.py

A real uvicorn streams a line and then asks with an AsyncSession; the dish takes 1 s. Each guest
hangs up after 0.2 s, and the next one comes. PostgreSQL's own list tells which queries run. Of five
runs the shortest is kept: it is the one the machine disturbed least. Writes
`book/traces/with-sqlalchemy-06-hang-ups.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg
import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bench import Postgres, serve
from bench.traces.building import build_trace
from bistro.database import prepare

TRACE = Path(__file__).resolve().parents[2] / "book/traces/with-sqlalchemy-06-hang-ups.json"
GUESTS, LEAVES, DISH, RUNS = 3, 0.2, 1.0, 5
RUNNING = """
    select right(query, 1)::int from pg_stat_activity
    where state = 'active' and query like 'select cook(%' and pid <> pg_backend_pid()"""

URL = os.environ.get("URL", "postgresql+asyncpg://")
engine = create_async_engine(URL, pool_size=1, max_overflow=0)
app = FastAPI()

Stay = tuple[float, float]


@app.get("/{guest}")
async def stream(guest: int) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        yield "the dish is on its way\n"
        async with AsyncSession(engine) as session:
            await session.execute(text(f"select cook({DISH}) -- guest {guest}"))

    return StreamingResponse(lines())


async def one_run(
    client: httpx.AsyncClient, desk: asyncpg.Connection
) -> tuple[list[Stay], list[Stay]]:
    """When each guest came and left, and when each query began and ended."""
    zero, stays = time.perf_counter(), []
    seen: dict[int, list[float]] = {}

    async def watch() -> None:
        while len(stays) < GUESTS or await desk.fetchval(RUNNING):
            for row in await desk.fetch(RUNNING):
                seen.setdefault(row[0], []).append(time.perf_counter() - zero)

    watching = asyncio.create_task(watch())
    for guest in range(1, GUESTS + 1):
        came = time.perf_counter() - zero
        async with client.stream("GET", f"/{guest}"):
            await asyncio.sleep(LEAVES)
        stays.append((came, time.perf_counter() - zero))
    await watching
    return stays, [(times[0], times[-1]) for _, times in sorted(seen.items())]


async def record() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        desk = await asyncpg.connect(pg.dsn)
        number = (await desk.fetchval("show server_version")).split()[0]
        async with (
            serve(f"{__file__}:app", env={"URL": pg.url("asyncpg")}) as server,
            httpx.AsyncClient(base_url=server.url) as client,
        ):
            runs = [await one_run(client, desk) for _ in range(RUNS + 1)][1:]
        await desk.close()
    stays, queries = min(runs, key=lambda run: run[1][-1][1])
    most = max(sum(b <= begin < e for b, e in queries) for begin, _ in queries)
    lanes = []
    for n, (stay, query) in enumerate(zip(stays, queries, strict=True), 1):
        lanes.append((f"guest {n}", [("waiting", *stay, None)]))
        lanes.append((f"query {n}", [("database", *query, None)]))
    versions = ("fastapi", "starlette", "uvicorn", "sqlalchemy", "asyncpg")
    trace = build_trace(
        lanes,
        duration=queries[-1][1],
        title="Three guests hang up, and the pool has one place",
        summary=f"Each guest hangs up after {LEAVES} s, and each query runs on: from a pool of one "
        f"place, {most} queries run at once. The first guest leaves after {stays[0][1]:.2f} s, "
        f"the first query ends after {queries[0][1]:.2f} s.",
        about={
            "versions": f"Python {platform.python_version()}, "
            + ", ".join(f"{name} {version(name)}" for name in versions)
            + f", PostgreSQL {number}",
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
            "command": "python labs/recorders/with_sqlalchemy_06.py",
            "runs": RUNS,
        },
    )
    TRACE.write_text(json.dumps(trace.to_json(), indent=1) + "\n", encoding="utf-8")
    print(f"{TRACE.name}: {trace.summary}")


if __name__ == "__main__":
    asyncio.run(record())
