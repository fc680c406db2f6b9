"""Record the timelines of lesson 2: three queries in sequence and together, one blocker among five.

    python labs/recorders/lesson_02_hook.py

Everything runs on one event loop, with one connection for each query, so that nobody waits for a
connection. PostgreSQL itself tells when a dish was cooked: the gap between that moment and the next
line of the task is the wait for the loop. Of five runs the shortest is kept: it is the one the
machine disturbed least. Writes `book/traces/02-in-sequence.json`, `02-together.json` and
`02-one-blocker.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg
import psycopg

from bench import Postgres
from bench.traces.building import build_trace
from bistro.database import prepare

TRACES = Path(__file__).resolve().parents[2] / "book" / "traces"
RUNS = 5
WAITS = 0.3, 0.2, 0.1
GUESTS, BLOCKER, AWAITED, BLOCKED = 5, 3, 0.1, 0.5
COOK = "select extract(epoch from clock_timestamp())::float8 from cook($1)"

Lane = tuple[str, list[tuple[str, float, float, str | None]]]
Windows = list[asyncpg.Connection]


@asynccontextmanager
async def open_windows(dsn: str, count: int) -> AsyncIterator[Windows]:
    """So many connections, each of which has prepared the query already."""
    windows: Windows = []
    try:
        for _ in range(count):
            windows.append(await asyncpg.connect(dsn))
            await windows[-1].fetchval(COOK, 0.0)
        yield windows
    finally:
        for window in windows:
            await window.close()


async def cooked(name: str, window: asyncpg.Connection, seconds: float) -> Lane:
    """Ask for one dish: waiting for the database, then for the loop."""
    offset = time.time() - time.perf_counter()  # PostgreSQL's clock is that of time.time()
    sent = time.perf_counter()
    ready = await window.fetchval(COOK, seconds) - offset
    served = time.perf_counter()
    ready = min(max(ready, sent), served)
    label = f"cook({seconds})"
    return name, [("database", sent, ready, label), ("ready", ready, served, None)]


def names() -> list[str]:
    return [f"query {number}: {seconds} s" for number, seconds in enumerate(WAITS, 1)]


async def in_sequence(windows: Windows) -> list[Lane]:
    return [await cooked(*order) for order in zip(names(), windows, WAITS, strict=False)]


async def together(windows: Windows) -> list[Lane]:
    return await asyncio.gather(
        *(cooked(*order) for order in zip(names(), windows, WAITS, strict=False))
    )


async def one_blocker(windows: Windows, kitchen: psycopg.Connection) -> list[Lane]:
    """Five guests order at once; the query of the third holds the loop."""
    created = time.perf_counter()

    async def guest(number: int) -> Lane:
        begun, name = time.perf_counter(), f"guest {number}"
        before = [("ready", created, begun, None)]
        if number == BLOCKER:
            kitchen.execute("select cook(%s)", [BLOCKED])
            label = f"cook({BLOCKED})"
            return name, [*before, ("blocking", begun, time.perf_counter(), label)]
        _, spans = await cooked(name, windows[number - 1], AWAITED)
        return name, before + spans

    return await asyncio.gather(*(guest(number) for number in range(1, GUESTS + 1)))


def end(lane: Lane) -> float:
    return max(span[2] for span in lane[1])


def length(lanes: list[Lane]) -> float:
    return max(map(end, lanes)) - min(span[1] for _, spans in lanes for span in spans)


async def shortest(run: Callable[[], Awaitable[list[Lane]]]) -> list[Lane]:
    return min([await run() for _ in range(RUNS + 1)][1:], key=length)


def as_trace(title: str, summary: str, lanes: list[Lane], about: dict[str, Any]) -> dict[str, Any]:
    zero = min(span[1] for _, spans in lanes for span in spans)
    moved = [
        (name, [(state, begin - zero, to - zero, label) for state, begin, to, label in spans])
        for name, spans in lanes
    ]
    seconds = length(lanes)
    return build_trace(
        moved, duration=seconds, title=title, summary=summary.format(seconds), about=about
    ).to_json()


async def record() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with open_windows(pg.dsn, GUESTS) as windows:
            number = (await windows[0].fetchval("show server_version")).split()[0]
            with psycopg.connect(pg.dsn, autocommit=True) as kitchen:
                kitchen.execute("select cook(0)")
                runs = {
                    "in-sequence": await shortest(lambda: in_sequence(windows)),
                    "together": await shortest(lambda: together(windows)),
                    "one-blocker": await shortest(lambda: one_blocker(windows, kitchen)),
                }
    about = {
        "versions": f"Python {platform.python_version()}, asyncpg {version('asyncpg')}, "
        f"psycopg {version('psycopg')}, PostgreSQL {number}",
        "machine": f"{platform.system()}, {os.cpu_count()} cores",
        "date": datetime.now(UTC).date().isoformat(),
        "command": "python labs/recorders/lesson_02_hook.py",
        "runs": RUNS,
    }
    first = end(runs["one-blocker"][0]) - runs["one-blocker"][0][1][0][1]
    texts = {
        "in-sequence": (
            "A. Three awaits, one below the other",
            "Each query is sent when the one before has answered, "
            "so the route is done after {:.2f} s.",
        ),
        "together": (
            "B. The same three, started together",
            "All three queries wait in the database at the same time, "
            "so the route is done after {:.2f} s.",
        ),
        "one-blocker": (
            "Five guests, and the query of guest 3 blocks",
            f"Guests 1 and 2 get their 0.1 s dish after {first:.2f} s, guests 4 and 5 begin late, "
            "and all are served after {:.2f} s.",
        ),
    }
    for name, (title, summary) in texts.items():
        trace = as_trace(title, summary, runs[name], about)
        path = TRACES / f"02-{name}.json"
        path.write_text(json.dumps(trace, indent=1) + "\n", encoding="utf-8")
        print(f"{path.name}: {trace['summary']}")


if __name__ == "__main__":
    asyncio.run(record())
