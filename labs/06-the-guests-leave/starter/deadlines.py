"""A guest's order: with a deadline, and no longer than the guest stays.

Thirty guests leave, and thirty dinners are cooked for nobody. Write `within`: its docstring is the
contract. The watcher, the routes and the pool are given: leave them as they are.
"""

from __future__ import annotations

import asyncio  # noqa: F401
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import asyncpg
from fastapi import APIRouter, HTTPException, Query, Request

from bistro.lease import lease

T = TypeVar("T")
router = APIRouter(tags=["deadlines"])


async def left(request: Request) -> None:
    """Return when the guest has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def within(seconds: float, request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Await `work`: at most `seconds`, and no longer than the guest stays.

    Returns what the work returns. Raises what it raises, as it is. Raises HTTPException 504 when
    the time is over, and 499 when the guest has left; nobody reads that one.
    When the caller is cancelled while the work runs, the cancellation passes on.
    In every case the work has ended when this ends: nothing of it goes on.
    Only a cancellation of the caller, while the work tidies up, may end that wait.
    """
    return await work


# The rest is given.


@router.get("/dinner/{dish_id}")
async def dinner(
    request: Request, dish_id: int, patience: Annotated[float, Query(gt=0, le=60)] = 2.0
) -> str:
    """The dish's name, when it is cooked. The guest says how long to wait for it, in seconds."""
    return await within(patience, request, cook(request.app.state.pool, dish_id))


async def cook(pool: asyncpg.Pool, dish_id: int) -> str:
    async with lease(pool) as window:
        name = await window.fetchval("select name from dishes where id = $1", dish_id)
        if name is None:
            raise HTTPException(404, "No such dish.")
        await window.execute("select cook(0)")
        return name


@router.get("/windows")
async def windows(request: Request) -> dict[str, int]:
    """How many connections the pool has, and how many of them are idle."""
    pool = request.app.state.pool
    return {"size": pool.get_size(), "idle": pool.get_idle_size()}


# -- Given: this file as an app of its own --

from bistro.alone import alone, plain_pool

app = alone(router, plain_pool)
