"""What FastAPI's background tasks hold, and what they lose.

A task runs after the answer, in the same process. It holds the connection of a `yield` dependency
until it ends. Its error reaches nobody, and with the process it is gone.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated

import asyncpg
import psutil
from fastapi import BackgroundTasks, Depends, FastAPI, Request

from bench import Client, Gate, Postgres, claim, serve, until
from bistro.database import prepare

WRITE = "insert into looks (looked_at) select now() from cook(0)"
Seen = tuple[int, int, list[str]]
said: list[str] = []


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DSN"], min_size=1, max_size=1) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


async def window_of(request: Request) -> AsyncIterator[asyncpg.Connection]:
    async with request.app.state.pool.acquire() as window:
        yield window


PerRequest = Annotated[asyncpg.Connection, Depends(window_of)]
PerFunction = Annotated[asyncpg.Connection, Depends(window_of, scope="function")]


async def note(window: asyncpg.Connection | asyncpg.Pool) -> None:
    try:
        await window.execute(WRITE)
        said.append("written")
    except asyncpg.InterfaceError as error:
        said.append(str(error).partition(": ")[2])


async def fail() -> None:
    raise ValueError("the note is lost")


@app.get("/per-request")
async def per_request(after: BackgroundTasks, window: PerRequest) -> str:
    after.add_task(note, window)
    return "accepted"


@app.get("/per-function")
async def per_function(after: BackgroundTasks, window: PerFunction) -> str:
    after.add_task(note, window)
    return "accepted"


@app.get("/own")
async def own(request: Request, after: BackgroundTasks) -> str:
    after.add_task(note, request.app.state.pool)
    return "accepted"


@app.get("/fails")
async def fails(after: BackgroundTasks) -> str:
    after.add_task(fail)
    after.add_task(said.append, "the second task")
    return "accepted"


@app.get("/two")
async def two(request: Request, after: BackgroundTasks) -> str:
    after.add_task(note, request.app.state.pool)
    after.add_task(note, request.app.state.pool)
    return "accepted"


@app.get("/idle")
async def idle(request: Request) -> int:
    return request.app.state.pool.get_idle_size()


@app.get("/said")
async def what_was_said() -> list[str]:
    return [said.pop(0) for _ in list(said)]


async def holding(dsn: str, guest: Client) -> dict[str, Seen]:
    """For each route: status, idle connections of one during its task, and what the task says."""
    seen: dict[str, Seen] = {}
    for path in "/per-request", "/per-function", "/own":
        async with Gate(dsn) as gate:
            accepted = await guest.get(path)
            if path != "/per-function":
                await gate.until_waiting(1)
            idle = (await guest.get("/idle")).json()
            await gate.open()

        async def told() -> list[str]:
            return (await guest.get("/said")).json()

        seen[path] = accepted.status, idle, await until(told, what=f"the task of {path}")
    return seen


async def killed(dsn: str, guest: Client, pid: int) -> tuple[int, int]:
    """The status for two tasks whose process is killed during the first; rows in the end."""
    boss = await asyncpg.connect(dsn)
    before = await boss.fetchval("select count(*) from looks")
    async with Gate(dsn) as gate:
        status = (await guest.get("/two")).status
        await gate.until_waiting(1)
        process = psutil.Process(pid)
        process.kill()
        await asyncio.to_thread(process.wait, 30)
    async with Gate(dsn):  # entered when the first one, which was at the gate, is through
        rows = await boss.fetchval("select count(*) from looks") - before
    await boss.close()
    return status, rows


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        with suppress(RuntimeError):  # serve says at the end that the server has died
            async with (
                serve(f"{__file__}:app", env={"DSN": pg.dsn}) as server,
                Client(server.url) as guest,
            ):
                seen = await holding(pg.dsn, guest)
                async with Client(server.url) as another:  # the failure also ends its connection
                    failed = (await another.get("/fails")).status
                logged = await until(lambda: "the note is lost" in server.log)
                second = (await guest.get("/said")).json()
                status, rows = await killed(pg.dsn, guest, server.pid)
    print("one connection; idle while the task waits, and what becomes of the task:")
    for path, (_, idle, what) in seen.items():
        print(f"  {path:14} {idle}  {', '.join(what)}")
    print(f"a task that fails: the guest has {failed}, the second task says {second or 'nothing'}")
    print(f"two tasks, killed during the first: the guest has {status}, rows written: {rows}")
    claim(
        "background-task-keeps-the-connection",
        "By default the dependency's connection is taken until the background task ends.",
        seen["/per-request"] == (200, 0, ["written"]),
    )
    claim(
        "background-task-finds-it-released",
        'With scope="function" the task finds a connection that was given back, and fails.',
        seen["/per-function"] == (200, 1, ["connection has been released back to the pool"]),
    )
    claim(
        "background-error-tells-nobody",
        "A task fails: the guest has a 200, the log an error, and the next task never runs.",
        (failed, logged, second) == (200, True, []),
    )
    claim(
        "background-tasks-die-with-the-process",
        "Two tasks accepted, the process is killed during the first: the second is lost.",
        (status, rows) == (200, 1),
    )


if __name__ == "__main__":
    asyncio.run(main())
