"""The one way to get a connection from the pool: with a deadline, and back in every case.

The server has 20 places for connections and reserves 3. Four workers run this file, and a rolling
deploy replaces one after the other: it stops an old one when its new one answers. Choose POOL_SIZE,
and make `lease` do what it promises. The rest is given: leave it as it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
from fastapi import Depends, HTTPException, Request  # noqa: F401

POOL_SIZE = 10


@asynccontextmanager
async def lease(pool: asyncpg.Pool, deadline: float = 0.25) -> AsyncIterator[asyncpg.Connection]:
    """Borrow a connection for the length of the block.

    Raises HTTPException 503 with Retry-After when none is free within `deadline` seconds.
    The connection goes back after success, after an error and after cancellation, and it is back
    when this ends. What ends the block passes on as it came. So does a cancellation of the wait.
    """
    connection = await pool.acquire()
    yield connection
    await pool.release(connection)


async def leased(request: Request) -> AsyncIterator[asyncpg.Connection]:
    async with lease(request.app.state.pool) as connection:
        yield connection


# scope="function": the connection goes back before the response is sent, so that a slow
# client cannot keep it.
Leased = Annotated[asyncpg.Connection, Depends(leased, scope="function")]
"""The type of a route's parameter that is a leased connection."""


# -- Given: this file as an app of its own --

from bistro.worker import worker

app = worker(lease, POOL_SIZE)
