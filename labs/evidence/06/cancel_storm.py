"""Thirty guests leave at once: what their thirty cancels cost, and whom they reach.

PostgreSQL takes a cancel on a connection of its own. A proxy counts these. Then the same on a
server that has no place left.
"""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Gate, Postgres, RoundTrips, claim, until
from bistro.database import prepare

INSIDE, QUEUED = 10, 20
PLACES = 20
PID = "select pg_backend_pid()"


async def backends(pool: asyncpg.Pool) -> set[int]:
    """The server processes behind all of the pool's connections."""
    held = [await pool.acquire() for _ in range(pool.get_max_size())]
    pids = {await connection.fetchval(PID) for connection in held}
    for connection in held:
        await pool.release(connection)
    return pids


async def storm(dsn: str) -> tuple[int, int, bool]:
    """New connections when 10 queries inside and 20 guests in the queue are cancelled at once.

    Also how many of these connections brought a cancel, and whether the pool kept its backends.
    """
    async with (
        RoundTrips(dsn) as net,
        asyncpg.create_pool(net.dsn, min_size=INSIDE, max_size=INSIDE) as pool,
        Gate(dsn) as gate,
    ):
        before = await backends(pool)
        ask = [asyncio.create_task(pool.execute("select cook(0)")) for _ in range(INSIDE + QUEUED)]
        await gate.until_waiting(INSIDE)
        net.reset()
        for task in ask:
            task.cancel()
        await asyncio.gather(*ask, return_exceptions=True)
        await until(lambda: pool.get_idle_size() == INSIDE, what="all connections to come back")
        opened, cancels = net.connections, net.messages.count("CancelRequest")
        return opened, cancels, await backends(pool) == before


async def without_a_place(dsn: str) -> tuple[str, int]:
    """What a new connection hears on a full server, and what a timeout leaves running there."""
    async with Gate(dsn) as gate:
        inside, refused = [], ""
        while not refused:
            try:
                inside.append(await asyncpg.connect(dsn))
            except asyncpg.TooManyConnectionsError as error:
                refused = error.sqlstate
        order = asyncio.create_task(inside[0].execute("select cook(0)"))
        await gate.until_waiting(1)
        order.cancel()
        await asyncio.wait([order])

        async def stopped() -> bool:
            return await gate.waiting() == 0

        await until(stopped, what="the query to stop")
        left = await gate.waiting()
        for connection in inside:
            await connection.close()
    return refused, left


async def main() -> None:
    async with Postgres(max_connections=PLACES) as pg:
        await prepare(pg.dsn)
        opened, cancels, kept = await storm(pg.dsn)
        refused, left = await without_a_place(pg.dsn)
    print(f"{INSIDE} queries inside, {QUEUED} guests in the queue, all cancelled at once:")
    print(f"  {opened} new connections, {cancels} of them bring a cancel; same backends: {kept}")
    print(f"a full server: a connection is refused ({refused}), a cancel leaves {left} running")
    claim(
        "storm-opens-one-per-running-query",
        "Thirty cancels open ten connections: one for each query inside, none for the queue.",
        (opened, cancels) == (INSIDE, INSIDE),
    )
    claim(
        "storm-keeps-the-backends",
        "After the storm the pool has the same ten backends as before.",
        kept,
    )
    claim(
        "cancel-needs-no-place",
        "A server without a free place refuses a connection, and still takes a cancel.",
        (refused, left) == ("53300", 0),
    )


if __name__ == "__main__":
    asyncio.run(main())
