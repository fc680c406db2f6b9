"""Lesson 6: three routes with one bug each. They are here to be found, not to be copied.

All three answer 200 to a single guest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import psycopg
from fastapi import FastAPI, Request

from bistro.database import dsn, open_pool

SELL = "update dishes set portions_left = portions_left - 1 where id = $1"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with open_pool(dsn(), size=1) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/menu")
async def menu() -> list[str]:
    with psycopg.connect(dsn()) as window:
        rows = window.execute("select name from dishes").fetchall()
    return [name for (name,) in rows]


@app.get("/price/{dish}")
async def price(dish: int) -> int:
    window = await asyncpg.connect(dsn())
    cents = await window.fetchval("select price_cents from dishes where id = $1", dish)
    await window.close()
    return cents


@app.post("/sell/{dish}")
async def sell(request: Request, dish: int) -> str:
    request.app.state.pool.execute(SELL, dish)
    return "sold"
