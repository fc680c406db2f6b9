"""A `yield` dependency owns the transaction. When does it end: before the reply, or after it?

With FastAPI's default scope it ends after the reply, and even after the background tasks. So a
commit can fail behind a 200. Here it fails because a `unique` constraint is checked at the commit.

The scope belongs to the key under which FastAPI keeps a dependency's value for a request. Two uses
with two scopes are therefore two transactions, on two connections.
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
from fastapi.exceptions import DependencyScopeError

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
    async with request.app.state.pool.acquire(timeout=1) as window, window.transaction():
        yield window


PerRequest = Annotated[asyncpg.Connection, Depends(transaction)]
PerFunction = Annotated[asyncpg.Connection, Depends(transaction, scope="function")]


async def user(window: PerRequest) -> int:
    """Who asks? Many apps have such a dependency, and it asks the same database."""
    return await window.fetchval("select pg_backend_pid()")


async def user_too(window: PerFunction) -> int:
    return await window.fetchval("select pg_backend_pid()")


async def service(window: PerFunction) -> AsyncIterator[asyncpg.Connection]:
    """This one ends after the reply; what it needs has ended before."""
    yield window


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


@app.get("/two-scopes")
async def two_scopes(asks: Annotated[int, Depends(user)], window: PerFunction) -> bool:
    return asks == await window.fetchval("select pg_backend_pid()")


@app.get("/one-scope")
async def one_scope(asks: Annotated[int, Depends(user_too)], window: PerFunction) -> bool:
    return asks == await window.fetchval("select pg_backend_pid()")


def refused_at_the_start() -> str:
    """What FastAPI says to a request's dependency that needs one of the function's scope."""
    try:

        @FastAPI().get("/")
        async def route(window: Annotated[asyncpg.Connection, Depends(service)]) -> None: ...
    except DependencyScopeError as error:
        return type(error).__name__
    return "accepted"


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
            # The pool has one connection: who needs a second one waits for himself.
            two = (await guest.get("/two-scopes")).status_code
            one = await guest.get("/one-scope")
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
    print(f"a dependency in two scopes, pool of one: {two}; in one scope: {one.status_code}")
    print(f"a request's dependency needs a function's: {refused_at_the_start()}")
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
        "two-scopes-are-two-transactions",
        "One dependency in two scopes takes two connections: a pool of one answers 500.",
        two == 500,
    )
    claim(
        "one-scope-is-one-transaction",
        "With one scope wherever it is asked for, the request has one connection.",
        (one.status_code, one.text) == (200, "true"),
    )
    claim(
        "a-longer-scope-cannot-need-a-shorter",
        "A yield dependency of the request cannot need one of the function: FastAPI refuses it.",
        refused_at_the_start() == "DependencyScopeError",
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
