"""A streamed answer keeps the connection of its `yield` dependency until the last byte.

Three guests open a stream, as open tabs do. The pool has three connections. We count the idle ones
after each stream has begun, once with FastAPI's default scope and once with `scope="function"`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated

import asyncpg
import httpx
from fastapi import Depends, FastAPI, Request
from fastapi.responses import StreamingResponse

from bench import Postgres, claim, serve

SIZE = 3


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DSN"], min_size=SIZE, max_size=SIZE) as pool:
        app.state.pool, app.state.stop = pool, asyncio.Event()
        yield


app = FastAPI(lifespan=lifespan)


async def connection(request: Request) -> AsyncIterator[asyncpg.Connection]:
    async with request.app.state.pool.acquire() as window:
        yield window


async def news(stop: asyncio.Event) -> AsyncIterator[str]:
    """One line at once, the next when the stream is told to end. It needs no connection."""
    yield "open\n"
    await stop.wait()
    yield "closed\n"


PerRequest = Annotated[asyncpg.Connection, Depends(connection)]
PerFunction = Annotated[asyncpg.Connection, Depends(connection, scope="function")]


@app.get("/pinned")
async def pinned(request: Request, window: PerRequest) -> StreamingResponse:
    await window.fetchval("select 1")
    return StreamingResponse(news(request.app.state.stop))


@app.get("/free")
async def free(request: Request, window: PerFunction) -> StreamingResponse:
    await window.fetchval("select 1")
    return StreamingResponse(news(request.app.state.stop))


@app.get("/idle")
async def idle(request: Request) -> int:
    return request.app.state.pool.get_idle_size()


@app.get("/stop")
async def stop(request: Request) -> None:
    request.app.state.stop.set()


async def idle_connections(url: str, path: str) -> list[int]:
    """Idle connections with no stream, with one, two and three open streams."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as guest:
        counts, lines = [(await guest.get("/idle")).json()], []
        async with AsyncExitStack() as tabs:
            for _ in range(SIZE):
                tab = await tabs.enter_async_context(guest.stream("GET", path))
                lines.append(tab.aiter_lines())  # kept: a forgotten iterator closes its stream
                await anext(lines[-1])  # the first line is here: the stream is open
                counts.append((await guest.get("/idle")).json())
            await guest.get("/stop")
    return counts


async def main() -> None:
    idle = {}
    async with Postgres() as pg:
        for path in "/pinned", "/free":
            async with serve(f"{__file__}:app", env={"DSN": pg.dsn}) as server:
                idle[path] = await idle_connections(server.url, path)
    print("open streams               0  1  2  3")
    print("idle, default scope       ", *idle["/pinned"], sep="  ")
    print('idle, scope="function"    ', *idle["/free"], sep="  ")
    claim(
        "streams-pin-connections",
        "Default scope: each open stream keeps a connection; after three none is idle.",
        idle["/pinned"] == [3, 2, 1, 0],
    )
    claim(
        "function-scope-frees-streams",
        'scope="function": with three open streams all three connections are idle.',
        idle["/free"] == [3, 3, 3, 3],
    )


if __name__ == "__main__":
    asyncio.run(main())
