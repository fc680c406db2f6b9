"""Record the two timelines of lesson 1's page for SQLAlchemy: a sync session in two kinds of route.

    python labs/recorders/with_sqlalchemy_01.py

Twenty guests order at the same moment; each query takes 0.1 s. The pool is SQLAlchemy's default,
but it waits 0.3 s for a place instead of 30 s. In the `async def` route all guests are let in
together, so that no session is closed between two of them. Of three runs the shortest is kept.
Writes `book/traces/with-sqlalchemy-01-async-def.json` and `with-sqlalchemy-01-def.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from bench import Postgres, closed_loop, makespan, serve
from bench.instruments.http_client import Reply
from bench.traces.building import requests_to_trace
from bench.traces.trace import check_trace
from bistro.database import prepare

TRACES = Path(__file__).resolve().parents[2] / "book" / "traces"
GUESTS, SECONDS, PATIENCE, RUNS = 20, 0.1, 0.3, 3
COOK = text(f"select cook({SECONDS})")
engine = create_engine(os.environ.get("DB", "postgresql+psycopg://"), pool_timeout=PATIENCE)
app = FastAPI()
all_here = asyncio.Barrier(GUESTS)


def get_db() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


def order(db: Session) -> dict[str, Any]:
    """Take a place, then ask; when that began, succeeded or failed, and ended."""
    began = perf_counter()
    try:
        db.connection()
    except PoolTimeout as error:
        return {"began": began, "ended": perf_counter(), "error": type(error).__name__}
    placed = perf_counter()
    db.execute(COOK)
    return {"began": began, "placed": placed, "ended": perf_counter()}


@app.get("/async-def")
async def in_async_def(
    db: Session = Depends(get_db),  # noqa: B008
    _: int = Depends(all_here.wait),
) -> dict[str, Any]:
    return order(db)


@app.get("/def")
def in_def(db: Session = Depends(get_db)) -> dict[str, Any]:  # noqa: B008
    return order(db)


def spans_of(body: dict[str, Any], states: tuple[str, str]) -> list[tuple[str, float, float]]:
    """The wait for a place, then the query; only the wait, if there was no place."""
    place, query = states
    placed = body.get("placed", body["ended"])
    spans = [(place, body["began"], placed), (query, placed, body["ended"])]
    return [span for span in spans if span[1] < span[2]]


def as_trace(
    replies: list[Reply], states: tuple[str, str], title: str, about: dict[str, Any]
) -> dict[str, Any]:
    """One lane per guest, in the order in which they were served or refused."""
    done = sorted(replies, key=lambda reply: reply.json()["ended"])
    refused = sum("error" in reply.json() for reply in done)
    last = max(reply.done for reply in done) - min(reply.sent for reply in done)
    start = f"{GUESTS} guests order at the same moment, and the pool has 15 places"
    said = (
        f"{start}: {GUESTS - refused} are served one after another, then {refused} wait for a "
        f"place on the loop's own thread, and the last one is refused after {last:.2f} s."
        if refused
        else f"{start}: 15 queries run at a time, the other guests wait for a place in their "
        f"threads, and the last one is served after {last:.2f} s."
    )
    trace = requests_to_trace(
        [
            (f"guest {number}", reply.sent, reply.done, spans_of(reply.json(), states))
            for number, reply in enumerate(done, start=1)
        ],
        title=title,
        summary=said,
        gaps="ready",
        about=about,
    ).to_json()
    for lane, reply in zip(trace["lanes"], done, strict=True):
        lane.update({"error": reply.json()["error"]} if "error" in reply.json() else {})
    check_trace(trace)
    return trace


async def shortest(url: str, path: str) -> list[Reply]:
    runs = [await closed_loop(url, path, guests=GUESTS) for _ in range(RUNS + 1)][1:]
    return min(runs, key=makespan)


async def record() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        connection = await asyncpg.connect(pg.dsn)
        number = (await connection.fetchval("show server_version")).split()[0]
        await connection.close()
        about = {
            "versions": f"Python {platform.python_version()}, FastAPI {version('fastapi')}, "
            f"SQLAlchemy {version('sqlalchemy')}, psycopg {version('psycopg')}, "
            f"PostgreSQL {number}",
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
            "command": "python labs/recorders/with_sqlalchemy_01.py",
            "runs": RUNS,
        }
        async with serve(f"{__file__}:app", env={"DB": pg.url("psycopg")}) as server:
            for name, title, states in (
                ("async-def", "A. A sync session in async def", ("blocking", "blocking")),
                ("def", "B. The same session in def", ("pool", "database")),
            ):
                replies = await shortest(server.url, f"/{name}")
                trace = as_trace(replies, states, title, about)
                path = TRACES / f"with-sqlalchemy-01-{name}.json"
                path.write_text(json.dumps(trace, indent=1) + "\n", encoding="utf-8")
                print(f"{path.name}: {trace['summary']}")


if __name__ == "__main__":
    asyncio.run(record())
