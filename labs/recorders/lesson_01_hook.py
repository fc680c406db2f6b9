"""Record the two timelines of lesson 1's first question.

    python labs/recorders/lesson_01_hook.py

Twenty guests order at the same moment, first at `/async-def`, then at `/def`; the two routes differ
in one word, and each query keeps its caller waiting for 0.1 s. Of five runs the shortest is kept:
it is the one the machine disturbed least. Writes `book/traces/01-async-def.json` and `01-def.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any

import asyncpg

from bench import Postgres, closed_loop, makespan, serve
from bench.instruments.http_client import Reply
from bench.traces.building import requests_to_trace
from bistro.database import prepare

TRACES = Path(__file__).resolve().parents[2] / "book" / "traces"
GUESTS, SECONDS, RUNS = 20, 0.1, 5


def most_at_once(replies: list[Reply]) -> int:
    """The largest number of queries that ran at the same moment, by the server's own clock."""
    changes = sorted(
        change
        for body in (reply.json() for reply in replies)
        for change in ((body["began"], 1), (body["ended"], -1))
    )
    return max(accumulate(step for _, step in changes))


def sentence(replies: list[Reply]) -> str:
    """What happened, with this run's numbers."""
    waits = sorted(reply.done - reply.sent for reply in replies)
    start = f"{len(replies)} guests order at the same moment"
    most, threads = most_at_once(replies), len({reply.json()["thread"] for reply in replies})
    if most == 1:
        return (
            f"{start}: one query runs at a time, so the first guest is served "
            f"after {waits[0]:.2f} s and the last after {waits[-1]:.2f} s."
        )
    return (
        f"{start}: {most} queries run at a time, in {threads} threads, "
        f"so the last guest is served after {waits[-1]:.2f} s."
    )


def as_trace(title: str, state: str, replies: list[Reply], about: dict[str, Any]) -> dict[str, Any]:
    """One lane per guest, in the order of their queries: before and after it, the loop's turn.

    In `def` nobody waits for a thread: 40 are allowed, and 20 are needed.
    """
    served = sorted(replies, key=lambda reply: reply.json()["began"])
    return requests_to_trace(
        [
            (
                f"guest {number}",
                reply.sent,
                reply.done,
                [(state, reply.json()["began"], reply.json()["ended"])],
            )
            for number, reply in enumerate(served, start=1)
        ],
        title=title,
        summary=sentence(replies),
        gaps="ready",
        about=about,
    ).to_json()


async def shortest(url: str, route: str) -> list[Reply]:
    """The replies of the shortest of RUNS runs, after one that opens threads and connections."""
    path = f"{route}?seconds={SECONDS}"
    runs = [await closed_loop(url, path, guests=GUESTS) for _ in range(RUNS + 1)][1:]
    if any(reply.status != 200 for replies in runs for reply in replies):
        raise SystemExit(f"GET {path} did not answer 200: look at the bistro, then record again.")
    return min(runs, key=makespan)


async def record() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        connection = await asyncpg.connect(pg.dsn)
        number = (await connection.fetchval("show server_version")).split()[0]
        await connection.close()
        about = {
            "versions": f"Python {platform.python_version()}, FastAPI {version('fastapi')}, "
            f"uvicorn {version('uvicorn')}, psycopg {version('psycopg')}, PostgreSQL {number}",
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
            "command": "python labs/recorders/lesson_01_hook.py",
            "runs": RUNS,
        }
        async with serve("bistro.app:app", env={"BISTRO_DSN": pg.dsn}) as server:
            for name, title, state in (
                ("async-def", "A. async def, blocking query", "blocking"),
                ("def", "B. def, the same query", "database"),
            ):
                replies = await shortest(server.url, f"/{name}")
                trace = as_trace(title, state, replies, about)
                path = TRACES / f"01-{name}.json"
                path.write_text(json.dumps(trace, indent=1) + "\n", encoding="utf-8")
                print(f"{path.name}: {trace['summary']}")


if __name__ == "__main__":
    asyncio.run(record())
