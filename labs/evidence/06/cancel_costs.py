"""What five deadlines cost on one connection: with asyncpg alone, and through SQLAlchemy.

asyncpg says "stop" over a second connection, and the first one is free again. SQLAlchemy does not
trust a connection whose query was cancelled: it closes it, and the next query opens a new one.
A proxy counts the connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench import Gate, Postgres, RoundTrips, claim, until
from bistro.database import prepare

COOK, PID = "select cook(0)", "select pg_backend_pid()"
DEADLINES = 5
Ask = Callable[[str], Awaitable[object]]


async def five_deadlines(net: RoundTrips, gate: Gate, ask: Ask) -> tuple[int, int]:
    """New connections for five deadlines and a question after each; backends that answered."""

    async def stopped() -> bool:
        return await gate.waiting() == 0

    pids = {await ask(PID)}
    net.reset()
    for _ in range(DEADLINES):
        with suppress(TimeoutError):
            async with asyncio.timeout(3600) as limit:
                query = asyncio.create_task(ask(COOK))
                await gate.until_waiting(1)
                limit.reschedule(0)  # it passes now
                await query
        await until(stopped, what="the query to stop")
        pids.add(await ask(PID))
    return net.connections, len(pids)


async def by_asyncpg(dsn: str) -> tuple[int, int]:
    async with (
        Gate(dsn) as gate,
        RoundTrips(dsn) as net,
        asyncpg.create_pool(net.dsn, min_size=1, max_size=1) as pool,
    ):
        return await five_deadlines(net, gate, pool.fetchval)


async def by_sqlalchemy(dsn: str) -> tuple[int, int]:
    async with Gate(dsn) as gate, RoundTrips(dsn) as net:
        url = net.dsn.replace("postgresql:", "postgresql+asyncpg:")
        engine = create_async_engine(url, pool_size=1, max_overflow=0)

        async def ask(sql: str) -> object:
            async with engine.connect() as window:
                return await window.scalar(text(sql))

        try:
            return await five_deadlines(net, gate, ask)
        finally:
            await engine.dispose()


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        raw, engine = await by_asyncpg(pg.dsn), await by_sqlalchemy(pg.dsn)
    for name, (opened, backends) in {"asyncpg": raw, "SQLAlchemy": engine}.items():
        print(f"{name:10} five deadlines: {opened:2} new connections, {backends} backends in all")
    claim(
        "asyncpg-keeps-the-cancelled-connection",
        "asyncpg: five deadlines, five new connections, and one backend answers all the time.",
        raw == (DEADLINES, 1),
    )
    claim(
        "sqlalchemy-drops-the-cancelled-connection",
        "Through SQLAlchemy it is ten: each cancelled connection is closed, and replaced.",
        engine == (2 * DEADLINES, DEADLINES + 1),
    )


if __name__ == "__main__":
    asyncio.run(main())
