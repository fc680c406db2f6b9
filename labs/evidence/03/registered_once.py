"""How often the loop is told about a socket: once for a connection, not once for a query."""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Postgres, claim

QUERIES = 100


async def main() -> None:
    # The classic loop of Unix; Windows and uvloop have others, with a selector of no such name.
    selector = asyncio.get_running_loop()._selector
    registered, register = [], selector.register
    async with Postgres() as pg:
        selector.register = lambda *args: (registered.append(args), register(*args))[1]
        try:
            window = await asyncpg.connect(pg.dsn)
            connecting = len(registered)
            for number in range(QUERIES):
                await window.fetchval("select $1::int", number)
            querying = len(registered) - connecting
            await window.close()
        finally:
            del selector.register
    print(f"sockets registered: {connecting} times to connect, {querying} in {QUERIES} queries")
    claim(
        "socket-registered-once",
        "asyncpg registers its socket when it connects, and not in a hundred queries.",
        connecting > 0 and querying == 0,
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())
