"""An open stream keeps the place of its session, although its query ended before the first line.

Ten guests open a stream, as open tabs do. We count the places that are out while the streams wait
for news, and again when all of them have ended.

`scope="function"` gives the places back before the stream begins. But a generator that still uses
that session works, and the closed session takes a new place that nobody gives back: none but the
garbage collector, which is switched off here. A session with `close_resets_only=False` refuses.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, NamedTuple

import asyncpg
import httpx
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from tables import Guest, desk, fill, states

from bench import Postgres, claim, serve, until

GUESTS = 10
engine = create_async_engine(os.environ.get("URL", "postgresql+asyncpg://"), pool_size=20)
CURES = "/function-scope", "/closed-before", "/own-session"
PATHS = "/default-scope", *CURES, "/strict", "/used-later"
REFUSES = "This Session has been permanently closed"
news, inside = asyncio.Event(), [0]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    gc.disable()
    yield


async def counted() -> AsyncIterator[None]:
    """The first dependency of each request: it ends when all others have ended."""
    inside[0] += 1
    try:
        yield
    finally:
        inside[0] -= 1


app = FastAPI(lifespan=lifespan, dependencies=[Depends(counted)])


async def get_db() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine) as session:
        yield session


async def get_strict() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine, close_resets_only=False) as session:
        yield session


PerRequest = Annotated[AsyncSession, Depends(get_db)]
PerFunction = Annotated[AsyncSession, Depends(get_db, scope="function")]
Strict = Annotated[AsyncSession, Depends(get_strict, scope="function")]


async def lines(session: AsyncSession | None = None) -> AsyncIterator[str]:
    """One line at once, the next when there are news; with a session, it asks for that one."""
    yield "open\n"
    await news.wait()
    guest = await session.get(Guest, 2) if session else None
    yield f"news for {guest.name if guest else 'you'}\n"


@app.get("/default-scope")
async def default_scope(session: PerRequest) -> StreamingResponse:
    await session.get(Guest, 1)
    return StreamingResponse(lines())


@app.get("/function-scope")
async def function_scope(session: PerFunction) -> StreamingResponse:
    await session.get(Guest, 1)
    return StreamingResponse(lines())


@app.get("/closed-before")
async def closed_before(session: PerRequest) -> StreamingResponse:
    await session.get(Guest, 1)
    await session.close()
    return StreamingResponse(lines())


@app.get("/own-session")
async def own_session() -> StreamingResponse:
    async def own_lines() -> AsyncIterator[str]:
        async with AsyncSession(engine) as session:
            await session.get(Guest, 1)
        async for line in lines():
            yield line

    return StreamingResponse(own_lines())


@app.get("/used-later")
async def used_later(session: PerFunction) -> StreamingResponse:
    await session.get(Guest, 1)
    return StreamingResponse(lines(session))


@app.get("/strict")
async def strict(session: Strict) -> StreamingResponse:
    await session.get(Guest, 1)
    return StreamingResponse(lines(session))


@app.get("/news")
async def tell() -> None:
    news.set()
    await asyncio.sleep(0)
    news.clear()


@app.get("/collect")
async def collect() -> None:
    gc.collect()


@app.get("/look")
async def look() -> dict[str, int]:
    """Places that are out, and requests that have not ended, without this one."""
    return {"out": engine.pool.checkedout(), "inside": inside[0] - 1}


class Seen(NamedTuple):
    out: int
    """Places out while ten streams are open."""
    doing: str
    """What their backends do meanwhile."""
    last: str
    """The last line that all ten guests read."""
    left: int
    """Places out when all requests have ended."""


async def streamed(url: str, path: str, window: asyncpg.Connection) -> Seen:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as guest:
        opened: list[str] = []

        async def listen() -> str:
            last = ""
            try:
                async with guest.stream("GET", path) as stream:
                    async for line in stream.aiter_lines():
                        opened.append(last := line)
            except httpx.RemoteProtocolError:
                last = "(cut short)"
            return last

        async def looked() -> dict[str, int]:
            return (await guest.get("/look")).json()

        async def ended() -> bool:
            return (await looked())["inside"] == 0

        async def all_back() -> bool:
            return (await looked())["out"] == 0

        await guest.get("/collect")
        await until(all_back, what="all places to be back before the guests come")
        guests = [asyncio.create_task(listen()) for _ in range(GUESTS)]
        await until(lambda: len(opened) == GUESTS, what="ten open streams")
        out, doing = (await looked())["out"], ", ".join(await states(window))
        await guest.get("/news")
        [last] = set(await asyncio.gather(*guests))
        await until(ended, what="the requests to end")
        return Seen(out, doing, last, (await looked())["out"])


async def main() -> None:
    async with Postgres() as pg, desk(pg.dsn) as window:
        await fill(pg.dsn)
        async with serve(f"{__file__}:app", env={"URL": pg.url("asyncpg")}) as server:
            seen = {path: await streamed(server.url, path, window) for path in PATHS}
    refused = f"InvalidRequestError: {REFUSES}" in server.log
    print("ten open streams: places out, backends; the last line; places out in the end")
    for path, (out, doing, last, left) in seen.items():
        print(f"  {path:15} {out:2}  {doing:20} {last:18} {left:2}")
    print(f"the log says {REFUSES!r}: {refused}")
    claim(
        "stream-keeps-its-sessions-place",
        "Ten open streams with Depends(get_db): 10 places out, 10 backends idle in transaction.",
        seen["/default-scope"] == (10, "idle in transaction", "news for you", 0),
    )
    claim(
        "three-ways-free-a-streams-place",
        "Function scope, close() before the stream, or a session of its own: 0 places out.",
        all(seen[path] == (0, "idle", "news for you", 0) for path in CURES),
    )
    claim(
        "closed-session-begins-anew-and-leaks",
        "A stream that uses a closed session works, and its place stays out: 10 in the end.",
        seen["/used-later"] == (0, "idle", "news for guest 2", 10),
    )
    claim(
        "strict-session-refuses-when-closed",
        "With close_resets_only=False a closed session refuses: the stream is cut short, 0 out.",
        seen["/strict"] == (0, "idle", "(cut short)", 0) and refused,
    )


if __name__ == "__main__":
    asyncio.run(main())
