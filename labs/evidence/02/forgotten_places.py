"""Four more places for a forgotten `await`, and what the guest and the database see of each."""

from __future__ import annotations

import asyncio
import gc
import warnings

import asyncpg
from fastapi import FastAPI, HTTPException
from httpx import ASGITransport, AsyncClient

from bench import Postgres, claim
from bistro.database import prepare

SOUP = "select portions_left from dishes where id = 1"
app = FastAPI()


@app.get("/transaction")
async def in_a_transaction() -> str:
    async with app.state.windows.acquire() as window, window.transaction():
        window.execute("update dishes set portions_left = 0 where id = 1")
    return "sold out"


@app.get("/return-type")
async def with_a_return_type() -> list[dict[str, int]]:
    return app.state.windows.fetch("select id from dishes")


@app.get("/helper-thread")
def in_a_def_route() -> object:
    return app.state.windows.fetchval(SOUP)


async def is_manager(guest: str) -> bool:
    return await app.state.windows.fetchval("select $1 = 'Grace'", guest)


@app.get("/takings")
async def takings(guest: str = "a stranger") -> str:
    if not is_manager(guest):
        raise HTTPException(403)
    return "here are the takings"


async def ask(path: str) -> tuple[int, list[str]]:
    """The status of one request, and the forgotten awaits that Python warns of."""
    door = ASGITransport(app, raise_app_exceptions=False)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        async with AsyncClient(transport=door, base_url="http://bistro") as guest:
            reply = await guest.get(path)
        for _ in range(100):  # the last reference to the coroutine may live a little longer
            await asyncio.sleep(0.001)
            if forgotten(heard):
                break
        return reply.status_code, forgotten(heard)


def forgotten(heard: list[warnings.WarningMessage]) -> list[str]:
    gc.collect()
    words = [str(one.message) for one in heard]
    return [text for text in words if "never awaited" in text]


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with asyncpg.create_pool(pg.dsn, min_size=2) as app.state.windows:
            before = await app.state.windows.fetchval(SOUP)
            paths = "/transaction", "/return-type", "/helper-thread", "/takings"
            seen = {path: await ask(path) for path in paths}
            after = await app.state.windows.fetchval(SOUP)
    for path, (status, heard) in seen.items():
        print(f"{path:15} {status}  {'; '.join(heard)}")
    print(f"portions of soup before and after “sold out”: {before}, {after}")
    claim(
        "forgotten-in-a-transaction-changes-nothing",
        "In a transaction: 200, the block ends without an error, and the row is as before.",
        seen["/transaction"][0] == 200 and before == after > 0,
    )
    claim(
        "return-type-does-not-await",
        "A return type, or a `def` route, does not await for you: both answer 500.",
        seen["/return-type"][0] == seen["/helper-thread"][0] == 500,
    )
    claim(
        "a-coroutine-counts-as-true",
        "`if not is_manager(…)` lets a stranger in: a coroutine counts as true.",
        seen["/takings"][0] == 200,
    )


if __name__ == "__main__":
    asyncio.run(main())
