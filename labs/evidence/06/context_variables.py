"""Where a context variable is lost: whoever runs on a thread, or in a task, has a copy.

A dependency sets a variable, as one would for a request's id or its tenant. The route reads it.
Then threads, background tasks and two kinds of middleware.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar

import httpx
from fastapi import BackgroundTasks, Depends, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from bench import claim

guest: ContextVar[str] = ContextVar("guest", default="nobody")
said: list[str] = []
app = FastAPI()


def by_def() -> None:
    guest.set("Ann")


async def by_async_def() -> None:
    guest.set("Ann")


def by_yield() -> Iterator[None]:
    token = guest.set("Ann")
    yield
    try:
        guest.reset(token)
    except ValueError as error:
        said.append("created in a different Context" in str(error) and "another context")


@app.get("/by-def", dependencies=[Depends(by_def)])
@app.get("/by-async-def", dependencies=[Depends(by_async_def)])
@app.get("/by-yield", dependencies=[Depends(by_yield)])
async def read() -> str:
    return guest.get()


@app.get("/by-async-def/read-in-def", dependencies=[Depends(by_async_def)])
def read_in_def() -> str:
    return guest.get()


@app.get("/threads", dependencies=[Depends(by_async_def)])
async def threads() -> list[str]:
    loop = asyncio.get_running_loop()
    return [
        await run_in_threadpool(guest.get),
        await asyncio.to_thread(guest.get),
        await loop.run_in_executor(None, guest.get),
    ]


@app.get("/back")
async def set_in_a_thread() -> str:
    await asyncio.to_thread(guest.set, "Ann")
    return guest.get()


@app.get("/later", dependencies=[Depends(by_async_def)])
async def later(after: BackgroundTasks) -> None:
    after.add_task(lambda: said.append(guest.get()))


@app.get("/set")
async def set_in_the_route() -> None:
    guest.set("Ann")


based, pure = FastAPI(), FastAPI()
based.include_router(app.router)
pure.include_router(app.router)


@based.middleware("http")
async def log(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    said.append(guest.get())
    return response


class Log:
    """The same in plain ASGI."""

    def __init__(self, inner: FastAPI) -> None:
        self.inner = inner

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        await self.inner(scope, receive, send)
        said.append(guest.get())


DOORS = {"a BaseHTTPMiddleware": based, "a plain ASGI middleware": Log(pure)}


async def ask(path: str, door: Callable = app) -> tuple[object, list[str]]:
    """What the route answers, and what was said; each request is a task, as in a server."""
    said.clear()
    transport = httpx.ASGITransport(door)
    async with httpx.AsyncClient(transport=transport, base_url="http://bistro") as client:
        reply = await asyncio.create_task(client.get(path))
    return reply.json(), list(said)


async def main() -> None:
    by_def, _ = await ask("/by-def")
    by_async = [(await ask(path))[0] for path in ("/by-async-def", "/by-async-def/read-in-def")]
    by_yield, reset = await ask("/by-yield")
    threads, _ = await ask("/threads")
    back, _ = await ask("/back")
    _, later = await ask("/later")
    middleware = {name: (await ask("/set", one))[1][0] for name, one in DOORS.items()}
    print(f"set in a def dependency, read in the route:       {by_def}")
    print(f"set in an async dependency, read in both kinds:   {', '.join(by_async)}")
    print(f"a def dependency with yield: set {by_yield}, its reset meets {', '.join(reset)}")
    print(f"read in a background task:                        {later[0]}")
    print(f"run_in_threadpool, to_thread, run_in_executor:    {', '.join(threads)}")
    print(f"set in a thread, read after it:                   {back}")
    for name, seen in middleware.items():
        print(f"set in the route, read in {name:24} {seen}")
    claim(
        "def-dependency-loses-its-variable",
        "What a def dependency sets is lost: it ran on a thread, with a copy of the context.",
        by_def == by_yield == "nobody",
    )
    claim(
        "async-dependency-keeps-its-variable",
        "What an async dependency sets is there, in async and def routes and background tasks.",
        [*by_async, *later] == ["Ann"] * 3,
    )
    claim(
        "def-dependency-cannot-reset",
        "A def dependency with yield ends in another context than it began: reset fails.",
        reset == ["another context"],
    )
    claim(
        "run-in-executor-loses-the-context",
        "run_in_threadpool and to_thread carry the variable along, run_in_executor does not.",
        threads == ["Ann", "Ann", "nobody"],
    )
    claim(
        "a-thread-changes-its-copy",
        "A variable that is set in a thread is unchanged after it.",
        back == "nobody",
    )
    claim(
        "base-middleware-sees-nothing",
        "A BaseHTTPMiddleware does not see what the route has set; a plain ASGI one does.",
        list(middleware.values()) == ["nobody", "Ann"],
    )


if __name__ == "__main__":
    asyncio.run(main())
