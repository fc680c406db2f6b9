"""A path parameter without a type is text, and a row of asyncpg is not a dict.

Four routes ask for the same dish; the status tells what the guest gets. The client is httpx inside
this process: no clock matters here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
from fastapi import FastAPI
from pydantic import BaseModel

from bench import Postgres, claim
from bistro.database import prepare

ONE = "select id, name from dishes where id = $1"


class Dish(BaseModel):
    id: int
    name: str


def app_with(pool: asyncpg.Pool) -> FastAPI:
    app = FastAPI()

    @app.get("/untyped/{id}")
    async def untyped(id):
        return dict(await pool.fetchrow(ONE, id))

    @app.get("/typed/{id}")
    async def typed(id: int):
        return dict(await pool.fetchrow(ONE, id))

    @app.get("/records")
    async def records() -> list[Dish]:
        return await pool.fetch(ONE, 1)

    @app.get("/dicts")
    async def dicts() -> list[Dish]:
        return [dict(row) for row in await pool.fetch(ONE, 1)]

    return app


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://bistro") as client:
        yield client


async def main() -> None:
    status = {}
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with (
            asyncpg.create_pool(pg.dsn, min_size=1, max_size=1) as pool,
            client_of(app_with(pool)) as client,
        ):
            for path in "/untyped/1", "/typed/1", "/typed/soup", "/records", "/dicts":
                reply = await client.get(path)
                status[path] = reply.status_code
                print(f"GET {path:12} {reply.status_code}")
    claim(
        "untyped-id-is-500",
        "Without a type the id is text: asyncpg refuses it, and the guest gets 500.",
        status["/untyped/1"] == 500,
    )
    claim(
        "typed-id-is-200-or-422",
        "With id: int a dish is 200, and a word instead of a number is 422.",
        (status["/typed/1"], status["/typed/soup"]) == (200, 422),
    )
    claim(
        "records-are-not-models",
        "A return type of list[Dish] refuses asyncpg's rows with 500, and takes dicts.",
        (status["/records"], status["/dicts"]) == (500, 200),
    )


if __name__ == "__main__":
    asyncio.run(main())
