"""The bistro's dashboard. It answers with the right numbers, and three things are wrong with it."""

from __future__ import annotations

import asyncpg
import psycopg
from fastapi import APIRouter, Request

from bistro.database import dsn
from bistro.lease import lease

router = APIRouter(tags=["dashboard"])

TAKINGS = """
    select coalesce(sum(dishes.price_cents * orders.portions), 0)::int
    from orders join dishes on dishes.id = orders.dish_id
"""
PORTIONS = "select sum(portions_left)::int from dishes"
CREDIT = "select sum(credit_cents)::int from guests"


@router.get("/dashboard")
async def dashboard(request: Request) -> dict[str, int]:
    """Three numbers for the owner. Each look is noted."""
    pool = request.app.state.pool
    note_look(pool)
    takings = await read_takings(pool)
    portions = await read_portions(pool)
    credit = await read_credit()
    return {"takings_cents": takings, "portions_left": portions, "credit_cents": credit}


async def note_look(pool: asyncpg.Pool) -> None:
    """Write down that somebody looked. The owner's accountant counts these."""
    async with lease(pool) as window:
        await window.execute("insert into looks default values")


async def read_takings(pool: asyncpg.Pool) -> int:
    async with lease(pool) as window:
        await window.execute("select cook(0.1)")  # a slow query, on purpose
        return await window.fetchval(TAKINGS)


async def read_portions(pool: asyncpg.Pool) -> int:
    async with lease(pool) as window:
        await window.execute("select cook(0.1)")
        return await window.fetchval(PORTIONS)


async def read_credit() -> int:
    with psycopg.connect(dsn()) as window:
        window.execute("select cook(0.1)")
        return window.execute(CREDIT).fetchone()[0]


# -- Given: this file as an app of its own --

from bistro.alone import alone

app = alone(router)
