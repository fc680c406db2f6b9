"""Record the two timelines of lesson 5's first question.

    python labs/recorders/lesson_05_hook.py

Ten guests pay at the same moment, each in a transaction on a connection of its own: the payment
lowers a balance, does 0.1 s of other work, and commits. First all pay from one shared account, then
each from an account of their own. Of five runs the shortest is kept: it is the one the machine
disturbed least. Guests are numbered in the order of their commits. Writes
`book/traces/05-shared-account.json` and `05-own-accounts.json`.
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
from bistro.database import prepare

TRACES = Path(__file__).resolve().parents[2] / "book" / "traces"
GUESTS, SECONDS, RUNS = 10, 0.1, 5
PAY = "update guests set credit_cents = credit_cents - 10 where id = $1"


async def payment(pool: asyncpg.Pool, account: int) -> None:
    """One guest: wait for the account's row, then work, then commit."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        with waiting_for("database", "begin"):
            await transaction.start()
        with waiting_for("waiting", "the row"):
            await connection.execute(PAY, account)
        with waiting_for("database"):
            await connection.fetchval("select cook($1)", SECONDS)
        with waiting_for("database", "commit"):
            await transaction.commit()


async def one_run(pool: asyncpg.Pool, shared: bool) -> LoopTrace:
    async with LoopTrace() as trace, asyncio.TaskGroup() as group:
        for number in range(1, GUESTS + 1):
            account = 1 if shared else number
            group.create_task(payment(pool, account), name=f"guest {number}")
    return trace


async def best_run(pool: asyncpg.Pool, shared: bool) -> LoopTrace:
    runs = [await one_run(pool, shared) for _ in range(RUNS + 1)][1:]  # the first warms up
    return min(runs, key=lambda run: run.duration)


def write(name: str, trace: LoopTrace, title: str, what: str, about: dict[str, Any]) -> None:
    data = trace.to_json(
        title=title,
        summary=f"{GUESTS} guests pay at the same moment, each on a connection of their own: "
        f"{what}, and the last payment is committed after {trace.duration:.2f} s.",
        lanes="guest",
        about=about,
    )
    data["lanes"].sort(key=lambda lane: lane["spans"][-1]["to"])  # in the order of their commits
    for number, lane in enumerate(data["lanes"], 1):
        lane["name"] = f"guest {number}"
    (TRACES / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(f"{name}: {data['summary']}")


async def record() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with asyncpg.create_pool(pg.dsn, min_size=GUESTS, max_size=GUESTS) as pool:
            number = (await pool.fetchval("show server_version")).split()[0]
            shared = await best_run(pool, shared=True)
            own = await best_run(pool, shared=False)
    about = {
        "versions": f"Python {platform.python_version()}, asyncpg {version('asyncpg')}, "
        f"PostgreSQL {number}",
        "machine": f"{platform.system()}, {os.cpu_count()} cores",
        "date": datetime.now(UTC).date().isoformat(),
        "command": "python labs/recorders/lesson_05_hook.py",
        "runs": RUNS,
    }
    write(
        "05-shared-account",
        shared,
        "A. Ten guests, one shared account",
        "one of them has the account's row, the others wait for it",
        about,
    )
    write(
        "05-own-accounts",
        own,
        "B. Ten guests, ten accounts",
        "nobody waits for a row",
        about,
    )


if __name__ == "__main__":
    asyncio.run(record())
