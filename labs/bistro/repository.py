"""Four questions to the kitchen book, asked with asyncpg."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Query

from bistro.lease import Leased

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
async def guests(window: Leased, name: str) -> list[Row]:
    return await guests_named(window, name)


@router.get("/reservations")
async def reservations(window: Leased, since: datetime) -> list[Row]:
    return await reservations_since(window, since)


@router.get("/reservations/{reservation}/wishes")
async def wishes(window: Leased, reservation: int) -> Row:
    return await wishes_of(window, reservation)


@router.get("/slip")
async def slip(window: Leased, dish: Annotated[list[int], Query()] = []) -> list[Row]:  # noqa: B006
    return await dishes_on(window, dish)
