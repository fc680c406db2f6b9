"""The session takes its connection at the first statement, and a handler of the app answers 503.

It also answers for a session that has committed and asks for a connection once more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import sqlalchemy.exc
from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bistro.session_worker import database_url, worker

engine = create_async_engine(database_url(), pool_size=3, max_overflow=0, pool_timeout=0.25)


async def get_session() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine) as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
app = worker(engine, Session)


@app.exception_handler(sqlalchemy.exc.TimeoutError)
async def no_connection_in_time(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse("All connections are busy.", 503, headers={"Retry-After": "1"})
