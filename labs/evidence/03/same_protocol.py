"""What the database sees of psycopg and asyncpg: the same protocol, and the same kind of session.

A proxy notes the first message of each connection. At the gate, `pg_stat_activity` describes the
two waiting sessions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import psycopg

from bench import Gate, Postgres, RoundTrips, claim
from bistro.database import prepare

PROTOCOL_3_0 = 196608  # 3 * 65536 + 0, as the PostgreSQL manual writes version 3.0
MAY_WE_ENCRYPT = 80877103, 80877104
KNOWN = {*"BCDEFHPQSXpcdf"}  # what a client may send: manual, "Message Formats"
SEEN = """
    select state, wait_event_type, wait_event, backend_type, query
    from pg_stat_activity where application_name = $1"""


async def first_message(connect: Callable[[str], object]) -> int:
    """The version number in the start-up message of a connection, as it crosses a socket."""
    seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not seen.done():
            length = int.from_bytes(await reader.readexactly(4), "big")
            code = int.from_bytes((await reader.readexactly(length - 4))[:4], "big")
            if code in MAY_WE_ENCRYPT:
                writer.write(b"N")
            else:
                seen.set_result(code)
        writer.close()  # it has heard enough; the driver gets an error

    async with await asyncio.start_server(note, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        address = f"postgresql://guest:secret@127.0.0.1:{port}/nowhere"
        connecting = asyncio.create_task(asyncio.to_thread(connect, address))
        version = await seen
        await connecting
    return version


def with_psycopg(address: str) -> None:
    with suppress(psycopg.OperationalError):
        psycopg.connect(address)


def with_asyncpg(address: str) -> None:
    with suppress(OSError, asyncpg.PostgresError):
        asyncio.run(asyncpg.connect(address))


async def sessions(dsn: str) -> dict[str, tuple]:
    """How the server describes a session of each driver that waits for the same query."""
    async with Gate(dsn) as gate:
        sync = await asyncio.to_thread(psycopg.connect, dsn, application_name="psycopg")
        tasks = await asyncpg.connect(dsn, server_settings={"application_name": "asyncpg"})
        watcher = await asyncpg.connect(dsn)
        orders = [
            asyncio.create_task(asyncio.to_thread(sync.execute, "select cook(%s)", [0])),
            asyncio.create_task(tasks.fetchval("select cook($1)", 0)),
        ]
        await gate.until_waiting(2)
        rows = {name: tuple(await watcher.fetchrow(SEEN, name)) for name in ("psycopg", "asyncpg")}
        await gate.open()
        await asyncio.gather(*orders)
        sync.close()
        await tasks.close()
        await watcher.close()
    return rows


async def letters_of(dsn: str) -> dict[str, list[str]]:
    """The messages of one query of each driver: one string for each round trip."""
    spoken = {}
    async with RoundTrips(dsn) as net:
        sync = await asyncio.to_thread(psycopg.connect, net.dsn, autocommit=True)
        tasks = await asyncpg.connect(net.dsn)
        net.reset()
        await asyncio.to_thread(sync.execute, "select %s::int", [1])
        spoken["psycopg"] = net.messages
        net.reset()
        await tasks.fetchval("select $1::int", 1)
        spoken["asyncpg"] = net.messages
        sync.close()
        await tasks.close()
    return spoken


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        version = {
            "psycopg": await first_message(with_psycopg),
            "asyncpg": await first_message(with_asyncpg),
        }
        seen, spoken = await sessions(pg.dsn), await letters_of(pg.dsn)
    for driver in seen:
        print(f"{driver}: protocol {version[driver]}, one query is {' '.join(spoken[driver])}")
        print(f"   the server sees {', '.join(seen[driver])}")
    claim(
        "protocol-is-the-standard-one",
        "psycopg and asyncpg both open with protocol 3.0 and send its messages only.",
        set(version.values()) == {PROTOCOL_3_0}
        and all(set("".join(words)) <= KNOWN for words in spoken.values()),
    )
    claim(
        "database-sees-no-difference",
        "The server describes a blocking session and an async one in the same words.",
        seen["psycopg"] == seen["asyncpg"],
    )


if __name__ == "__main__":
    asyncio.run(main())
