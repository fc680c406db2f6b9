"""The one way to get a connection from the pool: with a deadline, and back in every case."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
from fastapi import Depends, HTTPException, Request

POOL_SIZE = 3  # (20 - 3) // (4 + 1)

# asyncpg would use the deadline of the acquire for the release too. On a slow day that turns a
# finished query into an error, so the release gets a time of its own.
RELEASE_TIMEOUT = 5.0


@asynccontextmanager
async def lease(pool: asyncpg.Pool, deadline: float = 0.25) -> AsyncIterator[asyncpg.Connection]:
    """Borrow a connection for the length of the block.

    Raises HTTPException 503 with Retry-After when none is free within `deadline` seconds.
    The connection goes back after success, after an error and after cancellation, and it is back
    when this ends. What ends the block passes on as it came. So does a cancellation of the wait.
    """
    try:
        connection = await pool.acquire(timeout=deadline)
    except TimeoutError:
        raise HTTPException(
            503,
            "All connections are busy. Try again soon.",
            headers={"Retry-After": "1"},
        ) from None
    try:
        yield connection  # type: ignore[misc]  # the pool's proxy of one
    finally:
        await pool.release(connection, timeout=RELEASE_TIMEOUT)


async def leased(request: Request) -> AsyncIterator[asyncpg.Connection]:
    async with lease(request.app.state.pool) as connection:
        yield connection


# scope="function": the connection goes back before the response is sent, so that a slow
# client cannot keep it.
Leased = Annotated[asyncpg.Connection, Depends(leased, scope="function")]
"""The type of a route's parameter that is a leased connection."""
