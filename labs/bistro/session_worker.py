"""One worker of the bistro for lab 4 with SQLAlchemy: six routes, each with a session.

No other module of the bistro imports SQLAlchemy.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, get_args

import anyio
from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy import text
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from starlette.types import ASGIApp, Receive, Scope, Send

from bistro.database import dsn

COOK = text("select cook(0)")
DISH = text("select name from dishes where id = :id")
MENU = text("select name from dishes order by id")


def database_url() -> str:
    """The address in BISTRO_DSN for `create_async_engine`, with asyncpg as the driver.

    Raises RuntimeError when it is not set.
    """
    return "postgresql+asyncpg://" + dsn().partition("://")[2]


def worker(engine: AsyncEngine, session_of_a_route: Any) -> FastAPI:
    """An app whose routes get their sessions as `session_of_a_route` says.

    That is the type of a parameter: `Annotated[AsyncSession, Depends(…)]`. The worker opens
    `pool_size` connections at its start; without a place for them it does not start. The engine
    itself would open them when they are needed, as it does with `max_overflow` more. At the end it
    is disposed of.
    """
    given = get_args(session_of_a_route)[-1]
    router = APIRouter()

    @router.get("/order")
    async def order(session: AsyncSession = given) -> float:
        return await session.scalar(COOK)

    @router.get("/dishes/{dish_id}")
    async def dish(dish_id: int, session: AsyncSession = given) -> str:
        return (await session.scalars(DISH, {"id": dish_id})).one()  # or raises NoResultFound

    @router.get("/guests/{name}")
    async def guest(name: str, session: AsyncSession = given) -> None:
        await session.scalar(DISH, {"id": 1})
        raise HTTPException(404, f"No guest is called {name}.")

    @router.get("/timed")
    async def timed(session: AsyncSession = given) -> float:
        """An order whose query has 0.1 s; the TimeoutError becomes a 504."""
        async with asyncio.timeout(0.1):
            return await session.scalar(COOK)

    @router.get("/hurried")
    @router.get("/leaving")
    async def hurried(request: Request, session: AsyncSession = given) -> None:
        """A guest who has the dish, leaves (see `Leaving`), and does not wait for the bill."""
        await session.scalar(COOK)
        request.scope["leaves"]()
        await asyncio.Event().wait()

    @router.get("/menu")
    async def menu(session: AsyncSession = given) -> StreamingResponse:
        """The names of the dishes, read from the database at once, for a reader who never ends."""
        names = (await session.scalars(MENU)).all()

        async def lines() -> AsyncIterator[str]:
            for name in names:
                yield f"{name}\n"
            await asyncio.Event().wait()

        return StreamingResponse(lines())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        size = getattr(engine.pool, "size", int)  # not every kind of pool has one
        async with AsyncExitStack() as stack:
            for _ in range(size()):
                await stack.enter_async_context(engine.connect())
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.state.engine, app.state.session = engine, given
    app.include_router(router)
    app.add_middleware(Leaving)

    @app.exception_handler(NoResultFound)
    async def no_such_dish(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse("No such dish.", 404)

    @app.exception_handler(TimeoutError)
    async def too_slow(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse("The kitchen was too slow.", 504)

    return app


class Leaving:
    """Middleware: guests of /hurried and /leaving leave when the route says so.

    Their request is cancelled then. /hurried is cancelled once, as asyncio does it; /leaving as
    anyio does it, which Starlette uses: at every `await`, until the request has ended.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope.get("path"):
            case "/hurried":
                try:
                    async with asyncio.timeout(None) as limit:
                        scope["leaves"] = partial(limit.reschedule, 0)
                        return await self.app(scope, receive, send)
                except TimeoutError:
                    pass
            case "/leaving":
                with anyio.CancelScope() as guest:
                    scope["leaves"] = guest.cancel
                    return await self.app(scope, receive, send)
            case _:
                return await self.app(scope, receive, send)
        await JSONResponse("The guest has left.", 504)(scope, receive, send)
