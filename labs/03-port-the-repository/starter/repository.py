"""Four questions to the kitchen book, asked with psycopg. Port them to asyncpg."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Query
from psycopg.rows import dict_row

from bistro.database import dsn
from bistro.lease import Leased  # noqa: F401 -- for you: a parameter of this type is a connection

router = APIRouter(tags=["repository"])
Row = dict[str, Any]


def guests_named(window: psycopg.Connection, name: str) -> list[Row]:
    """Every guest of that name."""
    return window.execute(
        f"select id, name, credit_cents from guests where name = '{name}' order by id"
    ).fetchall()


def reservations_since(window: psycopg.Connection, since: datetime) -> list[Row]:
    """Reservations from that time on, the earliest first. A time without a zone means UTC."""
    return window.execute(
        "select id, guest_id, seats, starts_at from reservations"
        " where starts_at >= %s order by starts_at",
        [since],
    ).fetchall()


def wishes_of(window: psycopg.Connection, reservation: int) -> Row:
    """What the guests of a reservation wish: an object, such as {"window": true}."""
    return window.execute(
        "select wishes from reservations where id = %s", [reservation]
    ).fetchone()["wishes"]


def dishes_on(window: psycopg.Connection, slip: list[int]) -> list[Row]:
    """The dishes whose numbers stand on an order slip. An empty slip has none."""
    return window.execute(
        "select id, name, price_cents from dishes where id = any(%s) order by id", [slip]
    ).fetchall()


@router.get("/guests")
async def guests(name: str) -> list[Row]:
    with psycopg.connect(dsn(), row_factory=dict_row) as window:
        return guests_named(window, name)


@router.get("/reservations")
async def reservations(since: datetime) -> list[Row]:
    with psycopg.connect(dsn(), row_factory=dict_row) as window:
        return reservations_since(window, since)


@router.get("/reservations/{reservation}/wishes")
async def wishes(reservation: int) -> Row:
    with psycopg.connect(dsn(), row_factory=dict_row) as window:
        return wishes_of(window, reservation)


@router.get("/slip")
async def slip(dish: Annotated[list[int], Query()] = []) -> list[Row]:  # noqa: B006
    with psycopg.connect(dsn(), row_factory=dict_row) as window:
        return dishes_on(window, dish)


# -- Given: this file as an app of its own --

from bistro.alone import alone

app = alone(router)
