"""The three kinds of handler that the simulator models, on POOL connections each.

Served by `simulator_errors.py`. The connections are open before the first request.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from queue import SimpleQueue

import asyncpg
import psycopg
from fastapi import FastAPI

windows: SimpleQueue[psycopg.Connection] = SimpleQueue()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    dsn, size = os.environ["BISTRO_DSN"], int(os.environ["POOL"])
    for _ in range(size):
        windows.put(psycopg.connect(dsn, autocommit=True))
    async with asyncpg.create_pool(dsn, min_size=size, max_size=size) as app.state.pool:
        yield
    for _ in range(size):
        windows.get().close()


app = FastAPI(lifespan=lifespan)


def cook(seconds: float) -> str:
    window = windows.get()
    try:
        window.execute("select pg_sleep(%s)", [seconds])
    finally:
        windows.put(window)
    return "served"


@app.get("/await")
async def order_await(seconds: float) -> str:
    async with app.state.pool.acquire() as connection:
        await connection.execute("select pg_sleep($1)", seconds)
    return "served"


@app.get("/block")
async def order_block(seconds: float) -> str:
    return cook(seconds)


@app.get("/thread")
def order_thread(seconds: float) -> str:
    return cook(seconds)
