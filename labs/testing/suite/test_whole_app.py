"""What one rolled-back connection cannot show: the lifespan, and two requests at once."""

from __future__ import annotations

import asyncio
import os

from fastapi.testclient import TestClient
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app import app
from factories import a_guest


async def test_asgi_transport_starts_no_lifespan(client):
    assert not hasattr(app.state, "engine")


async def test_the_lifespan_opens_the_engine(live):
    assert app.state.engine.url.render_as_string(False) == os.environ["APP_DATABASE"]


async def test_two_orders_at_once(live, engine):
    async with AsyncSession(engine, expire_on_commit=False) as db:
        guest = await a_guest(db)
    address, query = f"/guests/{guest.id}/orders", {"dish": "soup", "card": "good"}
    answers = await asyncio.gather(*(live.post(address, params=query) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert (await live.get(address)).json() == 2


async def test_a_shared_connection_takes_no_two_at_once(client, db):
    """The savepoints of two requests cross: the one that began first ends the other's."""
    guest = await a_guest(db)
    address, query = f"/guests/{guest.id}/orders", {"dish": "soup", "card": "good"}
    both = (client.post(address, params=query) for _ in range(2))
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert any(isinstance(answer, DBAPIError) for answer in answers)


def test_a_blocking_client(engine):
    """`with` starts the lifespan, and one loop for all requests."""
    with TestClient(app) as client:
        assert [client.get("/guests/1/orders").json() for _ in range(3)] == [0, 0, 0]
