"""The bistro's report and its health check. Something is wrong with the two of them."""

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
async def report() -> dict[str, int]:
    """What all orders have brought in so far. A slow query, on purpose."""
    with psycopg.connect(dsn()) as window:
        window.execute("select cook(0.2)")
        takings = window.execute(TAKINGS).fetchone()
    return {"takings_cents": takings[0]}


@router.get("/health")
def health() -> str:
    """The platform asks this every few seconds. No answer, and it restarts us."""
    return "ok"


# -- Given: this file as an app of its own --

from bistro.alone import alone

app = alone(router, pool=None)
