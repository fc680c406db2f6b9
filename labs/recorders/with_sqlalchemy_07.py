"""Record the timeline of lesson 7's page for SQLAlchemy: what one look-up waits for.

    python labs/recorders/with_sqlalchemy_07.py

The database is 20 milliseconds away, the pool is warm, the statement known. The same look-up in
four ways; each wait is one round trip, as asyncpg's socket saw it. Of five runs of each way the
shortest is kept: it is the one the machine disturbed least. Writes
`book/traces/with-sqlalchemy-07-one-session.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from bench import Postgres, RoundTrips, Wiretap
from bench.instruments.wiretap import Event
from bench.traces.building import build_trace
from bistro.database import prepare

TRACES = Path(__file__).resolve().parents[2] / "book" / "traces"
SECONDS, RUNS = 0.02, 5
PRICE = "select price_cents from dishes where id = 1"
Look = Callable[[], Awaitable[object]]
Spans = list[tuple[str, float, float, str | None]]


def label_of(sent: Event) -> str:
    """What a trip asks: a simple query says it itself, the other is ours or the engine's ping."""
    for message in sent.messages:
        if message.letter == "Q":
            words = message.body.split(b"\0")[0].decode().strip().rstrip(";")
            return words if words in ("BEGIN", "ROLLBACK") else "reset"
    return "query"


def waits(events: list[Event], began: float, ended: float) -> Spans:
    """The program's own work, and between each question and its answer the wait for it."""
    spans: Spans = []
    at = began
    for sent, decoded in zip(
        (event for event in events if event.what == "sent"),
        (event for event in events if event.what == "decoded"),
        strict=True,
    ):
        spans.append(("running", at - began, sent.at - began, None))
        spans.append(("database", sent.at - began, decoded.at - began, label_of(sent)))
        at = decoded.at
    return [*spans, ("running", at - began, ended - began, None)]


async def shortest(driver: asyncpg.Connection, look: Look) -> Spans:
    """The spans of the shortest of RUNS runs, after two that open, ping and prepare."""
    runs = []
    for _ in range(RUNS + 2):
        async with Wiretap(driver) as wire:
            began = time.perf_counter()
            await look()
            ended = time.perf_counter()
        runs.append(waits(wire.events, began, ended))
    return min(runs[2:], key=lambda spans: spans[-1][2])


async def of_an_engine(engine: AsyncEngine) -> Spans:
    async def look() -> None:
        async with AsyncSession(engine) as session:
            await session.scalar(text(PRICE))

    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
    spans = await shortest(driver, look)
    await engine.dispose()
    return spans


def with_the_ping_named(spans: Spans) -> Spans:
    """The first of its two queries is the engine's ping, an empty statement."""
    first = next(number for number, span in enumerate(spans) if span[3] == "query")
    state, begin, end, _ = spans[first]
    return [*spans[:first], (state, begin, end, "ping"), *spans[first + 1 :]]


async def record() -> None:
    async with Postgres() as pg, RoundTrips(pg.dsn, delay=SECONDS) as net:
        await prepare(pg.dsn)
        url = net.dsn.replace("postgresql:", "postgresql+asyncpg:")
        async with asyncpg.create_pool(net.dsn, min_size=1, max_size=1) as pool:
            number = (await pool.fetchval("show server_version")).split()[0]
            async with pool.acquire() as lease:
                driver = lease._con  # a lease hands on no transport; the pool has this one alone
            by_pool = await shortest(driver, lambda: pool.fetchval(PRICE))
        lanes = [
            (
                "AUTOCOMMIT",
                await of_an_engine(create_async_engine(url, isolation_level="AUTOCOMMIT")),
            ),
            ("asyncpg's pool", by_pool),
            ("session", await of_an_engine(create_async_engine(url))),
            ("with pre-ping", await of_an_engine(create_async_engine(url, pool_pre_ping=True))),
        ]
    lanes[-1] = (lanes[-1][0], with_the_ping_named(lanes[-1][1]))
    took = {name: spans[-1][2] for name, spans in lanes}
    trips = {name: sum(state == "database" for state, *_ in spans) for name, spans in lanes}
    ends = ", ".join(f"{name} {trips[name]} and {took[name] * 1000:.0f} ms" for name in took)
    trace = build_trace(
        lanes,
        duration=max(took.values()),
        title="One look-up, four ways, 20 ms from the database",
        summary=f"The same look-up waits for this many round trips and takes this long: {ends}.",
        about={
            "versions": f"Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}, "
            f"asyncpg {version('asyncpg')}, PostgreSQL {number}",
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
            "command": "python labs/recorders/with_sqlalchemy_07.py",
            "runs": RUNS,
        },
    )
    path = TRACES / "with-sqlalchemy-07-one-session.json"
    path.write_text(json.dumps(trace.to_json(), indent=1) + "\n", encoding="utf-8")
    print(f"{path.name}: {trace.summary}")


if __name__ == "__main__":
    asyncio.run(record())
