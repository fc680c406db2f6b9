"""The middleware answers `/health` before a route is chosen, so a `def` route need not run.

The file makes its app itself, as a starter once did.
"""

from __future__ import annotations

import psycopg
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

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
def health() -> str:
    """The platform asks this every few seconds. No answer, and it restarts us."""
    return "ok"


app = FastAPI()
app.include_router(router)


@app.middleware("http")
async def answer_health(request, call_next):
    if request.url.path == "/health":
        return JSONResponse("ok")
    return await call_next(request)
