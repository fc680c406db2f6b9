"""Lesson 6: the guest leaves while the query runs. Which of four routes notices?

`/plain` waits for its query and looks at nothing else. `/asking` asks every 10 ms whether the guest
is still there, `/listening` waits for the news. `/stream` sends its first line before the query.
All four exist a second time below `/behind`, where one middleware stands before them. The
query cooks and then writes the order down, so the database knows which orders were completed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from bistro.database import dsn

router = APIRouter()

ORDER = "insert into looks select from cook($1)"


@router.get("/plain")
async def plain(request: Request, seconds: float = 0) -> str:
    return await request.app.state.pool.execute(ORDER, seconds)


@router.get("/asking")
async def asking(request: Request, seconds: float = 0) -> str:
    order = request.app.state.pool.execute(ORDER, seconds)
    query = asyncio.create_task(order)
    while not query.done():
        if await request.is_disconnected():
            query.cancel()
            raise HTTPException(499, "The guest has left.")
        await asyncio.wait([query], timeout=0.01)
    return query.result()


@router.get("/listening")
async def listening(request: Request, seconds: float = 0) -> str:
    order = request.app.state.pool.execute(ORDER, seconds)
    query = asyncio.create_task(order)
    leaving = asyncio.create_task(left(request))
    try:
        await asyncio.wait([query, leaving], return_when="FIRST_COMPLETED")
        if query.done():
            return query.result()
        raise HTTPException(499, "The guest has left.")
    finally:
        query.cancel()
        leaving.cancel()
        await asyncio.wait([query, leaving])


async def left(request: Request) -> None:
    """Return when the guest is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@router.get("/stream")
async def stream(request: Request, seconds: float = 0) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        yield "ordered\n"
        yield await request.app.state.pool.execute(ORDER, seconds)

    return StreamingResponse(lines())


@router.get("/ping")
async def ping() -> str:
    return "pong"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # No time limit here: what ends an order in this lesson is the guest who leaves, or nothing.
    async with asyncpg.create_pool(dsn(), min_size=2, max_size=2) as pool:
        app.state.pool = behind.state.pool = pool
        yield


behind = FastAPI()
behind.include_router(router)


@behind.middleware("http")
async def stamp(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["x-bistro"] = "open"
    return response


app = FastAPI(lifespan=lifespan)
app.include_router(router)
app.mount("/behind", behind)
