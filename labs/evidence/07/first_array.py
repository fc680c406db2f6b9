"""The first array on a connection: asyncpg asks the server what kind of thing that is.

It keeps the answer for this connection, so every connection of a pool asks for itself. The pool's
`init` can ask before the first guest comes.
"""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Postgres, RoundTrips, claim
from bistro.database import prepare

PLAIN = "select id from guests where id = $1"
ARRAY = "select id from guests where id = any($1)"
MOODS = "create type mood as enum ('hungry', 'content')"
MOOD = "select $1::mood"


async def trips_of(window: asyncpg.Connection, net: RoundTrips, query: str, value: object) -> int:
    net.reset()
    await window.fetch(query, value)
    return net.trips


async def known_types(window: asyncpg.Connection) -> None:
    """Let a new connection learn the types that the program uses."""
    await window.fetchval("select $1::int[]", [])


async def main() -> None:
    first, again = {}, {}
    async with Postgres() as pg, RoundTrips(pg.dsn) as net:
        await prepare(pg.dsn)
        window = await asyncpg.connect(net.dsn)
        await window.execute(MOODS)
        for name, query, value in (
            ("one number", PLAIN, 1),
            ("an array", ARRAY, [1, 2]),
            ("an enum", MOOD, "hungry"),
        ):
            first[name] = await trips_of(window, net, query, value)
            again[name] = await trips_of(window, net, query, value)
        await window.close()
        settings = {"min_size": 1, "max_size": 1, "init": known_types}
        async with asyncpg.create_pool(net.dsn, **settings) as pool, pool.acquire() as window:
            warmed = await trips_of(window, net, ARRAY, [1, 2])
    print("a query with …     first use   again   (round trips)")
    for name in first:
        print(f"{name:16}{first[name]:10}{again[name]:9}")
    print(f"an array, on a connection that `init` has warmed: {warmed}, then 1")
    claim(
        "first-array-asks-for-its-type",
        "A connection's first array takes more round trips than a number; its next takes one.",
        first["an array"] > first["one number"] and again["an array"] == 1,
    )
    claim(
        "init-pays-in-advance",
        "After a pool's init has used the type, the first array of a guest costs as a number does.",
        warmed == first["one number"],
    )


if __name__ == "__main__":
    asyncio.run(main())
