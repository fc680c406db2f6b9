"""Does the submission's event loop still beat, whatever its database does?

A blocking call holds the whole server, wherever it stands: in a route, in a dependency, in a query
that no other check happens to hold. So every table is locked in turn, and at the end the database
falls silent; each time every kind of request is sent, and the loop has to answer somebody else.
What waits for nothing of the database is found by its line, which was seen in any earlier check.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from bench.instruments.roundtrips import RoundTrips
from bench.practice.submission import Submission, served

Send = Callable[[Submission], Awaitable[object]]
"""Sends one request to a submission and waits for its reply."""

TABLES = (
    "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
)
WAITS = """
    select count(*) from pg_locks
    where not granted and relation = $1::regclass
      and database = (select oid from pg_database where datname = current_database())
"""
SILENCE = 3600.0  # seconds for one round trip


def get(path: str) -> Send:
    return lambda app: app.client.get(path)


async def beats_beside_locks(app: Submission, requests: Mapping[str, Send]) -> None:
    """Lock one table after the other, and send each of `requests` (name: how it is sent).

    Raises AssertionError that names request and table, when the loop does not beat meanwhile; and
    the line, when one has held the loop so far, in any check.
    Requests that are still waiting are given up, and every lock is released.
    """
    tables = [row["relname"] for row in await app.kitchen.fetch(TABLES)]
    for table in sorted(tables):
        for name, send in requests.items():
            async with locked(app.dsn, table), sent(app, send) as request:

                async def arrived(
                    table: str = table, request: asyncio.Task[object] = request
                ) -> bool:
                    return request.done() or await app.kitchen.fetchval(WAITS, table) > 0

                await app.comes(arrived)
                assert await app.beats(), (
                    f"The table `{table}` is locked, {name} waits for it, and the server gives no "
                    "answer to anybody else. Some call on the way there blocks the event loop: "
                    "which driver waits without `await`?"
                )
    app.check_the_lines()


async def beats_beside_silence(
    app: Submission, requests: Mapping[str, Send], variable: str = "BISTRO_DSN", dsn: str = ""
) -> None:
    """Serve the submission once more; its database falls silent after the start.

    The database is the one of `dsn`, or the submission's own; the environment `variable` names it
    to the app. Raises AssertionError when the loop does not beat while a request waits, or when a
    line has held it.
    """
    async with AsyncExitStack() as proxy:
        net = await proxy.enter_async_context(RoundTrips(dsn or app.dsn))
        async with served(app.dsn, **{variable: net.dsn}) as alone, AsyncExitStack() as speaking:
            speaking.push_async_callback(proxy.aclose)  # so that the app can close its connections
            for name, send in requests.items():
                net.delay = SILENCE
                before = net.trips
                async with sent(alone, send) as request:

                    async def asked(
                        before: int = before, request: asyncio.Task[object] = request
                    ) -> bool:
                        return request.done() or net.trips > before

                    await alone.comes(asked)
                    assert await alone.beats(), (
                        f"The database has fallen silent, {name} waits for it, and the server "
                        "gives no answer to anybody else. A call on its way blocks the event loop."
                    )
    app.check_the_lines()


@asynccontextmanager
async def locked(dsn: str, table: str) -> AsyncIterator[None]:
    """Nobody else can read or write `table` until the block ends."""
    holder = await asyncpg.connect(dsn)
    try:
        async with holder.transaction():
            await holder.execute(f'lock table "{table}" in access exclusive mode')
            yield
    finally:
        await holder.close()


@asynccontextmanager
async def sent(app: Submission, send: Send) -> AsyncIterator[asyncio.Task[object]]:
    """Send one request; if it is unanswered at the end of the block, it is given up."""

    async def reply() -> object:
        return await send(app)

    request = asyncio.create_task(reply())
    try:
        yield request
    finally:
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
