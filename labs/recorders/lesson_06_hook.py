"""Record the timelines of lesson 6: a guest who leaves, and four deadlines.

    python labs/recorders/lesson_06_hook.py

A guest orders a dish of 1 s from a real uvicorn and closes the connection after 0.2 s: once from
`/plain`, once from `/listening`. Then a deadline of 0.1 s stands around a query of 0.5 s, in four
ways. PostgreSQL's own list of running queries tells, about every millisecond, whether the query is
still there. Of five runs the shortest is kept: it is the one the machine disturbed least.
Writes `book/traces/06-guest-leaves.json`, `06-guest-heard.json` and `06-deadlines.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import httpx
import psycopg
from fastapi.concurrency import run_in_threadpool

from bench import Postgres, serve
from bench.traces.building import build_trace
from bistro.database import prepare

TRACES = Path(__file__).resolve().parents[2] / "book" / "traces"
RUNS = 5
LEAVES, DISH = 0.2, 1.0
DEADLINE, QUERY = 0.1, 0.5
RUNNING = """
    select exists (select from pg_stat_activity where query like '%cook(%'
                   and state = 'active' and pid <> pg_backend_pid())"""

Lane = tuple[str, list[tuple[str, float, float, str | None]]]


async def watch(desk: asyncpg.Connection) -> tuple[float, float]:
    """When the query was first seen to run, and when it was first seen to be gone."""
    while not await desk.fetchval(RUNNING):
        pass
    began = time.perf_counter()
    while await desk.fetchval(RUNNING):
        pass  # the question itself gives the others a turn
    return began, time.perf_counter()


async def observed(
    desk: asyncpg.Connection, wait: Awaitable[None], names: tuple[str, str]
) -> list[Lane]:
    """Two lanes, from the moment of sending: how long somebody waited, how long the query ran."""
    watcher = asyncio.create_task(watch(desk))
    sent = time.perf_counter()
    await wait
    heard = time.perf_counter()
    began, ended = await watcher
    return [
        (names[0], [("waiting", 0.0, heard - sent, None)]),
        (names[1], [("database", began - sent, ended - sent, None)]),
    ]


def end(lanes: list[Lane]) -> float:
    return max(span[2] for _, spans in lanes for span in spans)


def total(lanes: list[Lane]) -> float:
    return sum(span[2] for _, spans in lanes for span in spans)


async def shortest(run: Callable[[], Awaitable[list[Lane]]]) -> list[Lane]:
    return min([await run() for _ in range(RUNS + 1)][1:], key=total)


async def leaving(desk: asyncpg.Connection, url: str, path: str) -> list[Lane]:
    async def guest() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVES):
                await client.get(f"{path}?seconds={DISH}")

    async with httpx.AsyncClient(base_url=url) as client:
        await client.get("/ping")  # the guest has come in
        return await observed(desk, guest(), ("guest", "query"))


def four_ways(dsn: str) -> dict[str, Callable[[], Awaitable[None]]]:
    """A deadline of 0.1 s around a query of 0.5 s; each raises its own error, or none."""

    def ask(options: str = "") -> None:
        with psycopg.connect(dsn, options=options) as window:
            window.execute("select cook(%s)", [QUERY])

    async def with_asyncpg() -> None:
        window = await asyncpg.connect(dsn)
        try:
            async with asyncio.timeout(DEADLINE):
                await window.execute(f"select cook({QUERY})")
        finally:
            await window.close()

    async def with_a_thread() -> None:
        async with asyncio.timeout(DEADLINE):
            await asyncio.to_thread(ask)

    async def with_anyio() -> None:
        with anyio.fail_after(DEADLINE):
            await run_in_threadpool(ask)

    async def in_the_server() -> None:
        await asyncio.to_thread(ask, f"-c statement_timeout={DEADLINE * 1000:.0f}")

    return {
        "asyncpg": with_asyncpg,
        "thread": with_a_thread,
        "anyio": with_anyio,
        "server": in_the_server,
    }


async def deadlines(desk: asyncpg.Connection, dsn: str) -> list[Lane]:
    async def told(ask: Callable[[], Awaitable[None]]) -> None:
        with suppress(TimeoutError, psycopg.errors.QueryCanceled):
            await ask()

    lanes: list[Lane] = []
    for name, ask in four_ways(dsn).items():
        lanes += await observed(desk, told(ask), (f"{name}: code", f"{name}: query"))
    return lanes


def at(lanes: list[Lane], name: str) -> float:
    return dict(lanes)[name][0][2]


async def record() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        desk = await asyncpg.connect(pg.dsn)
        number = (await desk.fetchval("show server_version")).split()[0]
        async with serve("bistro.leaving:app", env={"BISTRO_DSN": pg.dsn}) as server:
            plain = await shortest(lambda: leaving(desk, server.url, "/plain"))
            heard = await shortest(lambda: leaving(desk, server.url, "/listening"))
        late = await shortest(lambda: deadlines(desk, pg.dsn))
        await desk.close()
    versions = ("fastapi", "uvicorn", "anyio", "asyncpg", "psycopg")
    about: dict[str, Any] = {
        "versions": f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in versions)
        + f", PostgreSQL {number}",
        "machine": f"{platform.system()}, {os.cpu_count()} cores",
        "date": datetime.now(UTC).date().isoformat(),
        "command": "python labs/recorders/lesson_06_hook.py",
        "runs": RUNS,
    }
    left = "The guest leaves after {:.2f} s; the query of 1 s ends after {:.2f} s."
    for name, title, summary, lanes in (
        (
            "guest-leaves",
            "A guest leaves a plain route",
            left.format(at(plain, "guest"), at(plain, "query")),
            plain,
        ),
        (
            "guest-heard",
            "A guest leaves a route that listens",
            left.format(at(heard, "guest"), at(heard, "query")),
            heard,
        ),
        (
            "deadlines",
            "A deadline of 0.1 s around a query of 0.5 s, in four ways",
            "With asyncpg and with the server's own deadline, code and query end after about "
            f"{at(late, 'asyncpg: query'):.1f} s; the thread's code ends after "
            f"{at(late, 'thread: code'):.1f} s and its query after "
            f"{at(late, 'thread: query'):.1f} s; with AnyIO both end after "
            f"{at(late, 'anyio: code'):.1f} s.",
            late,
        ),
    ):
        trace = build_trace(lanes, duration=end(lanes), title=title, summary=summary, about=about)
        path = TRACES / f"06-{name}.json"
        path.write_text(json.dumps(trace.to_json(), indent=1) + "\n", encoding="utf-8")
        print(f"{path.name}: {summary}")


if __name__ == "__main__":
    asyncio.run(record())
