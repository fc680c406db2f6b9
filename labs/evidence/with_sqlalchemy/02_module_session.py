"""One session for the whole application: the first guests fail, later ones share one transaction.

The session at module level opens its connection when it is first asked. Of twenty guests who come
at that moment one is answered. Later all are answered, one after the other, in a transaction that
nobody ends. After one error of SQL every guest gets it, until somebody rolls back.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import asyncpg
import httpx
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from tables import desk, states

from bench import Gate, Postgres, claim

GUESTS = 20
HELD = text("select pg_advisory_xact_lock_shared(7)")


def app_of(engine: AsyncEngine) -> FastAPI:
    """Its routes share one session, as if it stood at the top of a module."""
    app, db = FastAPI(), AsyncSession(engine)
    here, all_here = 0, asyncio.Event()

    async def together() -> None:
        nonlocal here
        here += 1
        if here == GUESTS:
            all_here.set()
        await all_here.wait()

    async def ask(question: str) -> str:
        try:
            return str(await db.scalar(text(question)))
        except (InvalidRequestError, DBAPIError) as error:
            return str(error).splitlines()[0].partition(" (Background")[0]

    @app.get("/first")
    async def first() -> str:
        await together()
        return await ask("select 'soup'")

    @app.get("/later")
    async def later() -> str:
        return await ask("select 'soup'")

    @app.get("/held")
    async def held() -> None:
        await db.execute(HELD)

    @app.get("/error")
    async def error() -> str:
        return await ask("select 1 / 0")

    @app.get("/close")
    async def close() -> None:
        await db.close()

    return app


async def answers(guest: httpx.AsyncClient, path: str) -> Counter[str]:
    """What twenty guests are told who come at once, and how often."""
    replies = await asyncio.gather(*(guest.get(path) for _ in range(GUESTS)))
    return Counter(reply.json() for reply in replies)


async def at_the_gate(dsn: str, guest: httpx.AsyncClient, engine: AsyncEngine) -> tuple[int, int]:
    """Queries of twenty guests in the database, and places of the pool that are out."""
    async with Gate(dsn) as gate:
        tasks = [asyncio.create_task(guest.get("/held")) for _ in range(GUESTS)]
        await gate.until_waiting(1)
        seen = await gate.waiting(), engine.pool.checkedout()
        await gate.open()
        await asyncio.gather(*tasks)
    return seen


async def evening(pg: Postgres, engine: AsyncEngine, window: asyncpg.Connection) -> None:
    door = httpx.ASGITransport(app_of(engine))
    async with httpx.AsyncClient(transport=door, base_url="http://bistro", timeout=None) as guest:
        first, later = await answers(guest, "/first"), await answers(guest, "/later")
        inside, out = await at_the_gate(pg.dsn, guest, engine)
        left = await states(window)
        error = (await guest.get("/error")).json()
        after = await answers(guest, "/later")
        await guest.get("/close")
    for when, told in (
        (f"the first {GUESTS} guests, at once", first),
        (f"{GUESTS} later guests, at once", later),
        (f"{GUESTS} guests after an error ({error.partition(') ')[2]})", after),
    ):
        print(f"{when}:")
        for what, count in told.items():
            print(f"  {count:2} × {what}")
    print(f"{GUESTS} at the gate: {inside} in the database, places out {out}")
    print(f"when all are answered, the backend is: {', '.join(left)}")
    claim(
        "first-guests-of-a-shared-session",
        "One session for all: of the first 20 guests at once 1 is answered, 19 get an error.",
        first["soup"] == 1 and first.total() == GUESTS and len(first) == 2,
    )
    claim(
        "later-guests-of-a-shared-session-take-turns",
        "Later guests of the shared session are answered, with 1 of 20 in the database at a time.",
        (later, inside, out) == ({"soup": GUESTS}, 1, 1),
    )
    claim(
        "a-shared-session-stays-in-its-transaction",
        "When all guests are answered, the shared session is still idle in transaction.",
        left == {"idle in transaction": 1},
    )
    claim(
        "an-error-for-all-guests",
        "After one error of SQL each later guest of the shared session gets it: 25P02, aborted.",
        len(after) == 1 and "current transaction is aborted" in next(iter(after)),
    )


async def main() -> None:
    async with Postgres() as pg, desk(pg.dsn) as window:
        engine = create_async_engine(pg.url("asyncpg"))
        await evening(pg, engine, window)
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
