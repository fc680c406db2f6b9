"""One worker of the bistro for lab 4: five routes that take their connection by a `lease`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

import asyncpg
from fastapi import APIRouter, FastAPI, HTTPException, Request

from bistro.alone import alone, plain_pool

Lease = Callable[..., AbstractAsyncContextManager[asyncpg.Connection]]  # of a pool, a deadline


def worker(lease: Lease, pool_size: int, min_size: int | None = None) -> FastAPI:
    """An app with a pool of its own, and with `lease` as the one way to its connections.

    The pool opens `min_size` connections at the start, all of them if it is left out, and never
    more than `pool_size`. A worker that gets no place on the server does not start.
    """
    router = APIRouter()

    @router.get("/order")
    async def order(request: Request) -> float:
        async with lease(request.app.state.pool) as connection:
            return await connection.fetchval("select cook(0)")

    @router.get("/patient")
    async def patient(request: Request) -> float:
        """An order of a guest who waits a minute for a connection."""
        async with lease(request.app.state.pool, deadline=60) as connection:
            return await connection.fetchval("select cook(0)")

    @router.get("/timed")
    async def timed(request: Request) -> float:
        """An order whose query has 0.1 s."""
        try:
            async with lease(request.app.state.pool) as connection:
                return await connection.fetchval("select cook(0)", timeout=0.1)
        except TimeoutError:
            raise HTTPException(504, "The kitchen was too slow.") from None

    @router.get("/dishes/{dish_id}")
    async def dish(request: Request, dish_id: int) -> str:
        async with lease(request.app.state.pool) as connection:
            name = await connection.fetchval("select name from dishes where id = $1", dish_id)
            if name is None:
                raise HTTPException(404, "No such dish.")
            return name

    @router.get("/hurried")
    async def hurried(request: Request) -> float:
        """An order of a guest who leaves after 0.1 s."""
        try:
            async with asyncio.timeout(0.1), lease(request.app.state.pool) as connection:
                return await connection.fetchval("select cook(0)")
        except TimeoutError:
            raise HTTPException(504, "The guest has left.") from None

    return alone(router, partial(plain_pool, size=pool_size, min_size=min_size))
