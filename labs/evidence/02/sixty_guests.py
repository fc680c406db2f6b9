"""The question of every lesson: sixty guests, 0.1 s each. What happens when every query is awaited?

Each guest has a connection here, so that nothing but `await` decides. A gate inside PostgreSQL
counts how many queries are there at once; meanwhile we ask for a route that needs no query.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI

from bench import Client, Gate, Postgres, claim, closed_loop, makespan, serve
from bistro.database import prepare

GUESTS, SECONDS = 60, 0.1


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    dsn = os.environ["BISTRO_DSN"]
    async with asyncpg.create_pool(dsn, min_size=GUESTS, max_size=GUESTS) as app.state.windows:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/awaited")
async def awaited(seconds: float = SECONDS) -> int:
    """Await one query; return the thread that ran this route."""
    await app.state.windows.fetchval("select cook($1)", seconds)
    return threading.get_native_id()


@app.get("/ping")
async def ping() -> str:
    return "pong"


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with (
            serve(f"{__file__}:app", env={"BISTRO_DSN": pg.dsn}) as server,
            Client(server.url) as client,
        ):
            await closed_loop(server.url, "/awaited?seconds=0", guests=GUESTS)
            seconds = makespan(await closed_loop(server.url, "/awaited", guests=GUESTS))
            async with Gate(pg.dsn) as gate:
                orders = [asyncio.create_task(client.get("/awaited")) for _ in range(GUESTS)]
                inside = await gate.until_waiting(GUESTS)
                answer = (await asyncio.wait_for(client.get("/ping"), 30)).json()
                still_inside = await gate.waiting()
                await gate.open()
                replies = await asyncio.gather(*orders)
    threads = {reply.json() for reply in replies}
    print(f"last of {GUESTS} guests after {seconds:.2f} s")
    print(f"inside the database at once: {inside}, by {len(threads)} thread")
    claim(
        "sixty-awaited-inside-at-once",
        "Sixty awaited queries are inside the database at once, more than forty.",
        inside == GUESTS,
    )
    claim(
        "one-thread-awaits-for-sixty",
        "One thread ran the routes of all sixty guests.",
        len(threads) == 1,
    )
    claim(
        "ping-answers-beside-awaited",
        "While sixty queries are awaited, /ping answers.",
        (answer, still_inside) == ("pong", GUESTS),
    )


if __name__ == "__main__":
    asyncio.run(main())
