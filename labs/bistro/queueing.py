"""Lesson 4: the same awaited query, once with and once without a deadline for the connection."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from bistro.lease import Leased

router = APIRouter(tags=["queueing"])

Seconds = Annotated[float, Query(ge=0, le=5)]


@router.get("/pooled")
async def order_pooled(request: Request, seconds: Seconds = 0.1) -> float:
    """Cook with any connection of the pool, however long the wait for one is."""
    return await request.app.state.pool.fetchval("select cook($1)", seconds)


@router.get("/leased")
async def order_leased(connection: Leased, seconds: Seconds = 0.1) -> float:
    """The same with a deadline for the connection: 503 and Retry-After when it has passed."""
    return await connection.fetchval("select cook($1)", seconds)
