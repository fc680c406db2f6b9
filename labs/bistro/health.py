"""The bistro's report, a slow query behind a blocking driver, and its health check."""

from __future__ import annotations

import psycopg
from fastapi import APIRouter

from bistro.database import dsn

router = APIRouter(tags=["health"])

TAKINGS = """
    select coalesce(sum(dishes.price_cents * orders.portions), 0)::int
    from orders join dishes on dishes.id = orders.dish_id
"""


@router.get("/report")
def report() -> dict[str, int]:
    """What all orders have brought in so far. A slow query, on purpose."""
    with psycopg.connect(dsn()) as window:
        window.execute("select cook(0.2)")
        takings = window.execute(TAKINGS).fetchone()
    return {"takings_cents": takings[0]}  # type: ignore[index]  # a sum is always one row


@router.get("/health")
async def health() -> str:
    """The platform asks this every few seconds. No answer, and it restarts us."""
    return "ok"
