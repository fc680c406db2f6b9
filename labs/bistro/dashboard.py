"""The bistro's dashboard: three numbers for the owner, and a note that somebody looked."""

from __future__ import annotations

import asyncio

import asyncpg
from fastapi import APIRouter, Request

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
    await note_look(pool)
    async with asyncio.TaskGroup() as group:
        takings = group.create_task(read_takings(pool))
        portions = group.create_task(read_portions(pool))
        credit = group.create_task(read_credit(pool))
    return {
        "takings_cents": takings.result(),
        "portions_left": portions.result(),
        "credit_cents": credit.result(),
    }


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


async def read_credit(pool: asyncpg.Pool) -> int:
    async with lease(pool) as window:
        await window.execute("select cook(0.1)")
        return await window.fetchval(CREDIT)
