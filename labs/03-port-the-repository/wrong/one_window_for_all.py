"""Fails: test_guests_wait_side_by_side

One connection for all requests: it answers one guest, and refuses the others meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, FastAPI, Query

from bistro.database import dsn

router = APIRouter(tags=["repository"])
Row = dict[str, Any]


async def guests_named(window: asyncpg.Connection, name: str) -> list[Row]:
    """Every guest of that name."""
    rows = await window.fetch(
        "select id, name, credit_cents from guests where name = $1 order by id", name
    )
    return [dict(row) for row in rows]


async def reservations_since(window: asyncpg.Connection, since: datetime) -> list[Row]:
    """Reservations from that time on, the earliest first. A time without a zone means UTC."""
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    rows = await window.fetch(
        "select id, guest_id, seats, starts_at from reservations"
        " where starts_at >= $1 order by starts_at",
        since,
    )
    return [dict(row) for row in rows]


async def wishes_of(window: asyncpg.Connection, reservation: int) -> Row:
    """What the guests of a reservation wish: an object, such as {"window": true}."""
    return json.loads(
        await window.fetchval("select wishes from reservations where id = $1", reservation)
    )


async def dishes_on(window: asyncpg.Connection, slip: list[int]) -> list[Row]:
    """The dishes whose numbers stand on an order slip. An empty slip has none."""
    rows = await window.fetch(
        "select id, name, price_cents from dishes where id = any($1) order by id", slip
    )
    return [dict(row) for row in rows]


@router.get("/guests")
async def guests(name: str) -> list[Row]:
    return await guests_named(app.state.window, name)


@router.get("/reservations")
async def reservations(since: datetime) -> list[Row]:
    return await reservations_since(app.state.window, since)


@router.get("/reservations/{reservation}/wishes")
async def wishes(reservation: int) -> Row:
    return await wishes_of(app.state.window, reservation)


@router.get("/slip")
async def slip(dish: Annotated[list[int], Query()] = []) -> list[Row]:  # noqa: B006
    return await dishes_on(app.state.window, dish)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the one connection that all requests share, and close it at the end."""
    app.state.window = await asyncpg.connect(dsn())
    yield
    await app.state.window.close()


app = FastAPI(lifespan=lifespan)
app.include_router(router)
