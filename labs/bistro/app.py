"""The bistro as an ASGI app: `BISTRO_DSN=postgresql://… uvicorn bistro.app:app`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from bistro import (
    booking,
    dashboard,
    database,
    deadlines,
    health,
    menu,
    queueing,
    repository,
    selling,
    waiting,
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the pool before the first request; close it after the last."""
    async with database.open_pool(database.dsn()) as pool:
        app.state.pool = pool
        yield


app = FastAPI(title="The bistro", lifespan=lifespan)
app.include_router(menu.router)
app.include_router(health.router)
app.include_router(dashboard.router)
app.include_router(repository.router)
app.include_router(selling.router)
app.include_router(waiting.router)
app.include_router(queueing.router)
app.include_router(booking.router)
app.include_router(deadlines.router)
