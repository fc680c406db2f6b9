"""Record the two timelines of lesson 3's first question.

    python labs/recorders/lesson_03_hook.py

Five guests order at the same moment, 0.1 s each: first all five over one asyncpg connection, then
each over a connection of its own. Of five runs the shortest is kept: it is the one the machine
disturbed least. Writes `book/traces/03-one-connection.json` and `03-five-connections.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg

from bench import LoopTrace, Postgres, waiting_for
from bench.traces.trace import check_trace
from bistro.database import prepare

TRACES = Path(__file__).resolve().parents[2] / "book" / "traces"
GUESTS, SECONDS, RUNS = 5, 0.1, 5


async def order(window: asyncpg.Connection) -> str:
    """Send one query; the name of the error if the connection refuses it, otherwise nothing."""
    try:
        with waiting_for("database"):
            await window.fetchval("select cook($1)", SECONDS)
    except asyncpg.InterfaceError as error:
        return type(error).__name__
    return ""


async def run(windows: list[asyncpg.Connection]) -> tuple[LoopTrace, list[str]]:
    """All guests at once, guest n at window n; the trace, and the error of each guest."""
    async with LoopTrace() as trace:
        orders = [
            asyncio.create_task(order(window), name=f"guest {number}")
            for number, window in enumerate(windows, start=1)
        ]
        errors = await asyncio.gather(*orders)
    return trace, errors


async def shortest(windows: list[asyncpg.Connection]) -> tuple[LoopTrace, list[str]]:
    """The shortest of RUNS runs, after one that prepares the statement."""
    runs = [await run(windows) for _ in range(RUNS + 1)][1:]
    return min(runs, key=lambda one: one[0].duration)


def sentence(served: int, seconds: float) -> str:
    """What happened, with this run's numbers."""
    if served == GUESTS:
        return (
            f"Five guests order at the same moment, each over a connection of its own: "
            f"all five are served after {seconds:.2f} s."
        )
    return (
        f"Five guests order at the same moment over one connection: {GUESTS - served} are refused "
        f"at once (✗), and {served} is served after {seconds:.2f} s."
    )


async def record() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        windows = [await asyncpg.connect(pg.dsn) for _ in range(GUESTS)]
        number = (await windows[0].fetchval("show server_version")).split()[0]
        about: dict[str, Any] = {
            "versions": f"Python {platform.python_version()}, asyncpg {version('asyncpg')}, "
            f"PostgreSQL {number}",
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
            "command": "python labs/recorders/lesson_03_hook.py",
            "runs": RUNS,
        }
        for name, title, used in (
            ("one-connection", "A. Five guests, one connection", windows[:1] * GUESTS),
            ("five-connections", "B. Five guests, five connections", windows),
        ):
            trace, errors = await shortest(used)
            summary = sentence(errors.count(""), trace.duration)
            drawn = trace.to_json(title=title, summary=summary, lanes="guest", about=about)
            for lane, error in zip(drawn["lanes"], errors, strict=True):
                lane.update({"error": error} if error else {})
            check_trace(drawn)
            path = TRACES / f"03-{name}.json"
            path.write_text(json.dumps(drawn, indent=1) + "\n", encoding="utf-8")
            print(f"{path.name}: {summary}")
        for window in windows:
            await window.close()


if __name__ == "__main__":
    asyncio.run(record())
