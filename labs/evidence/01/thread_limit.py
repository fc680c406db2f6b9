"""Raise and lower the thread limit: it alone sets how many `def` routes run at once.

Eighty guests order at a closed gate. We count the queries inside the database.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from bench import Client, Gate, Postgres, claim, serve
from bistro import waiting
from bistro.database import prepare

GUESTS = 80
LIMITS = 1, 10, 40, 60


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = int(os.environ["THREAD_LIMIT"])
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(waiting.router)


async def inside_with(limit: int, dsn: str) -> int:
    """How many of 80 orders are inside the database under this thread limit."""
    environment = {"BISTRO_DSN": dsn, "THREAD_LIMIT": str(limit)}
    async with (
        serve(f"{__file__}:app", env=environment) as server,
        Client(server.url) as client,
        Gate(dsn) as gate,
        asyncio.TaskGroup() as tg,
    ):
        for _ in range(GUESTS):
            tg.create_task(client.get("/def?seconds=0"))
        await gate.until_waiting(limit)
        most = max([await gate.waiting() for _ in range(100)])
        await gate.open()
    return most


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        inside = {limit: await inside_with(limit, pg.dsn) for limit in LIMITS}
    print("thread limit   inside the database")
    for limit, most in inside.items():
        print(f"{limit:12}   {most:19}")
    claim(
        "limiter-sets-the-wave",
        "With a thread limit of 1, 10, 40 or 60, that many of 80 queries run at once.",
        inside == {limit: limit for limit in LIMITS},
    )


if __name__ == "__main__":
    asyncio.run(main())
