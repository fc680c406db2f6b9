"""Each test begins with empty tables, though the code under test commits and rolls back."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app import Order
from factories import a_guest, an_order


@pytest.mark.parametrize("dish", ["soup", "cake"])
async def test_an_order_is_kept(client, db, dish):
    guest = await a_guest(db)
    answer = await client.post(f"/guests/{guest.id}/orders", params={"dish": dish, "card": "good"})
    assert answer.status_code == 201
    assert (await db.scalars(select(Order.dish))).all() == [dish]


async def test_a_refused_card_keeps_the_order(client, db):
    guest = await a_guest(db)
    address = f"/guests/{guest.id}/orders"
    answer = await client.post(address, params={"dish": "soup", "card": "refused"})
    assert answer.status_code == 402
    assert (await db.scalars(select(Order.paid))).all() == [False]


async def test_another_guests_orders_are_not_counted(client, db):
    order = await an_order(db)
    await an_order(db)
    assert (await client.get(f"/guests/{order.guest_id}/orders")).json() == 1


async def test_the_database_itself_refuses_an_order_of_nobody(client):
    with pytest.raises(IntegrityError, match="ForeignKeyViolationError"):
        await client.post("/guests/0/orders", params={"dish": "soup", "card": "good"})


async def test_a_loaded_order_is_read_again_when_it_is_expired(connection, db):
    order = await an_order(db)
    this_one = select(Order).where(Order.id == order.id)
    await connection.execute(update(Order).values(paid=True))
    assert not (await db.scalars(this_one)).one().paid
    db.expire_all()
    assert (await db.scalars(this_one)).one().paid
