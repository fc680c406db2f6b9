"""The bistro's report and its health check.

The report blocks, so it is a `def` route: it waits on a helper thread, and the event loop is free.
The health check asks nobody, so it is an `async def` route: it needs no helper, and forty waiting
reports cannot keep it from answering.
"""

from __future__ import annotations

import psycopg
from fastapi import APIRouter, FastAPI

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
    return {"takings_cents": takings[0]}


@router.get("/health")
async def health() -> str:
    """The platform asks this every few seconds. No answer, and it restarts us."""
    return "ok"


app = FastAPI()
app.include_router(router)
