"""The guest has the reply, and work goes on: background tasks, and a time limit in a middleware.

With FastAPI's default scope, a session is closed when the background tasks have ended, also if none
of them uses it. `scope="function"` closes it before; a task that still uses it works, and leaks a
place. A task needs a session of its own. The garbage collector is switched off here.

`asyncio.timeout` around `call_next` ends the waiting of the middleware, not the handler: the guest
has a 504, and the handler keeps its place. In a plain ASGI middleware the same limit stops it.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated, NamedTuple

import asyncpg
import httpx
from fastapi import BackgroundTasks, Depends, FastAPI, Request, Response
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from starlette.types import ASGIApp, Receive, Scope, Send
from tables import Guest, desk, fill, states

from bench import Gate, Postgres, claim, serve, until

GUESTS, LIMIT = 5, 0.3
HELD = text("select pg_advisory_xact_lock_shared(7)")
engine = create_async_engine(os.environ.get("URL", "postgresql+asyncpg://"), pool_size=20)
bell = asyncio.Event()
at_work = {"requests": 0, "tasks": 0}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    gc.disable()
    yield


async def counted() -> AsyncIterator[None]:
    """The first dependency of each request: it ends when all others have ended."""
    at_work["requests"] += 1
    yield
    at_work["requests"] -= 1


async def get_db() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine) as session:
        yield session


PerRequest = Annotated[AsyncSession, Depends(get_db)]
PerFunction = Annotated[AsyncSession, Depends(get_db, scope="function")]
app = FastAPI(lifespan=lifespan)
letters = FastAPI(dependencies=[Depends(counted)])


async def letter(session: AsyncSession | None = None) -> None:
    """A letter that is sent when the bell rings; with a session, it is asked first."""
    if session:
        await session.get(Guest, 2)
    at_work["tasks"] += 1
    await bell.wait()
    at_work["tasks"] -= 1


async def letter_with_its_own() -> None:
    async with AsyncSession(engine) as session:
        await session.get(Guest, 2)
    await letter()


@letters.get("/default-scope")
async def default_scope(after: BackgroundTasks, session: PerRequest) -> None:
    await session.get(Guest, 1)
    after.add_task(letter)


@letters.get("/function-scope")
async def function_scope(after: BackgroundTasks, session: PerFunction) -> None:
    await session.get(Guest, 1)
    after.add_task(letter)


@letters.get("/own-session")
async def own_session(after: BackgroundTasks, session: PerFunction) -> None:
    await session.get(Guest, 1)
    after.add_task(letter_with_its_own)


@letters.get("/used-later")
async def used_later(after: BackgroundTasks, session: PerFunction) -> None:
    await session.get(Guest, 1)
    after.add_task(letter, session)


async def held(session: PerRequest) -> None:
    await session.execute(HELD)


class Limit:
    """A time limit as a plain ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(LIMIT):
                await self.app(scope, receive, send)
        except TimeoutError:
            await Response(status_code=504)(scope, receive, send)


async def limit(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """The same limit as it is usually written."""
    try:
        async with asyncio.timeout(LIMIT):
            return await call_next(request)
    except TimeoutError:
        return Response(status_code=504)


around, plain = FastAPI(), FastAPI()
around.middleware("http")(limit)
plain.add_middleware(Limit)
for name, limited in {"call_next": around, "plain": plain}.items():
    limited.get("/held")(held)
    app.mount(f"/{name}", limited)
app.mount("/letters", letters)


@app.get("/ring")
async def ring() -> None:
    bell.set()
    await asyncio.sleep(0)
    bell.clear()


@app.get("/look")
async def look() -> dict[str, int]:
    return {**at_work, "out": engine.pool.checkedout()}


class Seen(NamedTuple):
    replies: set[int]
    out: int
    """Places out while the tasks wait for the bell."""
    doing: str
    left: int
    """Places out when everything has ended."""


async def looked(guest: httpx.AsyncClient) -> dict[str, int]:
    return (await guest.get("/look")).json()


async def statuses(guest: httpx.AsyncClient, path: str) -> set[int]:
    replies = await asyncio.gather(*(guest.get(path) for _ in range(GUESTS)))
    return {reply.status_code for reply in replies}


async def with_letters(guest: httpx.AsyncClient, path: str, window: asyncpg.Connection) -> Seen:
    async def all_wait() -> bool:
        return (await looked(guest))["tasks"] == GUESTS

    async def all_over() -> bool:
        return (await looked(guest))["requests"] == 0

    replies = await statuses(guest, f"/letters/{path}")
    await until(all_wait, what="the tasks to wait for the bell")
    out, doing = (await looked(guest))["out"], ", ".join(await states(window))
    await guest.get("/ring")
    await until(all_over, what="the requests to end")
    return Seen(replies, out, doing, (await looked(guest))["out"])


class Limited(NamedTuple):
    replies: set[int]
    queries: int
    """Queries that run on when all have their reply."""
    out: int


async def with_limit(guest: httpx.AsyncClient, name: str, dsn: str, expected: int) -> Limited:
    """Five guests of a query that does not end. What is expected has five seconds to be seen."""
    async with Gate(dsn) as gate:
        replies = await statuses(guest, f"/{name}/held")

        async def as_expected() -> bool:
            out = (await looked(guest))["out"]
            return await gate.waiting() == out == expected

        with suppress(TimeoutError):
            await until(as_expected, timeout=5)
        return Limited(replies, await gate.waiting(), (await looked(guest))["out"])


async def main() -> None:
    paths = ("default-scope", "function-scope", "own-session", "used-later")
    async with Postgres() as pg, desk(pg.dsn) as window:
        await fill(pg.dsn)
        async with (
            serve(f"{__file__}:app", env={"URL": pg.url("asyncpg")}) as server,
            httpx.AsyncClient(base_url=server.url, timeout=60) as guest,
        ):
            around = await with_limit(guest, "call_next", pg.dsn, GUESTS)
            plain = await with_limit(guest, "plain", pg.dsn, 0)
            seen = {path: await with_letters(guest, path, window) for path in paths}
    print("a background task after the reply: places out, backends; places out in the end")
    for path, (replies, out, doing, left) in seen.items():
        print(f"  {path:14}  {replies}  {out}  {doing:20}  {left}")
    print("a time limit in a middleware: replies, queries that run on, places out")
    print(f"  around call_next  {around.replies}  {around.queries}  {around.out}")
    print(f"  plain ASGI        {plain.replies}  {plain.queries}  {plain.out}")
    claim(
        "call-next-limit-leaves-handlers",
        "A limit around call_next: 504 for five guests, 5 handlers run on, and keep 5 places.",
        around == ({504}, GUESTS, GUESTS),
    )
    claim(
        "plain-middleware-limit-stops-handlers",
        "The same limit in a plain ASGI middleware: 504, no handler runs on, 0 places are out.",
        plain == ({504}, 0, 0),
    )
    claim(
        "task-pins-the-session-of-its-request",
        "Default scope: until the background task ends, its request's session keeps the place.",
        seen["default-scope"] == ({200}, GUESTS, "idle in transaction", 0),
    )
    claim(
        "task-with-its-own-session-pins-none",
        "Function scope, or a session of its own in the task: 0 places are out meanwhile.",
        seen["function-scope"] == seen["own-session"] == ({200}, 0, "idle", 0),
    )
    claim(
        "task-with-a-closed-session-leaks",
        "Function scope, and the task uses that closed session: it works, and 5 places stay out.",
        seen["used-later"] == ({200}, GUESTS, "idle in transaction", GUESTS),
    )


if __name__ == "__main__":
    asyncio.run(main())
