"""An instrument leaves nothing behind: tasks, threads, descriptors and processes are counted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from bench import (
    Client,
    Gate,
    Heartbeat,
    LoopTrace,
    Postgres,
    RoundTrips,
    Wiretap,
    closed_loop,
    open_loop,
    serve,
    until,
)
from bench.practice.lost_reply import line
from resources import held

PING = "/ping"


async def lossy_line(dsn: str, url: str) -> None:
    async with line(dsn) as one:
        connection = await asyncpg.connect(one.dsn)
        assert await connection.fetchval("select 1") == 1
        assert one.tasks
    connection.terminate()


async def gate(dsn: str, url: str) -> None:
    async with Gate(dsn) as one:
        connection = await asyncpg.connect(dsn)
        query = asyncio.create_task(connection.execute("select pg_advisory_xact_lock_shared(7)"))
        await one.until_waiting(1)
        await one.open()
        await query
        await connection.close()


async def round_trips(dsn: str, url: str) -> None:
    async with RoundTrips(dsn) as net:
        connection = await asyncpg.connect(net.dsn)
        await connection.fetchval("select 1")
        await connection.close()


async def wiretap(dsn: str, url: str) -> None:
    connection = await asyncpg.connect(dsn)
    async with Wiretap(connection):
        await connection.fetchval("select 1")
    await connection.close()


async def loop_trace(dsn: str, url: str) -> None:
    async with LoopTrace():
        await asyncio.gather(*(asyncio.sleep(0) for _ in range(3)))


async def heartbeat(dsn: str, url: str) -> None:
    async with Heartbeat():
        await asyncio.sleep(0.02)


async def client(dsn: str, url: str) -> None:
    async with Client(url, connections=3) as one:
        await asyncio.gather(*(one.get(PING) for _ in range(3)))


async def guests(dsn: str, url: str) -> None:
    await closed_loop(url, PING, guests=5, orders=2)


async def stream(dsn: str, url: str) -> None:
    await open_loop(url, PING, rate=50, seconds=0.1)


async def postgres(dsn: str, url: str) -> None:
    async with Postgres():
        pass


async def server(dsn: str, url: str) -> None:
    async with serve("bistro.app:app", env={"BISTRO_DSN": dsn}):
        pass


async def in_trouble(dsn: str, url: str) -> None:
    """All at once, left by an error."""

    async def leave() -> None:
        async with Gate(dsn), RoundTrips(dsn), LoopTrace(), Heartbeat(), Client(url) as one:
            await one.get(PING)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await leave()


Use = Callable[[str, str], Awaitable[None]]
ALONE: list[Use] = [gate, lossy_line, round_trips, wiretap, loop_trace, heartbeat, postgres, server]
OF_AN_APP: list[Use] = [client, guests, stream, in_trouble]


async def left_by(use: Use, dsn: str, url: str = "", patience: float = 10) -> str:
    """What is held after a use and was not before; the first use may import and cache."""
    await use(dsn, url)
    before = held()
    await use(dsn, url)
    try:  # a peer may need a moment to close its end
        await until(lambda: held() == before, patience, what="all to be as before")
    except TimeoutError:
        return f"before: {before}\nafter: {held()}"
    return ""


@pytest.mark.parametrize("use", ALONE, ids=lambda use: use.__name__)
def test_an_instrument_leaves_nothing_behind(use: Use, dsn: str) -> None:
    assert asyncio.run(left_by(use, dsn)) == ""


@pytest.mark.parametrize("use", OF_AN_APP, ids=lambda use: use.__name__)
def test_what_asks_an_app_leaves_nothing_behind(use: Use, dsn: str) -> None:
    async def main() -> str:
        async with serve("bistro.app:app", env={"BISTRO_DSN": dsn}) as bistro:
            return await left_by(use, dsn, bistro.url)

    assert asyncio.run(main()) == ""


KEPT: list[object] = []


async def leaks_a_task(dsn: str, url: str) -> None:
    KEPT.append(asyncio.create_task(asyncio.sleep(60)))


async def leaks_a_connection(dsn: str, url: str) -> None:
    KEPT.append(await asyncpg.connect(dsn))


@pytest.mark.parametrize("use", [leaks_a_task, leaks_a_connection])
def test_what_is_left_is_seen(use: Use, dsn: str) -> None:
    """The check itself can fail."""
    found = asyncio.run(left_by(use, dsn, patience=0.1))
    KEPT.clear()
    assert found
