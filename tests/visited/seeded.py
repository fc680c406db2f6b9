"""An application with planted faults: what a visit must tell of a route is in its name."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI
from fastapi.responses import StreamingResponse


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    url = os.environ["DATABASE_URL"]
    async with asyncpg.create_pool(url, min_size=2, max_size=2) as app.state.pool:
        yield


app = FastAPI(lifespan=lifespan)


async def another_service() -> None:
    await asyncio.sleep(0.2)


@app.get("/clean")
async def clean() -> int:
    return await app.state.pool.fetchval("select count(*) from pg_class")


@app.get("/fast")
async def fast() -> int:
    return await app.state.pool.fetchval("select 1")


@app.get("/outside-while-holding")
async def outside_while_holding() -> None:
    async with app.state.pool.acquire() as connection:
        await connection.fetchval("select 1")
        await another_service()
        await connection.fetchval("select 2")


@app.get("/forgotten-await")
async def forgotten_await() -> None:
    async with app.state.pool.acquire() as connection:
        connection.fetchval("select 3")


@app.get("/block-120-ms")
async def block() -> None:
    time.sleep(0.12)  # noqa: ASYNC251  (planted)


@app.get("/asks-then-blocks")
async def asks_then_blocks() -> None:
    await app.state.pool.fetchval("select 1")
    block_the_loop()


def block_the_loop() -> None:
    time.sleep(0.12)


@app.get("/nested-lease")
async def nested() -> None:
    async with app.state.pool.acquire() as one, app.state.pool.acquire() as other:
        await asyncio.gather(one.fetchval("select 4"), other.fetchval("select 5"))


@app.get("/n-plus-7")
async def n_plus_7() -> list[int]:
    numbers = await app.state.pool.fetch("select generate_series(1, 7) as n")
    return [await app.state.pool.fetchval("select $1::int", row["n"]) for row in numbers]


@app.get("/gather-4-on-2")
async def gather_4_on_2() -> None:
    ask = app.state.pool.fetchval
    await asyncio.gather(*(ask("select pg_sleep(0.1)") for _ in range(4)))


@app.get("/stream-that-pins")
async def stream_that_pins() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        async with app.state.pool.acquire() as connection:
            yield str(await connection.fetchval("select 6"))
            await another_service()
            yield "end"

    return StreamingResponse(lines())
