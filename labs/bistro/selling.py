"""Selling a portion: once, paid for, and in the kitchen book before the guest hears of it."""

from __future__ import annotations

import asyncio
import random
from typing import Annotated

import asyncpg
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from bistro.lease import lease

router = APIRouter(tags=["selling"])

TRIES = 5
REFUSED = asyncpg.SerializationError, asyncpg.DeadlockDetectedError  # 40001, 40P01
REASONS: dict[str | None, str] = {  # the two rules of schema.sql that an order can break
    "dishes_portions_left_check": "Sold out.",
    "guests_credit_cents_check": "Not enough credit.",
}

Number = Annotated[int, Field(ge=1, le=2**31 - 1)]  # PostgreSQL's int


class Slip(BaseModel):
    guest: Number
    dish: Number


class Receipt(BaseModel):
    order: int


@router.post("/orders")
async def order(slip: Slip, request: Request) -> Receipt:
    """Sell one portion. A 200 means: the order is in the kitchen book, for everybody to read.

    409 sold out, or not enough credit · 404 no such dish or guest · 503 and Retry-After when the
    database has refused every try.
    """
    try:
        return Receipt(order=await accepted(request.app.state.pool, slip))
    except asyncpg.CheckViolationError as error:
        raise HTTPException(409, REASONS[error.constraint_name]) from None
    except asyncpg.ForeignKeyViolationError:
        raise HTTPException(404, "No such guest.") from None
    except REFUSED:
        raise HTTPException(503, "Try again soon.", headers={"Retry-After": "1"}) from None


async def accepted(pool: asyncpg.Pool, slip: Slip) -> int:
    """Sell in a transaction, and repeat the whole transaction while the database refuses it.

    At most TRIES times. A random pause that grows is advised. The last refusal is raised;
    every other error is raised at once, a broken connection too: its commit may be done.
    """
    for k in range(TRIES):
        try:
            async with lease(pool, deadline=5) as window, window.transaction():
                return await sell(window, slip)  # the commit comes before the return
        except REFUSED:
            if k == TRIES - 1:
                raise
        await asyncio.sleep(random.uniform(0, 0.01 * 2**k))
    raise AssertionError("the last try has returned or raised")


async def sell(window: asyncpg.Connection, slip: Slip) -> int:
    """Take a portion, let the guest pay, write the order down; return its number.

    Needs a transaction around it. Two guests never get the same portion: who meets another guest
    at a row waits for it.
    """
    price = await window.fetchval(
        "update dishes set portions_left = portions_left - 1 where id = $1 returning price_cents",
        slip.dish,
    )
    if price is None:
        raise HTTPException(404, "No such dish.")
    await window.execute(
        "update guests set credit_cents = credit_cents - $2 where id = $1", slip.guest, price
    )
    return await window.fetchval(
        "insert into orders (guest_id, dish_id, portions) values ($1, $2, 1) returning id",
        slip.guest,
        slip.dish,
    )
