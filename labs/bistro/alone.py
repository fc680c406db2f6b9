"""A part of the bistro as an app of its own: the routes of one file, and a pool for them.

`bistro.app` serves all parts together. A lab works on one part, and serves it like this.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import asyncpg
from fastapi import APIRouter, FastAPI

from bistro.database import dsn, open_pool

Opens = Callable[[str], AbstractAsyncContextManager[asyncpg.Pool]]  # of a DSN


def alone(router: APIRouter, pool: Opens | None = open_pool) -> FastAPI:
    """An app with the routes of `router`, and with `state.pool` open from its start to its end.

    Raises at the start what `pool` raises. With None it starts without a database.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with pool(dsn()) if pool else nullcontext() as app.state.pool:
            yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(router)
    return app


def plain_pool(dsn: str, size: int = 10, min_size: int | None = None) -> asyncpg.Pool:
    """A pool without the time limits of `open_pool`: what ends a query is up to the routes.

    It opens `min_size` connections at the start, all of them if that is left out, and never more
    than `size`.
    """
    floor = size if min_size is None else min_size
    return asyncpg.create_pool(dsn, min_size=floor, max_size=size)
