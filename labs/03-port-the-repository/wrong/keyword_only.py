"""Fails: test_guests_wait_side_by_side

The functions are `async def` now. The calls inside still block.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, FastAPI, Query
from psycopg.rows import dict_row

from bistro.database import dsn, open_pool
from bistro.lease import Leased  # noqa: F401 -- for you: a parameter of this type is a connection

router = APIRouter(tags=["repository"])
Row = dict[str, Any]


async def guests_named(window: psycopg.Connection, name: str) -> list[Row]:
    """Every guest of that name."""
    return window.execute(
        f"select id, name, credit_cents from guests where name = '{name}' order by id"
    ).fetchall()


async def reservations_since(window: psycopg.Connection, since: datetime) -> list[Row]:
    """Reservations from that time on, the earliest first. A time without a zone means UTC."""
    return window.execute(
        "select id, guest_id, seats, starts_at from reservations"
        " where starts_at >= %s order by starts_at",
        [since],
    ).fetchall()


async def wishes_of(window: psycopg.Connection, reservation: int) -> Row:
    """What the guests of a reservation wish: an object, such as {"window": true}."""
    return window.execute(
        "select wishes from reservations where id = %s", [reservation]
    ).fetchone()["wishes"]


async def dishes_on(window: psycopg.Connection, slip: list[int]) -> list[Row]:
    """The dishes whose numbers stand on an order slip. An empty slip has none."""
    return window.execute(
        "select id, name, price_cents from dishes where id = any(%s) order by id", [slip]
    ).fetchall()


@router.get("/guests")
async def guests(name: str) -> list[Row]:
    with psycopg.connect(dsn(), row_factory=dict_row) as window:
        return await guests_named(window, name)


@router.get("/reservations")
async def reservations(since: datetime) -> list[Row]:
    with psycopg.connect(dsn(), row_factory=dict_row) as window:
        return await reservations_since(window, since)


@router.get("/reservations/{reservation}/wishes")
async def wishes(reservation: int) -> Row:
    with psycopg.connect(dsn(), row_factory=dict_row) as window:
        return await wishes_of(window, reservation)


@router.get("/slip")
async def slip(dish: Annotated[list[int], Query()] = []) -> list[Row]:  # noqa: B006
    with psycopg.connect(dsn(), row_factory=dict_row) as window:
        return await dishes_on(window, dish)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the asyncpg connections that `Leased` lends, and close them at the end."""
    async with open_pool(dsn()) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)
app.include_router(router)
