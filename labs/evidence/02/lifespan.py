"""The lifespan opens what all requests share, before the first one. A test must run it as well."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Request
from httpx import ASGITransport, AsyncClient

from bench import Client, Postgres, claim, serve

diary: list[str] = []


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    diary.append("the windows open")
    async with asyncpg.create_pool(os.environ["BISTRO_DSN"], min_size=1) as app.state.windows:
        yield
    diary.append("the windows are closed")


app = FastAPI(lifespan=lifespan)


@app.get("/answer")
async def answer(request: Request) -> int:
    diary.append("a request")
    return await request.app.state.windows.fetchval("select 42")


async def in_this_process() -> str:
    """What a test client sees that calls the app without a server."""
    async with AsyncClient(transport=ASGITransport(app), base_url="http://bistro") as guest:
        try:
            return (await guest.get("/answer")).text
        except AttributeError as error:
            return type(error).__name__


async def main() -> None:
    async with Postgres() as pg:
        os.environ["BISTRO_DSN"] = pg.dsn
        without = await in_this_process()
        diary.clear()
        async with app.router.lifespan_context(app):
            within = await in_this_process()
        order = list(diary)
        async with serve(f"{__file__}:app") as server, Client(server.url) as guest:
            served = (await guest.get("/answer")).json()
    print(f"ASGITransport alone:         {without}: there is no pool")
    print(f"inside lifespan_context:     {within}; " + ", ".join(order))
    print(f"served by uvicorn:           {served}")
    claim(
        "transport-runs-no-lifespan",
        "httpx's ASGITransport runs no lifespan: the pool is missing.",
        without == "AttributeError",
    )
    claim(
        "lifespan-frames-the-requests",
        "The lifespan opens the pool before the first request and closes it after the last.",
        order == ["the windows open", "a request", "the windows are closed"],
    )
    claim(
        "uvicorn-runs-the-lifespan",
        "uvicorn runs the lifespan by itself.",
        served == 42,
    )


if __name__ == "__main__":
    asyncio.run(main())
