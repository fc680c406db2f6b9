"""Rows for tests: a test names the fields it is about, the others get a value.

A factory commits, so that every session sees its rows. The fixture `db` undoes
that afterwards.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app import Guest, Order

number = count(1)


async def a_guest(db: AsyncSession, **fields: Any) -> Guest:
    guest = Guest(**{"name": f"guest {next(number)}"} | fields)
    db.add(guest)
    await db.commit()
    return guest


async def an_order(db: AsyncSession, **fields: Any) -> Order:
    """With no `guest_id` it makes its guest, too."""
    if "guest_id" not in fields:
        fields["guest_id"] = (await a_guest(db)).id
    order = Order(**{"dish": f"soup {next(number)}", "paid": False} | fields)
    db.add(order)
    await db.commit()
    return order
