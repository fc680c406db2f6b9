"""A `yield` dependency owns the transaction. When does it end: before the reply, or after it?

With FastAPI's default scope it ends after the reply, and even after the background tasks. So a
commit can fail behind a 200. Here it fails because a `unique` constraint is checked at the commit.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
import httpx
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request

from bench import Postgres, claim, serve, until

TABLE = (
    "create table seats (n int unique deferrable initially deferred); insert into seats values (7)"
)
TAKE = "insert into seats values ($1)"
NO_REUSE = httpx.Limits(max_keepalive_connections=0)  # a failed reply closes its connection


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DSN"], min_size=1, max_size=1) as pool:
        app.state.pool, app.state.go_on, app.state.jobs = pool, asyncio.Event(), []
        yield


app = FastAPI(lifespan=lifespan)


async def transaction(request: Request) -> AsyncIterator[asyncpg.Connection]:
    async with request.app.state.pool.acquire() as window, window.transaction():
        yield window


PerRequest = Annotated[asyncpg.Connection, Depends(transaction)]
PerFunction = Annotated[asyncpg.Connection, Depends(transaction, scope="function")]


async def job(app: FastAPI, window: asyncpg.Connection) -> None:
    """A background task that uses the connection of its request."""
    try:
        await app.state.go_on.wait()
        app.state.jobs.append(str(await window.fetchval("select 'done'")))
    except asyncpg.InterfaceError as error:
        app.state.jobs.append(type(error).__name__)


@app.post("/default/{seat}")
async def default(seat: int, window: PerRequest) -> str:
    await window.execute(TAKE, seat)
    return "yours"


@app.post("/function/{seat}")
async def function(seat: int, window: PerFunction) -> str:
    await window.execute(TAKE, seat)
    return "yours"


@app.post("/route/{seat}")
async def route(seat: int, request: Request) -> str:
    """The transaction stands in the route, so the route can say what its end means."""
    try:
        async with request.app.state.pool.acquire() as window, window.transaction():
            await window.execute(TAKE, seat)
    except asyncpg.UniqueViolationError:
        raise HTTPException(409, "That seat is taken.") from None
    return "yours"


@app.post("/default-job/{seat}")
async def default_job(seat: int, window: PerRequest, tasks: BackgroundTasks) -> str:
    await window.execute(TAKE, seat)
    tasks.add_task(job, app, window)
    return "yours"


@app.post("/function-job/{seat}")
async def function_job(seat: int, window: PerFunction, tasks: BackgroundTasks) -> str:
    await window.execute(TAKE, seat)
    tasks.add_task(job, app, window)
    return "yours"


@app.get("/look")
async def look(request: Request) -> tuple[int, list[str]]:
    """Idle connections of the pool, and how the background jobs have ended."""
    return request.app.state.pool.get_idle_size(), request.app.state.jobs


@app.post("/go-on")
async def go_on(request: Request) -> None:
    request.app.state.go_on.set()


async def main() -> None:
    async with Postgres() as pg:
        desk = await asyncpg.connect(pg.dsn)
        await desk.execute(TABLE)

        async def seats(n: int) -> int:
            return await desk.fetchval("select count(*) from seats where n = $1", n)

        async with (
            serve(f"{__file__}:app", env={"DSN": pg.dsn}) as server,
            httpx.AsyncClient(base_url=server.url, timeout=60, limits=NO_REUSE) as guest,
        ):
            status = {
                path: (await guest.post(f"/{path}/7")).status_code
                for path in ("default", "function", "route")
            }
            rows = await seats(7)
            # The pool has one connection, so the job of the first kind must end before the second.
            held = (await guest.post("/default-job/8")).status_code, await seats(8)
            idle, _ = (await guest.get("/look")).json()
            await guest.post("/go-on")
            await until(lambda: seats(8))
            released = (await guest.post("/function-job/9")).status_code, await seats(9)

            async def both_jobs() -> list[str]:
                _, jobs = (await guest.get("/look")).json()
                return jobs if len(jobs) == 2 else []

            jobs = await until(both_jobs)
        await desk.close()
    for path, code in status.items():
        print(f"{path:9} the commit fails: {code}")
    print(f"default:  {held[0]}, job running: {idle} idle connections, {held[1]} row saved")
    print(f"function: {released[0]}, {released[1]} row saved; the jobs end with {jobs}")
    claim(
        "a-failed-commit-behind-a-200",
        "Default scope: the commit fails, the guest has a 200, and the row is not there.",
        (status["default"], rows) == (200, 1),
    )
    claim(
        "function-scope-tells-the-failed-commit",
        'scope="function": the commit fails before the reply, and the guest gets a 500.',
        status["function"] == 500,
    )
    claim(
        "a-transaction-in-the-route-tells-why",
        "With the transaction in the route the guest gets a 409.",
        status["route"] == 409,
    )
    claim(
        "a-background-task-keeps-the-transaction",
        "Default scope: while the background task runs, no connection is idle and no row is saved.",
        (held, idle) == ((200, 0), 0),
    )
    claim(
        "a-background-task-loses-the-connection",
        'scope="function": the row is saved, and the task finds its connection taken back.',
        (released, jobs) == ((200, 1), ["done", "InterfaceError"]),
    )


if __name__ == "__main__":
    asyncio.run(main())
