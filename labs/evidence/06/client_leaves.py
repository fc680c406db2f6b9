"""A guest leaves while the order waits in the kitchen. Who notices, and is the order written?

Each route sends the same insert, which waits at the gate. The guest closes the connection. We look
at the gate, open it, and count the rows. At last, one leaves who still waits for a connection.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated
from urllib.parse import urlsplit

import asyncpg
import psycopg
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from bench import Client, Gate, Postgres, claim, serve, until
from bistro.database import prepare

ORDER = "insert into looks (looked_at) select now() from cook(0)"
SIZE = 2
DEAF = "/plain", "/def", "/based/polled"  # all others have 30 seconds to hear of it
KINDS = "watched", "polled"
entered = 0


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DSN"], min_size=SIZE, max_size=SIZE) as pool:
        for one in app, based, pure:
            one.state.pool = pool
        yield


app, based, pure = FastAPI(lifespan=lifespan), FastAPI(), FastAPI()


async def left(request: Request) -> None:
    """Return when the guest has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@app.get("/plain")
async def plain(request: Request) -> str:
    global entered
    entered += 1
    return await request.app.state.pool.execute(ORDER)


@app.get("/def")
def blocking() -> str:
    with psycopg.connect(os.environ["DSN"]) as window:
        return window.execute(ORDER).statusmessage


@app.get("/watched")
@based.get("/watched")
@pure.get("/watched")
async def watched(request: Request) -> str:
    order = asyncio.create_task(request.app.state.pool.execute(ORDER))
    watcher = asyncio.create_task(left(request))
    await asyncio.wait([order, watcher], return_when=asyncio.FIRST_COMPLETED)
    watcher.cancel()
    if not order.done():
        order.cancel()
        raise HTTPException(499, "The guest has left.")
    return order.result()


@app.get("/polled")
@based.get("/polled")
@pure.get("/polled")
async def polled(request: Request) -> str:
    order = asyncio.create_task(request.app.state.pool.execute(ORDER))
    while not order.done():
        if await request.is_disconnected():
            order.cancel()
            raise HTTPException(499, "The guest has left.")
        await asyncio.sleep(0.01)
    return order.result()


async def window_of(request: Request) -> AsyncIterator[asyncpg.Connection]:
    async with request.app.state.pool.acquire() as window:
        yield window


@app.get("/stream")
async def stream(
    window: Annotated[asyncpg.Connection, Depends(window_of)],
) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        yield "ordered\n"
        yield await window.execute(ORDER)

    return StreamingResponse(lines())


@app.get("/inside")
async def inside(request: Request) -> dict[str, int]:
    return {"idle": request.app.state.pool.get_idle_size(), "entered": entered}


@based.middleware("http")
async def stamp(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    return await call_next(request)


class Stamp:
    """The same in plain ASGI: it hands `receive` on as it is."""

    def __init__(self, inner: FastAPI) -> None:
        self.inner = inner

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        await self.inner(scope, receive, send)


app.mount("/based", based)
app.mount("/pure", Stamp(pure))


async def leaves(url: str, path: str, there: Callable[[], Awaitable[object]]) -> None:
    """GET `path`, and close the connection as soon as `there` returns."""
    address = urlsplit(url)
    _, guest = await asyncio.open_connection(address.hostname, address.port)
    guest.write(f"GET {path} HTTP/1.1\r\nHost: bistro\r\n\r\n".encode())
    await there()
    guest.close()


async def seen_after(dsn: str, url: str, path: str) -> tuple[int, int]:
    """Orders at the gate after the guest has left and others were served; rows written at last."""
    boss = await asyncpg.connect(dsn)
    before = await boss.fetchval("select count(*) from looks")
    async with Gate(dsn) as gate, Client(url) as other:

        async def nobody_waits() -> bool:
            return await gate.waiting() == 0

        async def all_are_back() -> bool:
            return (await other.get("/inside")).json()["idle"] == SIZE

        await leaves(url, path, lambda: gate.until_waiting(1))
        if path not in DEAF:
            with suppress(TimeoutError):
                await until(nobody_waits)
        for _ in range(20):
            await other.get("/inside")
        waiting = await gate.waiting()
        await gate.open()
        await until(all_are_back, what="the connection to come back")
    # A query that was at the gate is over when the next holder of the gate is let in.
    async with Gate(dsn):
        rows = await boss.fetchval("select count(*) from looks") - before
    await boss.close()
    return waiting, rows


async def from_the_queue(dsn: str, url: str) -> int:
    """Rows written when the pool is full, a third guest waits for a connection, and leaves."""
    boss = await asyncpg.connect(dsn)
    before = await boss.fetchval("select count(*) from looks")
    async with Gate(dsn) as gate, Client(url) as other:

        async def there(guests: int) -> bool:
            return (await other.get("/inside")).json()["entered"] == guests

        start = (await other.get("/inside")).json()["entered"]
        stay = [asyncio.create_task(other.get("/plain")) for _ in range(SIZE)]
        await gate.until_waiting(SIZE)
        await leaves(url, "/plain", lambda: until(lambda: there(start + SIZE + 1)))
        await gate.open()
        await asyncio.gather(*stay)

        async def written() -> int:
            rows = await boss.fetchval("select count(*) from looks") - before
            return rows if rows > SIZE else 0

        rows = await until(written, what="the order of the guest who left")
    await boss.close()
    return rows


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with serve(f"{__file__}:app", env={"DSN": pg.dsn}) as server:
            paths = [f"{place}/{kind}" for place in ("", "/based", "/pure") for kind in KINDS]
            paths = ["/plain", "/def", "/stream", *paths]
            seen = {path: await seen_after(pg.dsn, server.url, path) for path in paths}
            queued = await from_the_queue(pg.dsn, server.url)
    for path, (waiting, rows) in seen.items():
        print(f"{path:16} the order {'goes on' if waiting else 'stops'}, {rows} written")
    print(f"full pool: {SIZE} guests stay, one leaves the queue: {queued} orders written")
    claim(
        "leaves-plain-and-def-cook-on",
        "Plain routes, async def and def: the order goes on, and is written for nobody.",
        [seen["/plain"], seen["/def"]] == [(1, 1)] * 2,
    )
    claim(
        "leaves-stream-stops",
        "A streamed answer stops its order when the guest leaves, and gives its connection back.",
        seen["/stream"] == (0, 0),
    )
    claim(
        "leaves-receiving-always-hears",
        "A watcher that awaits receive() hears it, also behind both kinds of middleware.",
        [seen[f"{place}/watched"] for place in ("", "/based", "/pure")] == [(0, 0)] * 3,
    )
    claim(
        "leaves-polling-is-deaf-when-based",
        "One that polls is_disconnected() hears nothing behind a BaseHTTPMiddleware.",
        [seen[f"{place}/polled"] for place in ("", "/based", "/pure")] == [(0, 0), (1, 1), (0, 0)],
    )
    claim(
        "leaves-queued-order-is-cooked",
        "An order that waits for a connection is cooked and written after its guest has left.",
        queued == SIZE + 1,
    )


if __name__ == "__main__":
    asyncio.run(main())
