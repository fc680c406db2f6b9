"""Fails: test_forty_reports_run_at_once

A hundred helpers move the trap to report number one hundred; `/health` still waits for a helper.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
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
def health() -> str:
    """The platform asks this every few seconds. No answer, and it restarts us."""
    return "ok"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = 100
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(router)
