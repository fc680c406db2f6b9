"""The one way to a session: its place with a deadline, and back in every case."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, HTTPException
from sqlalchemy.exc import TimeoutError as PoolTimeout  # not the TimeoutError of Python
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bistro.session_worker import database_url

engine = create_async_engine(
    database_url(),
    pool_size=3,  # (20 - 3) // (4 + 1)
    max_overflow=0,
    pool_timeout=0.25,
)


async def get_session() -> AsyncIterator[AsyncSession]:
    """A session for one request, with a connection of the engine's pool.

    Raises HTTPException 503 with Retry-After when no connection is free within a quarter second.
    The connection goes back after success, after an error and after cancellation, and it is back
    before the reply is sent. What ends the request passes on as it came; so does a cancellation.
    """
    async with AsyncSession(engine) as session:
        try:
            await session.connection()  # the first statement would take it, out of our sight
        except PoolTimeout:
            raise HTTPException(
                503,
                "All connections are busy. Try again soon.",
                headers={"Retry-After": "1"},
            ) from None
        yield session


# scope="function": the connection goes back before the response is sent, so that a slow
# client cannot keep it.
Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
"""The type of a route's parameter that is a session."""
