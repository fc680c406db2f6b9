"""The one way to a session: its place with a deadline, and back in every case.

The server has 20 places for connections and reserves 3. Four workers run this file, and a rolling
deploy replaces one after the other: it stops an old one when its new one answers. Choose the
numbers of the engine, and make `get_session` do what it promises. The rest is given: leave it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, HTTPException  # noqa: F401
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bistro.session_worker import database_url

engine = create_async_engine(database_url())


async def get_session() -> AsyncIterator[AsyncSession]:
    """A session for one request, with a connection of the engine's pool.

    Raises HTTPException 503 with Retry-After when no connection is free within a quarter second.
    The connection goes back after success, after an error and after cancellation, and it is back
    before the reply is sent. What ends the request passes on as it came; so does a cancellation.
    """
    session = AsyncSession(engine)
    yield session
    await session.close()


Session = Annotated[AsyncSession, Depends(get_session)]
"""The type of a route's parameter that is a session."""


# -- Given: this file as an app of its own --

from bistro.session_worker import worker

app = worker(engine, Session)
