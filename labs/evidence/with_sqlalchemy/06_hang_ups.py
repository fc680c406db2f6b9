"""A guest hangs up in the middle of a streamed query: the pool says 0, and PostgreSQL runs on.

Starlette stops such a stream by a cancel scope of AnyIO, which cancels again at every `await`. So
the farewell of SQLAlchemy's connection, which would stop the query, is cut short, and the socket is
closed. PostgreSQL looks at the socket when the query has ended. A pool of 5 has 15 queries then.

Three cures: the server looks at the socket now and then; one cancellation alone is handed on; the
query is shielded, and ends by itself. asyncpg's own pool needs none.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import NamedTuple

import anyio
import asyncpg
import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from tables import desk, states

from bench import Gate, Postgres, claim, serve, until

SIZE = 5
DSN = os.environ.get("DSN", "postgresql://")
HELD = "select pg_advisory_xact_lock_shared(7)"
LOOKS = {"server_settings": {"client_connection_check_interval": "100ms"}}


def engine_of(dsn: str, **connect: object) -> AsyncEngine:
    url = dsn.replace("postgresql:", "postgresql+asyncpg:")
    return create_async_engine(url, pool_size=SIZE, max_overflow=0, connect_args=connect)


engine, looking = engine_of(DSN), engine_of(DSN, **LOOKS)
raw: asyncpg.Pool


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    global raw
    async with asyncpg.create_pool(DSN, min_size=0, max_size=SIZE) as raw:
        yield


async def ask(engine: AsyncEngine = engine) -> None:
    async with AsyncSession(engine) as session:
        await session.execute(text(HELD))


async def ask_looking() -> None:
    await ask(looking)


async def ask_raw() -> None:
    await raw.execute(HELD)


async def cancelled_once() -> None:
    """The first cancellation goes to the query, and its farewell may end."""
    query = asyncio.create_task(ask())
    try:
        await asyncio.shield(query)
    except asyncio.CancelledError:
        query.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait([query])
        raise


async def shielded() -> None:
    with anyio.CancelScope(shield=True):
        await ask()


WORK: dict[str, Callable[[], Awaitable[None]]] = {
    "session": ask,
    "raw": ask_raw,
    "looking": ask_looking,
    "once": cancelled_once,
    "shielded": shielded,
}
app = FastAPI(lifespan=lifespan)
streams = {"asked": 0, "inside": 0}


@app.get("/stream/{work}")
async def stream(work: str) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        yield "the dish is on its way\n"
        streams["asked"] += 1
        streams["inside"] += 1
        try:
            await WORK[work]()
        finally:
            streams["inside"] -= 1

    return StreamingResponse(lines())


@app.get("/look")
async def look() -> dict[str, int]:
    """The streams, the places out of both engines, and the connections of asyncpg's pool."""
    out = engine.pool.checkedout() + looking.pool.checkedout()
    return {**streams, "out": out, "raw": raw.get_size()}


class Look(NamedTuple):
    asked: int
    """Streams that have begun to ask."""
    inside: int
    """Streams that still do."""
    out: int
    """Places out of the engines' pools."""
    raw: int
    """Connections of asyncpg's pool."""


Enough = Callable[[], Awaitable[bool]]


class Guests:
    """Five at a time come to one route, and all hang up."""

    def __init__(self, client: httpx.AsyncClient, work: str, gate: Gate) -> None:
        self.client, self.work, self.gate = client, work, gate

    async def look(self) -> Look:
        return Look(**(await self.client.get("/look")).json())

    async def wave(self, enough: Enough) -> None:
        """Each has read the first line, and hangs up when there are enough."""
        lines = []
        async with AsyncExitStack() as streams:
            for _ in range(SIZE):
                stream = self.client.stream("GET", f"/stream/{self.work}")
                lines.append((await streams.enter_async_context(stream)).aiter_lines())
                await anext(lines[-1])
            await until(enough, what="five more guests in the middle of their query")

    async def three_waves(self) -> list[int]:
        """How many queries are in the database after each wave, when nobody is inside any more."""
        left = []
        for _ in range(3):
            before = await self.gate.waiting()

            async def five_more(before: int = before) -> bool:
                return await self.gate.waiting() >= before + SIZE

            await self.wave(five_more)
            await until(self.nobody_inside, what="the streams to end")
            with suppress(TimeoutError):
                await until(self.nobody_at_the_gate, timeout=0 if self.work == "session" else 10)
            left.append(await self.gate.waiting())
        return left

    async def nobody_inside(self) -> bool:
        return (await self.look()).inside == 0

    async def nobody_at_the_gate(self) -> bool:
        return await self.gate.waiting() == 0

    async def two_waves_inside(self) -> tuple[int, int]:
        """Queries and places out when two waves have hung up, and are shielded."""
        for _ in range(2):
            before = (await self.look()).asked

            async def five_more(before: int = before) -> bool:
                return (await self.look()).asked == before + SIZE

            await self.wave(five_more)
        await self.gate.until_waiting(SIZE)
        return await self.gate.waiting(), (await self.look()).out


async def backends_left(window: asyncpg.Connection) -> int:
    """How many stay for five seconds, or 0 as soon as all have gone."""

    async def all_gone() -> bool:
        return not await states(window)

    with suppress(TimeoutError):
        await until(all_gone, timeout=5)
    return (await states(window)).total()


async def main() -> None:
    left = {}
    async with (
        Postgres() as pg,
        desk(pg.dsn) as window,
        serve(f"{__file__}:app", env={"DSN": pg.dsn}) as server,
        httpx.AsyncClient(base_url=server.url, timeout=60) as client,
    ):
        for work in ("session", "raw", "looking", "once"):
            async with Gate(pg.dsn) as gate:
                guests = Guests(client, work, gate)
                left[work] = await guests.three_waves(), await guests.look()
                if work == "session":
                    await gate.open()
                    behind = await backends_left(window)
        async with Gate(pg.dsn) as gate:
            guests = Guests(client, "shielded", gate)
            shield = await guests.two_waves_inside()
            await gate.open()
            await until(guests.nobody_inside, what="the shielded queries to end")
            freed = (await guests.look()).out
    print(f"pool_size={SIZE}, max_overflow=0; queries after three waves of {SIZE} hang-ups:")
    for work, (queries, look) in left.items():
        print(f"  {work:8} {queries}, places out {look.out}")
    print(f"  let through, the session's queries leave {behind} backends")
    print(f"  asyncpg's own pool keeps {left['raw'][1].raw} connections")
    print(f"shielded, two waves: {shield[0]} queries, {shield[1]} places out; in the end {freed}")
    claim(
        "hang-ups-leave-their-queries",
        "Pool of 5, three waves of hang-ups: 0 places out, 5, 10, then 15 queries run.",
        left["session"][0] == [5, 10, 15] and left["session"][1].out == 0,
    )
    claim(
        "no-backend-outlives-its-query",
        "When the queries of guests who hung up have ended, their backends go: none is left.",
        behind == 0,
    )
    claim(
        "raw-pool-stops-its-queries",
        "asyncpg's own pool in the same place: 0 queries run on, its 5 connections are kept.",
        left["raw"][0] == [0, 0, 0] and left["raw"][1].raw == SIZE,
    )
    claim(
        "server-looks-for-the-guest",
        "With client_connection_check_interval no query outlives its guest: 0, 0, 0.",
        left["looking"][0] == [0, 0, 0],
    )
    claim(
        "one-cancellation-ends-the-query",
        "If one cancellation alone is handed on, the session ends its query: 0, 0, 0.",
        left["once"][0] == [0, 0, 0],
    )
    claim(
        "a-shield-keeps-to-the-pool",
        "Shielded from cancellation, 5 queries run and 5 places are out: the pool counts right.",
        (*shield, freed) == (SIZE, SIZE, 0),
    )


if __name__ == "__main__":
    asyncio.run(main())
