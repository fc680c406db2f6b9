"""The bistro on a bad evening: one route, and some faults. Which, a visit tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import psycopg
from fastapi import Depends, FastAPI

from bistro.database import dsn, open_pool


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with open_pool(dsn(), size=5) as app.state.pool:
        yield


app = FastAPI(lifespan=lifespan)


async def guest() -> int:
    """Who is logged in. A copy from an older, blocking project."""
    with psycopg.connect(dsn()) as connection:
        row = connection.execute("select id from guests where id = %s", [1]).fetchone()
        assert row
        return int(row[0])


async def payment_service() -> str:
    """Another company's answer takes a while."""
    await asyncio.sleep(0.15)
    return "open"


async def note(connection: Any, guest_id: int) -> None:
    await connection.execute("insert into looks default values")


@app.get("/tonight")
async def tonight(guest_id: Annotated[int, Depends(guest)]) -> dict[str, Any]:
    async with app.state.pool.acquire() as connection:
        dishes = await connection.fetch("select id from dishes order by id limit 6")
        prices = [
            await connection.fetchval("select price_cents from dishes where id = $1", dish["id"])
            for dish in dishes
        ]
        payment = await payment_service()
        note(connection, guest_id)
        return {"guest": guest_id, "prices": prices, "payment": payment}
