"""Fails: test_a_rolling_deploy_fits

Six times three is 18: that fits into 20 places, and not into the 17 that are left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, HTTPException, Request

from bistro.database import dsn

POOL_SIZE = 3


@asynccontextmanager
async def lease(pool: asyncpg.Pool, deadline: float = 0.25) -> AsyncIterator[asyncpg.Connection]:
    """Borrow a connection for the length of the block.

    Refuses with 503 and Retry-After when none is free within `deadline` seconds. The connection
    goes back after success, after an error and after cancellation.
    """
    try:
        connection = await pool.acquire(timeout=deadline)
    except TimeoutError:
        raise HTTPException(
            503, "All connections are busy. Try again soon.", headers={"Retry-After": "1"}
        ) from None
    try:
        yield connection
    finally:
        await pool.release(connection, timeout=5)


# Given: the worker. Three of them serve the bistro; a rolling deploy starts three new ones first.


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(dsn(), min_size=POOL_SIZE, max_size=POOL_SIZE) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/order")
async def order(request: Request) -> float:
    async with lease(request.app.state.pool) as connection:
        return await connection.fetchval("select cook(0)")


@app.get("/dishes/{dish_id}")
async def dish(request: Request, dish_id: int) -> str:
    async with lease(request.app.state.pool) as connection:
        name = await connection.fetchval("select name from dishes where id = $1", dish_id)
        if name is None:
            raise HTTPException(404, "No such dish.")
        return name


@app.get("/hurried")
async def hurried(request: Request) -> float:
    """An order of a guest who leaves after 0.1 s."""
    try:
        async with asyncio.timeout(0.1), lease(request.app.state.pool) as connection:
            return await connection.fetchval("select cook(0)")
    except TimeoutError:
        raise HTTPException(504, "The guest has left.") from None
